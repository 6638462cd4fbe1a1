// Figures of how the model came about: learning curves, the data by feature, what the recipe makes of a sequence, what matters.
import type { Example, FeatureFacts, ReportContent } from "./content.ts";
import { figure, range, shorten, spreadOut, ticks, together } from "./format.ts";
import type { ClassHistogram } from "./histogram.ts";
import type { Markup } from "./html.ts";
import type { Effect, StepEffect } from "./importance.ts";
import { BLUE, DIVERGING, GREY, HAIRLINE, INK, MUTED } from "./palette.ts";
import { type Datum, draw, type Layer } from "./plot.ts";
import { classLayers, highestShare, LINE_STYLES } from "./score-figures.ts";

/** Loss by epoch. Losses far above the baselines are drawn at the upper edge. */
export function drawLearning({ learning }: Pick<ReportContent, "learning">): Promise<Markup> {
  const { history, lines, bestEpoch } = learning;
  const width = 262;
  const height = 264;
  const epochs = Math.max(1, history.length);
  const curves = [
    { name: "validation", style: LINE_STYLES[0], losses: history.map(({ validationLoss }) => validationLoss) },
    { name: "training", style: LINE_STYLES[3], losses: history.map(({ trainLoss }) => trainLoss) },
  ];
  const references = lines.filter(({ logLoss }) => Number.isFinite(logLoss));
  const finite = curves.flatMap(({ losses }) => losses).filter(Number.isFinite);
  const floor = Math.min(...finite, ...references.map(({ logLoss }) => logLoss));
  const settled = [...curves.map(({ losses }) => losses[losses.length - 1]), ...references.map(({ logLoss }) => logLoss)].filter(
    Number.isFinite,
  );
  const ceiling = Math.min(Math.max(...finite, ...settled), Math.max(...settled) * 1.5);
  const room = Math.max(0.005, (ceiling - floor) * 0.08);
  const domain = [Math.max(0, floor - room), ceiling + room] as const;
  const endings = [
    ...references.map(({ name, logLoss }) => ({ text: shorten(name, 20), y: logLoss, color: MUTED.light })),
    ...curves
      .filter(({ losses }) => losses.length > 0)
      .map(({ name, losses, style }) => ({ text: name, y: losses[losses.length - 1], color: style.color })),
  ].map((ending) => ({ ...ending, y: Math.min(domain[1], ending.y) }));
  const places = spreadOut(
    endings.map(({ y }) => y),
    ((domain[1] - domain[0]) / height) * 15,
    ...domain,
  );
  const best = history[bestEpoch - 1];
  const [first, last] = [history[0], history[history.length - 1]];
  return draw({
    alt: `Learning curves over ${history.length} epochs: training log loss from ${figure(first?.trainLoss)} to ${figure(last?.trainLoss)}, validation from ${figure(first?.validationLoss)} to ${figure(last?.validationLoss)}, best ${figure(best?.validationLoss)} at epoch ${bestEpoch}. On the validation part ${references.map(({ name, logLoss }) => `${name} has ${figure(logLoss)}`).join(", ")}.`,
    width,
    height,
    margin: { left: 46, right: 112, top: 30, bottom: 42 },
    x: {
      domain: [Math.min(1, epochs - 1), Math.max(2, epochs)],
      ticks: ticks(1, epochs, Math.min(6, epochs)).filter(Number.isInteger),
      format: "d",
      title: "epoch",
    },
    y: { domain, ticks: ticks(...domain, 5), format: "~g", grid: true, title: "log loss, nats" },
    layers: [
      ...references.map(
        ({ logLoss }, i): Layer => ({
          mark: {
            type: "rule",
            color: GREY.light,
            strokeWidth: 1.2,
            strokeDash: [
              [6, 3],
              [2, 2],
              [1, 4],
              [10, 3],
            ][i % 4],
          },
          data: [{ x: 0, x2: Math.max(2, epochs), y: logLoss }],
        }),
      ),
      ...curves.flatMap(({ losses, style }): Layer[] => {
        const data = losses.flatMap((y, i) => (Number.isFinite(y) ? [{ x: i + 1, y }] : []));
        return [
          { mark: { type: "line", color: style.color, strokeWidth: style.strokeWidth, strokeJoin: "round" }, data },
          { mark: { type: "point", filled: true, opacity: 1, size: 14, color: style.color }, data: epochs <= 3 ? data : [] },
        ];
      }),
      {
        mark: { type: "point", filled: true, opacity: 1, size: 70, color: BLUE.light },
        data: best && Number.isFinite(best.validationLoss) ? [{ x: bestEpoch, y: best.validationLoss }] : [],
      },
      ...endings.map(
        ({ text, color }, i): Layer => ({
          mark: { type: "text", align: "left", baseline: "middle", color, dx: 6 },
          data: [{ x: Math.max(2, epochs), y: places[i], text }],
        }),
      ),
    ],
  });
}

