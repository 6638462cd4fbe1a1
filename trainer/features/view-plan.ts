// Which columns a tabular view has: series of levels, of the channels that the search found, and of logarithms; and what is left out
// where more than MAX_COLUMNS would come.
// Legend: T steps, F features, P parts.
import type { Channel } from "../../shared/recipe/channel.ts";
import { type Block, columnCount, MAX_COLUMNS, MAX_DEPTH, MAX_PARTS, type TabularPlan } from "../../shared/recipe/tabular.ts";
import { isSame } from "./candidate-choice.ts";

export interface ViewInput {
  readonly timesteps: number;
  /** Features that move. */
  readonly moving: readonly number[];
  /** Those of them whose every training value is positive. */
  readonly positive: readonly number[];
  /** Those of them that are the same in all rows of a sequence. Left out: none. */
  readonly statics?: readonly number[];
  /** What the search found. */
  readonly channels: readonly Channel[];
}

/** What a view may hold, from most to least. `logarithms`: what of them. */
interface Extent {
  readonly logarithms: "all" | "statistics" | "none";
  /** Of quantile intervals; −1 for no quantiles. */
  readonly depth: number;
  /** Whether the channels beyond levels are in. */
  readonly found: boolean;
  /** Rows a part. */
  readonly width: number;
}

/**
 * The view of one sequence's length, the steps, statistics and quantiles of every level and found channel, and the steps and statistics
 * of logarithms; of what is the same in all rows one column each. Where these are more than MAX_COLUMNS columns, the first of these that is enough is done: logarithms have statistics
 * alone; quantiles of fewer and larger intervals; no logarithms; no quantiles; two, three, … rows are averaged to one step, with what
 * quantiles then fit; no found channels.
 */
export function planView(input: ViewInput): TabularPlan {
  const { timesteps: T } = input;
  const narrowest = Math.ceil(T / MAX_PARTS);
  const full: Extent = { logarithms: "all", depth: MAX_DEPTH, found: true, width: narrowest };
  const depths = Array.from({ length: MAX_DEPTH + 1 }, (_, i) => MAX_DEPTH - i);
  const plain = { ...full, logarithms: "none" } as const;
  const widths = Array.from({ length: T - narrowest + 1 }, (_, i) => narrowest + i);
  const extents: Extent[] = [
    full,
    ...depths.map((depth): Extent => ({ ...full, logarithms: "statistics", depth })),
    { ...plain, depth: 0 },
    { ...plain, depth: -1 },
    ...widths.slice(1).flatMap((width) => [...depths, -1].map((depth): Extent => ({ ...plain, width, depth }))),
    ...widths.map((width): Extent => ({ ...plain, found: false, width, depth: -1 })),
  ];
  for (const extent of extents) {
    const plan = planExtent(input, extent);
    if (countColumns(plan) <= MAX_COLUMNS) return plan;
  }
  throw new RangeError(`a view of ${input.moving.length} features has more than ${MAX_COLUMNS} columns`);
}

/** V */
function countColumns({ blocks, parts }: TabularPlan): number {
  return blocks.reduce((sum, block) => sum + columnCount(block, parts), 0);
}

function planExtent(
  { timesteps: T, moving, positive, statics = [], channels }: ViewInput,
  { logarithms, depth, found, width }: Extent,
): TabularPlan {
  const levels = moving.map((a): Channel => ({ base: "feature", a, view: "level" }));
  const beyond = found ? dropRepeats(channels.map(forColumns)).filter(({ base, view }) => base !== "feature" || view !== "level") : [];
  const logs =
    logarithms === "none"
      ? []
      : positive.map((a): Channel => ({ base: "feature", a, view: "log" })).filter((log) => !includes(beyond, log));
  const plain = [...levels, ...beyond].map((_, s) => s);
  const taken = logs.map((_, i) => plain.length + i);
  const series = [...levels, ...beyond, ...logs];
  const isConstant = (s: number): boolean => series[s].base === "feature" && statics.includes(series[s].a);
  const rows = plain.filter((s) => !isConstant(s));
  const logRows = taken.filter((s) => !isConstant(s));
  const blocks: Block[] = [
    { kind: "length" },
    { kind: "steps", series: logarithms === "all" ? [...rows, ...logRows] : rows },
    { kind: "statistics", series: [...rows, ...logRows] },
    { kind: "constants", series: [...plain, ...taken].filter(isConstant) },
    ...(depth >= 0 ? [{ kind: "quantiles", series: rows, depth } as const] : []),
  ];
  const parts = Math.ceil(T / width);
  return { series, width, parts, blocks: blocks.filter((block) => columnCount(block, parts) > 0) };
}

/** Columns have nothing in place of a number that is missing in any case: only what looks at other rows differs where it is so. */
export function forColumns(channel: Channel): Channel {
  const { whereObserved: _, medianFilled: __, ...plain } = channel;
  return channel.view === "level" || channel.view === "log" ? plain : channel;
}

function dropRepeats(channels: readonly Channel[]): Channel[] {
  return channels.filter((channel, i) => channels.findIndex((other) => isSame(other, channel)) === i);
}

function includes(channels: readonly Channel[], { a, view }: Channel): boolean {
  return channels.some((channel) => channel.base === "feature" && channel.a === a && channel.view === view);
}
