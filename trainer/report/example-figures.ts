// One test sequence as it came, and as the network sees it at the same steps. Legend: T steps, F features, C channels.
import { charactersIn, formatNumber, range, shortenMiddle, widthOfNames } from "../html/format.ts";
import type { Markup } from "../html/html.ts";
import { DIVERGING, HAIRLINE, INK, MUTED } from "../html/palette.ts";
import { type Datum, draw, type Layer } from "../html/plot.ts";
import type { Example } from "./content.ts";

/** Features and channels that are drawn, at most: the page says so where there are more. */
export const MAX_RAW = 12;
export const MAX_CHANNELS = 24;
/** In units of the SVG. */
const ROW_HEIGHT = 24;
const CELL_HEIGHT = 15;
const GAP = 26;
/** Of the names at the left, at least and at most, and the room to their right. */
const NAME_WIDTH = { min: 94, max: 147, gap: 14 };

/** What is drawn of some features or channels: marks, a name at the left of each, and its range at the right. */
interface Band {
  readonly layers: readonly Layer[];
  readonly names: readonly Datum[];
  readonly ranges: readonly Datum[];
}

/** Above, every feature on a scale of its own; below, the channels in standard deviations; `reader` says who sees them so. */
export function drawExample(example: Example, features: readonly string[], channels: readonly string[], reader: string): Promise<Markup> {
  const T = example.rows.length;
  const cellTop = Math.min(features.length, MAX_RAW) * ROW_HEIGHT + GAP;
  const height = cellTop + Math.min(channels.length, MAX_CHANNELS) * CELL_HEIGHT;
  const names = [...features.slice(0, MAX_RAW), ...channels.slice(0, MAX_CHANNELS)];
  const nameWidth = Math.max(NAME_WIDTH.min, widthOfNames(names, NAME_WIDTH.max));
  const left = nameWidth + NAME_WIDTH.gap;
  const raw = drawFeatures(example, features.slice(0, MAX_RAW), nameWidth);
  const seen = drawChannels(example, channels.slice(0, MAX_CHANNELS), cellTop, nameWidth);
  return draw({
    alt: describeExample(example, channels.length),
    width: 106,
    height,
    margin: { left, right: 114, top: 20, bottom: 22 },
    x: { domain: [0, T] },
    y: { domain: [height, 0] },
    layers: [
      ...raw.layers,
      ...seen.layers,
      { mark: { type: "text", align: "right", baseline: "middle", fontSize: 11, dx: -7 }, data: [...raw.names, ...seen.names] },
      {
        mark: { type: "text", align: "left", baseline: "middle", fontSize: 10.5, color: MUTED.light, dx: 6 },
        data: [...raw.ranges, ...seen.ranges],
      },
      {
        mark: { type: "text", align: "left", baseline: "bottom", fontSize: 11, color: MUTED.light, dx: -left },
        data: [
          { x: 0, y: -5, text: "raw features" },
          { x: 0, y: cellTop - 6, text: `channels, as ${reader}` },
        ],
      },
      {
        mark: { type: "text", align: "right", baseline: "top", fontSize: 10.5, color: MUTED.light },
        data: [{ x: T, y: height + 6, text: "last row" }],
      },
    ],
  });
}

function describeExample({ title, probability, label, rows }: Example, channels: number): string {
  const valid = rows.filter((row) => row !== null).length;
  const padding = rows.length - valid;
  return `A test sequence ${title}, probability ${formatNumber(probability, 3)}, label ${label}: ${valid} rows${padding > 0 ? ` after ${padding} of padding` : ""}, and its ${channels} channels.`;
}

function drawFeatures({ rows }: Example, features: readonly string[], nameWidth: number): Band {
  const T = rows.length;
  const all = rows.flatMap((row, t) => (row ? [{ row, t }] : []));
  const bands = features.map((feature, f): Band => {
    const valid = all.filter(({ row }) => !Number.isNaN(row[f])); // a line skips what is missing
    const halves = valid.map(({ row }) => row[f] / 2); // no difference of halves overflows
    const [low, high] = [Math.min(...halves), Math.max(...halves)];
    const y = (x: number): number => (f + 0.82 - 0.64 * (high > low ? (x / 2 - low) / (high - low) : 0.5)) * ROW_HEIGHT;
    const points = valid.map(({ row, t }) => ({ x: t + 0.5, y: y(row[f]) }));
    const middle = (f + 0.5) * ROW_HEIGHT;
    return {
      layers: [
        { mark: { type: "rule", color: HAIRLINE.light }, data: [{ x: 0, x2: T, y: (f + 1) * ROW_HEIGHT }] },
        { mark: { type: "line", color: INK.light, strokeWidth: 1.4, strokeJoin: "round" }, data: points },
        { mark: { type: "point", filled: true, opacity: 1, color: INK.light, size: T > 40 ? 0 : 9 }, data: points },
      ],
      names: [{ x: 0, y: middle, text: shortenMiddle(feature, charactersIn(nameWidth)) }],
      ranges: [{ x: T, y: middle, text: valid.length === 0 ? "missing" : range(low * 2, high * 2) }],
    };
  });
  return joinBands(bands);
}

/** One cell a channel and step, coloured; cells of all channels are one layer. */
function drawChannels({ channels: rows }: Example, channels: readonly string[], top: number, nameWidth: number): Band {
  const T = rows.length;
  const bands = channels.map((channel, c) => {
    const y = top + c * CELL_HEIGHT;
    const cells = rows.flatMap((row, t) => {
      const value = row?.[c];
      return value === null || value === undefined ? [] : [{ value, t }];
    });
    const values = cells.map(({ value }) => value);
    const middle = y + 0.5 * CELL_HEIGHT;
    const text = `${formatNumber(Math.min(...values), 1)} … ${formatNumber(Math.max(...values), 1)}`;
    return {
      cells: cells.map(
        ({ value, t }): Datum => ({
          x: t,
          x2: t + 1,
          y: y + 0.5,
          y2: y + CELL_HEIGHT - 0.5,
          colour: DIVERGING[divergingClass(value)].light,
        }),
      ),
      layers: [],
      names: [{ x: 0, y: middle, text: shortenMiddle(channel, charactersIn(nameWidth)) }],
      ranges: values.length === 0 ? [] : [{ x: T, y: middle, text }],
    };
  });
  return { ...joinBands(bands), layers: [{ mark: { type: "rect" }, data: bands.flatMap(({ cells }) => cells) }] };
}

function joinBands(bands: readonly Band[]): Band {
  return {
    layers: bands.flatMap(({ layers }) => layers),
    names: bands.flatMap(({ names }) => names),
    ranges: bands.flatMap(({ ranges }) => ranges),
  };
}

/** Standard deviations at which the colours change. */
const CLASS_EDGES = [-2.5, -1.5, -0.75, -0.25, 0.25, 0.75, 1.5, 2.5];

/** Position among DIVERGING's colours: 0 far below the mean, 8 far above it. */
function divergingClass(value: number): number {
  return CLASS_EDGES.filter((edge) => value >= edge).length;
}
