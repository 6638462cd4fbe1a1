// Figures of the data: distributions by class, and what the recipe makes of a sequence.

import { figure, range, shorten, together } from "../html/format.ts";
import type { Markup } from "../html/html.ts";
import { DIVERGING, HAIRLINE, INK, MUTED } from "../html/palette.ts";
import { type Datum, draw, type Layer } from "../html/plot.ts";
import { classLayers, highestShare } from "./class-layers.ts";
import type { Example } from "./content.ts";
import type { ClassHistogram } from "./histogram.ts";

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

/** Rows of an example, at most: the page says so where there are more. */
export const MAX_RAW = 12;
export const MAX_CHANNELS = 24;
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
    names.push({ x: 0, y: (f + 0.5) * ROW_HEIGHT, text: shorten(features[f], 13) });
    ranges.push({ x: T, y: (f + 0.5) * ROW_HEIGHT, text: range(low * 2, high * 2) });
  }
  const cells: Datum[] = [];
  for (let c = 0; c < C; c++) {
    names.push({ x: 0, y: cellTop + (c + 0.5) * CELL_HEIGHT, text: shorten(channels[c], 13) });
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
    width: 106,
    height,
    margin: { left: 86, right: 114, top: 20, bottom: 22 },
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
