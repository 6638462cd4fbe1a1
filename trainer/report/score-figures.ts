// Figures of the test part: models side by side, reliability, curves with the operating points, scores by class.
import { charactersIn, formatNumber, shortenMiddle, spreadOut, ticks, widthOfNames } from "../html/format.ts";
import type { Markup } from "../html/html.ts";
import { BLUE, GREY, INK, LINE_STYLES, PAPER } from "../html/palette.ts";
import { type Datum, draw, type Layer } from "../html/plot.ts";
import { classLayers, classShares, highestShare } from "./class-layers.ts";
import type { MeasuredPoint, ReportContent } from "./content.ts";
import type { Point } from "./ranking.ts";

const PANEL = { width: 352, height: 264, margin: { left: 46, right: 22, top: 30, bottom: 42 } };
/** Of the names at the left and the marks together, and of the names at most, in units of the SVG. */
const WIDTH = 384;
const MAX_NAMES = 252;
const UNIT_TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

/** What the figures are of. */
function judgedOn({ assessment }: ReportContent["card"]): string {
  return assessment === "nested-cross-validation" ? "by nested cross-validation" : "on the test part";
}

/** Log losses with their intervals, one row a model. */
export function drawLosses({ models, card }: Pick<ReportContent, "models" | "card">): Promise<Markup> {
  const rows = models.map(({ name, metrics, intervals }, i) => ({
    name,
    y: i,
    loss: metrics.logLoss,
    half: intervals.logLoss ?? 0,
  }));
  const low = Math.min(...rows.map(({ loss, half }) => loss - half));
  const high = Math.max(...rows.map(({ loss, half }) => loss + half));
  const room = Math.max(0.02, (high - low) * 0.08);
  const domain = [Math.max(0, low - room), high + room] as const;
  const names = widthOfNames(
    rows.map(({ name }) => name),
    MAX_NAMES,
  );
  return draw({
    alt: `Log loss ${judgedOn(card)}: ${rows.map(({ name, loss, half }) => `${name} ${formatNumber(loss)} ± ${formatNumber(half)}`).join("; ")}.`,
    width: WIDTH - names,
    height: 34 * rows.length,
    margin: { left: names + 14, right: 22, top: 8, bottom: 42 },
    x: { domain, ticks: ticks(...domain, 5), format: "~f", grid: true, title: "log loss, nats (lower is better)" },
    y: { domain: [rows.length - 0.5, -0.5] },
    layers: [
      ...rows.map(({ y, loss, half }): Layer => {
        const color = y === 0 ? BLUE.light : GREY.light;
        return { mark: { type: "rule", color, strokeWidth: 2.5, strokeCap: "round" }, data: [{ x: loss - half, x2: loss + half, y }] };
      }),
      ...rows.map(({ y, loss }): Layer => {
        const color = y === 0 ? BLUE.light : GREY.light;
        return { mark: { type: "point", filled: true, opacity: 1, size: 70, color }, data: [{ x: loss, y }] };
      }),
      {
        mark: { type: "text", align: "right", baseline: "middle", dx: -10 },
        data: rows.map(({ name, y }) => ({ x: domain[0], y, text: shortenMiddle(name, charactersIn(names)) })),
      },
    ],
  });
}

/** The positive rate against the mean predicted probability, in bins of equal mass. */
export function drawReliability({ reliability }: Pick<ReportContent, "reliability">): Promise<Markup> {
  const highest = Math.max(...reliability.map(({ predicted, observed }) => Math.max(predicted, observed.high)));
  const end = [0.05, 0.1, 0.2, 0.4].find((limit) => highest <= limit) ?? 1;
  const marks = ticks(0, end, 5);
  const pairs = reliability
    .map(({ predicted, observed }) => `${formatNumber(predicted, 2)} → ${formatNumber(observed.value, 2)}`)
    .join(", ");
  return draw({
    ...PANEL,
    alt: `Reliability: mean predicted probability → positive rate, in ${reliability.length} bins: ${pairs}.`,
    x: { domain: [0, end], ticks: marks, format: "~f", title: "predicted probability" },
    y: { domain: [0, end], ticks: marks, format: "~f", grid: true, title: "positive rate" },
    layers: [
      { mark: { type: "rule", color: GREY.light, strokeDash: [4, 3] }, data: [{ x: 0, y: 0, x2: end, y2: end }] },
      {
        mark: { type: "rule", color: BLUE.light, strokeWidth: 1.5 },
        data: reliability.map(({ predicted, observed: { low, high } }) => ({ x: predicted, y: low, y2: high })),
      },
      {
        mark: { type: "point", filled: true, opacity: 1, size: 46, color: BLUE.light },
        data: reliability.map(({ predicted, observed }) => ({ x: predicted, y: observed.value })),
      },
    ],
  });
}

/** Curves of the model and of the baselines that rank anything, with the operating points; the dotted line is the positive rate. */
export function drawPrecisionRecall(content: Pick<ReportContent, "curves" | "operatingPoints" | "card">): Promise<Markup> {
  const { positiveRate } = content.card.test;
  return drawCurves(content, {
    title: `Precision against recall`,
    x: "recall",
    y: "precision",
    interpolate: "step-before",
    pointsOf: (curve) => curve.precisionRecall,
    markOf: ({ metrics: { recall, precision } }) => (recall && precision ? { x: recall.value, y: precision.value } : null),
    chance: { x: 0, y: positiveRate, x2: 1, y2: positiveRate },
  });
}

