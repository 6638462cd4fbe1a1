// The learning curves, and what the baselines lose on the same part.
import { formatNumber, shorten, spreadOut, ticks } from "../html/format.ts";
import type { Markup } from "../html/html.ts";
import { BLUE, GREY, LINE_STYLES, MUTED } from "../html/palette.ts";
import { draw, type Layer } from "../html/plot.ts";
import type { ReportContent } from "./content.ts";

interface LearningCurve {
  readonly name: string;
  readonly style: (typeof LINE_STYLES)[number];
  /** One an epoch. */
  readonly losses: readonly number[];
}

/** A model that is no curve: one loss on the validation part. */
export interface ReferenceLine {
  readonly name: string;
  readonly logLoss: number;
}

const LEARNING = { width: 234, height: 264, margin: { left: 46, right: 140, top: 30, bottom: 42 } };
/** Units of the SVG between two names at the right edge. */
const NAME_GAP = 15;
const REFERENCE_DASHES = [
  [6, 3],
  [2, 2],
  [1, 4],
  [10, 3],
];

/** The base rate of each part: a curve is compared with that of its own. The other lines are of the validation part. */
export function levelLines({ lines, trainingBaseRate }: ReportContent["learning"]): readonly ReferenceLine[] {
  return [
    ...lines.map(({ name, logLoss }) => ({ name: name === "base rate" ? "base rate, validation" : name, logLoss })),
    { name: "base rate, training", logLoss: trainingBaseRate },
  ];
}

/** Loss by epoch. Losses far above the baselines are drawn at the upper edge. */
export function drawLearning({ learning }: Pick<ReportContent, "learning">): Promise<Markup> {
  const { history, bestEpoch } = learning;
  const epochs = Math.max(1, history.length);
  const curves: LearningCurve[] = [
    { name: "validation", style: LINE_STYLES[0], losses: history.map(({ validationLoss }) => validationLoss) },
    { name: "training", style: LINE_STYLES[3], losses: history.map(({ trainLoss }) => trainLoss) },
  ];
  const references = levelLines(learning).filter(({ logLoss }) => Number.isFinite(logLoss));
  const domain = lossDomain(curves, references);
  return draw({
    ...LEARNING,
    alt: describeLearning(learning, references),
    x: {
      domain: [Math.min(1, epochs - 1), Math.max(2, epochs)],
      ticks: ticks(1, epochs, Math.min(6, epochs)).filter(Number.isInteger),
      format: "d",
      title: "epoch",
    },
    y: { domain, ticks: ticks(...domain, 5), format: "~f", grid: true, title: "log loss, nats" },
    layers: [
      ...referenceLayers(references, epochs),
      ...curves.flatMap((curve) => curveLayers(curve, epochs)),
      bestLayer(history[bestEpoch - 1]?.validationLoss, bestEpoch),
      ...nameLayers(curves, references, domain, epochs),
    ],
  });
}

function describeLearning({ history, bestEpoch }: ReportContent["learning"], references: readonly ReferenceLine[]): string {
  const best = history[bestEpoch - 1];
  const [first, last] = [history[0], history[history.length - 1]];
  const others = references.map(({ name, logLoss }) => `${name} has ${formatNumber(logLoss)}`).join(", ");
  return `Learning curves over ${history.length} epochs: training log loss from ${formatNumber(first?.trainLoss)} to ${formatNumber(last?.trainLoss)}, validation from ${formatNumber(first?.validationLoss)} to ${formatNumber(last?.validationLoss)}, ${formatNumber(best?.validationLoss)} at epoch ${bestEpoch}, which is kept. The ${others}.`;
}

/** From the lowest loss to the highest, or to half as much again as where curves and references end. */
function lossDomain(curves: readonly LearningCurve[], references: readonly ReferenceLine[]): readonly [low: number, high: number] {
  const fixed = references.map(({ logLoss }) => logLoss);
  const finite = curves.flatMap(({ losses }) => losses).filter(Number.isFinite);
  const settled = [...curves.map(({ losses }) => losses[losses.length - 1]), ...fixed].filter(Number.isFinite);
  const floor = Math.min(...finite, ...fixed);
  const ceiling = Math.min(Math.max(...finite, ...settled), Math.max(...settled) * 1.5);
  const room = Math.max(0.005, (ceiling - floor) * 0.08);
  return [Math.max(0, floor - room), ceiling + room];
}

function referenceLayers(references: readonly ReferenceLine[], epochs: number): Layer[] {
  return references.map(({ logLoss }, i) => ({
    mark: { type: "rule", color: GREY.light, strokeWidth: 1.2, strokeDash: REFERENCE_DASHES[i % REFERENCE_DASHES.length] },
    data: [{ x: 0, x2: Math.max(2, epochs), y: logLoss }],
  }));
}

/** Points as well where a line would hardly be one. */
function curveLayers({ losses, style: { color, strokeWidth } }: LearningCurve, epochs: number): Layer[] {
  const data = losses.flatMap((y, i) => (Number.isFinite(y) ? [{ x: i + 1, y }] : []));
  return [
    { mark: { type: "line", color, strokeWidth, strokeJoin: "round" }, data },
    { mark: { type: "point", filled: true, opacity: 1, size: 14, color }, data: epochs <= 3 ? data : [] },
  ];
}

function bestLayer(loss: number | undefined, epoch: number): Layer {
  return {
    mark: { type: "point", filled: true, opacity: 1, size: 70, color: BLUE.light },
    data: loss !== undefined && Number.isFinite(loss) ? [{ x: epoch, y: loss }] : [],
  };
}

/** Names where lines end, moved apart. */
function nameLayers(
  curves: readonly LearningCurve[],
  references: readonly ReferenceLine[],
  domain: readonly [number, number],
  epochs: number,
): Layer[] {
  const endings = [
    ...references.map(({ name, logLoss }) => ({ text: shorten(name, 21), y: logLoss, color: MUTED.light })),
    ...curves
      .filter(({ losses }) => losses.length > 0)
      .map(({ name, losses, style }) => ({ text: name, y: losses[losses.length - 1], color: style.color })),
  ];
  const positions = spreadOut(
    endings.map(({ y }) => Math.min(domain[1], y)),
    ((domain[1] - domain[0]) / LEARNING.height) * NAME_GAP,
    ...domain,
  );
  return endings.map(({ text, color }, i) => ({
    mark: { type: "text", align: "left", baseline: "middle", color, dx: 6 },
    data: [{ x: Math.max(2, epochs), y: positions[i], text }],
  }));
}
