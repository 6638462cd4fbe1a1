// The tabular view as metadata say it. Its floors, means and kept columns are tensors.
// Legend: T steps, F features, S series, V columns.
import type { Channel } from "../recipe/channel.ts";
import { type Block, columnCount, MAX_COLUMNS, MAX_DEPTH, MAX_PARTS, type TabularPlan, type TabularView } from "../recipe/tabular.ts";
import { checkChannel } from "./channel-text.ts";
import { asObject, fail, isIndex, show } from "./checks.ts";

const MAX_SERIES = 1024;
const MAX_BLOCKS = 16;

/** A view without its tensors. */
export interface ViewText extends TabularPlan {
  /** V where not every column is kept. */
  readonly keep?: number;
}

/** The view as JSON. */
export function encodeView({ series, width, parts, blocks, keep }: TabularView): string {
  const text: ViewText = { series, width, parts, blocks, ...(keep && { keep: keep.length }) };
  return JSON.stringify(text);
}

/** V */
export function countColumns({ blocks, parts, keep }: ViewText): number {
  return keep ?? blocks.reduce((sum, block) => sum + columnCount(block, parts), 0);
}

/** Throws ArtifactError naming what is off. */
export function parseView(value: unknown, T: number, F: number): ViewText {
  const { series, width, parts, blocks, keep } = asObject(value, "view");
  if (!Array.isArray(series) || series.length < 1 || series.length > MAX_SERIES)
    fail(`view.series is ${show(series)}, expected 1 to ${MAX_SERIES} channels`);
  for (const [s, channel] of series.entries()) checkChannel(channel, `view.series[${s}]`, F);
  if (!isIndex(width, T + 1) || width < 1) fail(`view.width is ${show(width)}, expected 1 to ${T} rows`);
  if (parts !== Math.ceil(T / width) || parts > MAX_PARTS)
    fail(`view.parts is ${show(parts)}, expected ${T} steps over ${width} rows, and at most ${MAX_PARTS}`);
  if (!Array.isArray(blocks) || blocks.length < 1 || blocks.length > MAX_BLOCKS)
    fail(`view.blocks is ${show(blocks)}, expected 1 to ${MAX_BLOCKS} blocks`);
  const parsed = blocks.map((block: unknown, b) => parseBlock(block, `view.blocks[${b}]`, series.length));
  const columns = parsed.reduce((sum, block) => sum + columnCount(block, parts), 0);
  if (columns < 1 || columns > MAX_COLUMNS) fail(`view has ${columns} columns, expected 1 to ${MAX_COLUMNS}`);
  if (keep !== undefined && (!isIndex(keep, columns + 1) || keep < 1)) fail(`view.keep is ${show(keep)}, expected 1 to ${columns} columns`);
  return { series: series as Channel[], width, parts, blocks: parsed, ...(keep !== undefined && { keep }) };
}

function parseBlock(value: unknown, what: string, S: number): Block {
  const { kind, series, depth } = asObject(value, what);
  if (kind === "length") return { kind };
  if (kind !== "steps" && kind !== "statistics" && kind !== "constants" && kind !== "quantiles")
    fail(`${what}.kind is ${show(kind)}, which this code does not know: update and redeploy quickstep`);
  if (!Array.isArray(series) || series.length < 1 || !series.every((s) => isIndex(s, S)) || new Set(series).size < series.length)
    fail(`${what}.series is ${show(series)}, expected different series of 0 to ${S - 1}`);
  if (kind !== "quantiles") return { kind, series };
  if (!isIndex(depth, MAX_DEPTH + 1)) fail(`${what}.depth is ${show(depth)}, expected 0 to ${MAX_DEPTH}`);
  return { kind, series, depth };
}