/** The same as a ROC curve; the dotted diagonal is chance. */
export function drawRoc(content: Pick<ReportContent, "curves" | "operatingPoints" | "card">): Promise<Markup> {
  return drawCurves(content, {
    title: `Recall against false positive rate (ROC)`,
    x: "false positive rate",
    y: "recall",
    interpolate: "linear",
    pointsOf: (curve) => curve.roc,
    markOf: ({ metrics: { recall }, falsePositiveRate }) =>
      recall && falsePositiveRate ? { x: falsePositiveRate.value, y: recall.value } : null,
    chance: { x: 0, y: 0, x2: 1, y2: 1 },
  });
}

/** Operating points are lettered, so that labels need no room: A is the first, the default. */
export function letterOf(index: number): string {
  return String.fromCharCode(65 + (index % 26)).repeat(1 + Math.floor(index / 26));
}

interface CurveKind {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly interpolate: "linear" | "step-before";
  pointsOf(curve: ReportContent["curves"][number]): readonly Point[];
  markOf(point: MeasuredPoint): Point | null;
  readonly chance: Datum;
}

function drawCurves(
  { curves, operatingPoints, card }: Pick<ReportContent, "curves" | "operatingPoints" | "card">,
  kind: CurveKind,
): Promise<Markup> {
  const marks = operatingPoints.flatMap((measured, i) => {
    const point = kind.markOf(measured);
    return point ? [{ ...point, letter: letterOf(i), name: measured.name }] : [];
  });
  const merged = mergeNear(marks);
  return draw({
    ...PANEL,
    alt: `${kind.title} ${judgedOn(card)}. ${marks.map(({ name, letter, x, y }) => `${letter} ${name}: ${kind.x} ${formatNumber(x, 2)}, ${kind.y} ${formatNumber(y, 2)}`).join("; ")}.`,
    x: { domain: [0, 1], ticks: UNIT_TICKS, format: "~f", title: kind.x },
    y: { domain: [0, 1], ticks: UNIT_TICKS, format: "~f", grid: true, title: kind.y },
    layers: [
      { mark: { type: "rule", color: GREY.light, strokeDash: [1, 3], strokeCap: "round" }, data: [kind.chance] },
      ...curves
        .map(
          (curve, i): Layer => ({
            mark: { type: "line", interpolate: kind.interpolate, strokeJoin: "round", ...LINE_STYLES[i % LINE_STYLES.length] },
            data: kind.pointsOf(curve),
          }),
        )
        .reverse(), // the model's on top
      { mark: { type: "point", filled: true, opacity: 1, size: 230, color: PAPER.light }, data: merged },
      { mark: { type: "point", filled: false, opacity: 1, size: 210, strokeWidth: 1.5, color: BLUE.light }, data: merged },
      {
        mark: { type: "text", align: "center", baseline: "middle", dy: 0.5, fontSize: 10.5, fontWeight: "bold" },
        data: merged.map(({ x, y, letters }) => ({ x, y, text: letters[0] })),
      },
      {
        mark: { type: "text", align: "center", baseline: "middle", dy: 16, fontSize: 10.5, fontWeight: "bold" },
        data: merged.filter(({ letters }) => letters.length > 1).map(({ x, y, letters }) => ({ x, y, text: letters.slice(1).join(" ") })),
      },
    ],
  });
}

/** Marks closer than a mark is wide share one. */
function mergeNear(marks: readonly (Point & { readonly letter: string })[]): (Point & { readonly letters: string[] })[] {
  const positions: (Point & { readonly letters: string[] })[] = [];
  for (const { x, y, letter } of marks) {
    const near = positions.find((mark) => Math.hypot((mark.x - x) * PANEL.width, (mark.y - y) * PANEL.height) < 14);
    if (near) near.letters.push(letter);
    else positions.push({ x, y, letters: [letter] });
  }
  return positions;
}

/** The two classes' scores, each as shares of its own class. */
export function drawScores({ scores, operatingPoints }: Pick<ReportContent, "scores" | "operatingPoints">): Promise<Markup> {
  const highest = highestShare(scores);
  const top = highest * 1.15;
  const shares = classShares(scores);
  const median = (of: readonly number[]): number => {
    let sum = 0;
    return of.findIndex((share) => (sum += share) >= 50) / of.length;
  };
  const thresholds = operatingPoints
    .map(({ threshold }, i) => ({ threshold, letter: letterOf(i) }))
    .filter(({ threshold }) => threshold <= 1);
  const positions = spreadOut(
    thresholds.map(({ threshold }) => threshold),
    0.035,
    0,
    1,
  );
  return draw({
    ...PANEL,
    alt: `Scores by class: half of the sequences with label 0 score below about ${formatNumber(median(shares[0]), 2)}, of those with label 1 below about ${formatNumber(median(shares[1]), 2)}.`,
    x: { domain: [0, 1], ticks: UNIT_TICKS, format: "~f", title: "predicted probability" },
    y: { domain: [0, top], ticks: ticks(0, highest, 4), format: "~f", grid: true, title: "% of its class" },
    layers: [
      ...classLayers(scores),
      {
        mark: { type: "rule", color: INK.light, strokeWidth: 1, strokeDash: [2, 2] },
        data: thresholds.map(({ threshold }) => ({ x: threshold, y: 0, y2: top })),
      },
      {
        mark: { type: "text", align: "left", baseline: "top", dx: 4, fontSize: 11, fontWeight: "bold" },
        data: thresholds.map(({ letter }, i) => ({ x: positions[i], y: top, text: letter })),
      },
    ],
  });
}