/** One feature, or the lengths: both classes, the range written at the ends. */
export function drawDistribution(name: string, histogram: ClassHistogram): Promise<Markup> {
  const { edges } = histogram;
  const [low, high] = [edges[0], edges[edges.length - 1]];
  const width = 196;
  // Vega's scales do arithmetic in float64 too: a range that overflows or drowns is mapped to [0,1] here.
  const span = high - low;
  const toUnit = (x: number): number => (span > 0 ? (x - low) / span : 0.5);
  const top = highestShare(histogram);
  const isWhole = edges.every((edge) => Math.abs(edge % 1) === 0.5);
  const ends = together(isWhole ? [low + 0.5, high - 0.5] : [low, high]);
  const label = (x: number, align: string, text: string): Layer => ({
    mark: { type: "text", align, baseline: "top", dy: 6, fontSize: 11, color: MUTED.light },
    data: [{ x, y: 0, text }],
  });
  return draw({
    alt: `Distribution of ${name}, ${ends[0]} to ${ends[1]}, by class.`,
    width,
    height: 84,
    margin: { left: 2, right: 2, top: 4, bottom: 22 },
    x: { domain: [0, 1] },
    y: { domain: [0, top * 1.04] },
    layers: [
      { mark: { type: "rule", color: MUTED.light, strokeWidth: 1 }, data: [{ x: 0, x2: 1, y: 0 }] },
      ...classLayers({ ...histogram, edges: edges.map(toUnit) }),
      ...(ends[0] === ends[1] ? [label(0.5, "center", ends[0])] : [label(0, "left", ends[0]), label(1, "right", ends[1])]),
    ],
  });
}

export function drawFeature({ name, histogram }: FeatureFacts): Promise<Markup> {
  return drawDistribution(name, histogram);
}

const MAX_RAW = 12;
const MAX_CHANNELS = 24;
const ROW_HEIGHT = 24;
const CELL_HEIGHT = 15;

/** Above, every feature on a scale of its own; below, what the network sees at the same steps, in standard deviations. */
export function drawExample(example: Example, features: readonly string[], channels: readonly string[]): Promise<Markup> {
  const T = example.rows.length;
  const F = Math.min(features.length, MAX_RAW);
  const C = Math.min(channels.length, MAX_CHANNELS);
  const gap = 26;
  const height = F * ROW_HEIGHT + gap + C * CELL_HEIGHT;
  const cellTop = F * ROW_HEIGHT + gap;
  const names: Datum[] = [];
  const ranges: Datum[] = [];
  const lines: Layer[] = [];
  const valid = example.rows.flatMap((row, t) => (row ? [{ row, t }] : []));
  for (let f = 0; f < F; f++) {
    const values = valid.map(({ row }) => row[f] / 2); // halves: no difference overflows
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const y = (x: number): number => (f + 0.82 - 0.64 * (high > low ? (x / 2 - low) / (high - low) : 0.5)) * ROW_HEIGHT;
    const points = valid.map(({ row, t }) => ({ x: t + 0.5, y: y(row[f]) }));
    lines.push(
      { mark: { type: "rule", color: HAIRLINE.light }, data: [{ x: 0, x2: T, y: (f + 1) * ROW_HEIGHT }] },
      { mark: { type: "line", color: INK.light, strokeWidth: 1.4, strokeJoin: "round" }, data: points },
      { mark: { type: "point", filled: true, opacity: 1, color: INK.light, size: T > 40 ? 0 : 9 }, data: points },
    );
    names.push({ x: 0, y: (f + 0.5) * ROW_HEIGHT, text: shorten(features[f], 15) });
    ranges.push({ x: T, y: (f + 0.5) * ROW_HEIGHT, text: range(low * 2, high * 2) });
  }
  const cells: Datum[] = [];
  for (let c = 0; c < C; c++) {
    names.push({ x: 0, y: cellTop + (c + 0.5) * CELL_HEIGHT, text: shorten(channels[c], 15) });
    const seen: number[] = [];
    example.channels.forEach((row, t) => {
      const value = row?.[c];
      if (value === null || value === undefined) return;
      seen.push(value);
      const y = cellTop + c * CELL_HEIGHT;
      cells.push({ x: t, x2: t + 1, y: y + 0.5, y2: y + CELL_HEIGHT - 0.5, colour: DIVERGING[divergingClass(value)].light });
    });
    if (seen.length > 0)
      ranges.push({
        x: T,
        y: cellTop + (c + 0.5) * CELL_HEIGHT,
        text: `${figure(Math.min(...seen), 1)} … ${figure(Math.max(...seen), 1)}`,
      });
  }
  const padding = T - valid.length;
  return draw({
    alt: `A test sequence ${example.title}, probability ${figure(example.probability, 3)}, label ${example.label}: ${valid.length} rows${padding > 0 ? ` after ${padding} of padding` : ""}, and its ${channels.length} channels.`,
    width: 122,
    height,
    margin: { left: 86, right: 98, top: 20, bottom: 22 },
    x: { domain: [0, T] },
    y: { domain: [height, 0] },
    layers: [
      ...lines,
      { mark: { type: "rect" }, data: cells },
      { mark: { type: "text", align: "right", baseline: "middle", fontSize: 11, dx: -7 }, data: names },
      { mark: { type: "text", align: "left", baseline: "middle", fontSize: 10.5, color: MUTED.light, dx: 6 }, data: ranges },
      {
        mark: { type: "text", align: "left", baseline: "bottom", fontSize: 11, color: MUTED.light, dx: -86 },
        data: [
          { x: 0, y: -5, text: "raw" },
          { x: 0, y: cellTop - 6, text: "as the network sees it" },
        ],
      },
      {
        mark: { type: "text", align: "right", baseline: "top", fontSize: 10.5, color: MUTED.light },
        data: [{ x: T, y: height + 6, text: "last row" }],
      },
    ],
  });
}

