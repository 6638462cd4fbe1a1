// Distributions of the data by class.
import { together } from "../html/format.ts";
import type { Markup } from "../html/html.ts";
import { MUTED } from "../html/palette.ts";
import { draw, type Layer } from "../html/plot.ts";
import { classLayers, highestShare } from "./class-layers.ts";
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