/** Standard deviations at which the colours change. */
const CLASS_EDGES = [-2.5, -1.5, -0.75, -0.25, 0.25, 0.75, 1.5, 2.5];

export function divergingClass(value: number): number {
  return CLASS_EDGES.filter((edge) => value >= edge).length;
}

const MAX_EFFECTS = 20;

/** Channels by what they matter, the most first. */
export function drawChannelImportance(effects: readonly Effect[], channels: readonly string[]): Promise<Markup> {
  const rows = effects
    .map((effect, c) => ({ ...effect, name: channels[c] }))
    .sort((a, b) => b.rise - a.rise)
    .slice(0, MAX_EFFECTS);
  const domain = effectDomain(rows);
  const height = 20 * rows.length;
  return draw({
    alt: `Rise of log loss when a channel is permuted: ${rows.map(({ name, rise, halfWidth }) => `${name} ${figure(rise)} ± ${figure(halfWidth)}`).join("; ")}.`,
    width: 244,
    height,
    margin: { left: 154, right: 22, top: 8, bottom: 42 },
    x: { domain, ticks: ticks(...domain, 4), format: "~g", grid: true, title: "rise of log loss, nats" },
    y: { domain: [rows.length - 0.5, -0.5] },
    layers: [
      { mark: { type: "rule", color: MUTED.light }, data: [{ x: 0, y: -0.5, y2: rows.length - 0.5 }] },
      {
        mark: { type: "rule", color: BLUE.light, strokeWidth: 1.5 },
        data: rows.map(({ rise, halfWidth }, y) => ({ x: rise - halfWidth, x2: rise + halfWidth, y })),
      },
      {
        mark: { type: "point", filled: true, opacity: 1, size: 46, color: BLUE.light },
        data: rows.map(({ rise }, y) => ({ x: rise, y })),
      },
      {
        mark: { type: "text", align: "right", baseline: "middle", dx: -10 },
        data: rows.map(({ name }, y) => ({ x: domain[0], y, text: shorten(name, 23) })),
      },
    ],
  });
}

/** Steps in the order of time, the last row at the right. */
export function drawStepImportance(effects: readonly StepEffect[]): Promise<Markup> {
  const domain = effectDomain(effects);
  const names = effects.map(({ from, to }) => (from === to ? stepName(from) : `${stepName(to)} to ${stepName(from)}`));
  const stride = Math.ceil(effects.length / (effects.some(({ from, to }) => from !== to) ? 5 : 12));
  const place = (i: number): number => effects.length - 1 - i;
  return draw({
    alt: `Rise of log loss when a row is permuted, by rows before the last: ${effects.map(({ rise, halfWidth }, i) => `${names[i]}: ${figure(rise)} ± ${figure(halfWidth)}`).join("; ")}.`,
    width: 352,
    height: 220,
    margin: { left: 46, right: 22, top: 30, bottom: 42 },
    x: { domain: [-0.5, effects.length - 0.5], ticks: [], title: "row, counted from the last" },
    y: { domain, ticks: ticks(...domain, 5), format: "~g", grid: true, title: "rise of log loss, nats" },
    layers: [
      { mark: { type: "rule", color: MUTED.light }, data: [{ x: -0.5, x2: effects.length - 0.5, y: 0 }] },
      {
        mark: { type: "rule", color: BLUE.light, strokeWidth: 1.5 },
        data: effects.map(({ rise, halfWidth }, i) => ({ x: place(i), y: rise - halfWidth, y2: rise + halfWidth })),
      },
      {
        mark: { type: "point", filled: true, opacity: 1, size: 46, color: BLUE.light },
        data: effects.map(({ rise }, i) => ({ x: place(i), y: rise })),
      },
      {
        mark: { type: "text", align: "center", baseline: "top", dy: 7, color: MUTED.light },
        data: names.flatMap((text, i) => (i % stride === 0 ? [{ x: place(i), y: domain[0], text }] : [])),
      },
    ],
  });
}

function stepName(age: number): string {
  return age === 0 ? "last" : `−${age}`;
}

function effectDomain(effects: readonly Effect[]): [number, number] {
  const low = Math.min(0, ...effects.map(({ rise, halfWidth }) => rise - halfWidth));
  const high = Math.max(0, ...effects.map(({ rise, halfWidth }) => rise + halfWidth));
  const room = Math.max(0.0005, (high - low) * 0.05);
  return [low - room, high + room];
}
