// How sequences belong together: what shares rows, what is one series, in what order of time; and by what they are to be split.
// Legend: N sequences, T steps, F features.
import { UsageError } from "../../shared/errors.ts";
import type { Padding, Shape } from "../../shared/sequence.ts";
import type { Timeline } from "../readers/batch.ts";
import type { Random } from "../statistics/random.ts";
import { ascending, type Clock, MIN_GAPS, maximum, measureSeries, orderByTimes, orderInTime, rankTimes } from "./chronology.ts";
import type { Digests } from "./digests.ts";
import { renumber } from "./groups.ts";
import { findOverlap, type Overlap } from "./overlap.ts";
import type { SharingFacts, SplitReason, WindowFacts } from "./reason.ts";
import type { SeriesOffsets } from "./series-offsets.ts";

export type SplitMethod = "auto" | "random" | "time" | "group";
/** What a split turned out to be by. */
export type SplitBy = Exclude<SplitMethod, "auto">;

export interface SplitInput {
  /** (N,T,F), every sequence with a valid row; not looked at where `digests` stand for them. */
  readonly values: Float64Array;
  readonly digests?: Pick<Digests, "overlap" | "content">;
  /** (N) 0 or 1, or soft: then a part gets its share of what is nearer to either. */
  readonly labels: ArrayLike<number>;
  readonly shape: Shape;
  readonly padding: Padding;
  /**
   * `auto`: by group when groups are given; by time when the sequences are windows of long series; whole series into one part
   * when they are short; else at random. `time` takes the file's order where shared rows do not tell it.
   */
  readonly method: SplitMethod;
  /** How many steps after a sequence's last row its label is known. */
  readonly horizon: number;
  /** (N) what must stay in one part. */
  readonly groups?: Int32Array;
  /** Where windows lie in their series, if that is known: nothing has to be found out from rows then. */
  readonly timeline?: Timeline;
  /** The column whose times the sequences' order follows; left out where the order is the file's. */
  readonly orderedBy?: string;
  /** The data bring their own test part: none is cut off here. */
  readonly hasTest: boolean;
  /** And their own validation part. */
  readonly hasValidation?: boolean;
  readonly random: Random;
}

/** Parts that a series must outlast before it is cut: training, validation, calibration and test, with a gap each. */
const PARTS = 4;

/** What the way of splitting is chosen by. */
export interface Situation {
  readonly overlap: Overlap;
  /** What must stay in one part, or undefined. */
  readonly groups: Int32Array | undefined;
  /** Starts closer than this share a row, or the row of a label. Steps. */
  readonly gap: number;
  /** Of each series, its different starts and its steps from the first start to the last. */
  readonly extent: { readonly starts: Int32Array; readonly steps: Int32Array };
  /** The share of the smallest part. */
  readonly smallestShare: number;
}

/** What is found about the sequences before they are split into parts of which the smallest is `smallestShare` of all. */
export function examine(input: SplitInput, smallestShare: number): Situation {
  const { values, digests, shape, padding, method, horizon, timeline, groups } = input;
  const overlap = timeline ? overlapOf(timeline) : (digests?.overlap ?? findOverlap(values, shape, padding));
  return {
    overlap,
    groups: groups ?? (timeline && method === "group" ? overlap.component : undefined),
    gap: shape.timesteps - 1 + horizon,
    extent: measureSeries(overlap),
    smallestShare,
  };
}

/** By what the sequences are split. Throws UsageError when groups are asked for but not given. */
export function chooseMethod({ method, timeline }: SplitInput, situation: Situation): SplitBy {
  const { groups, gap, extent } = situation;
  if (method === "group" && groups === undefined) throw new UsageError("a split by group needs to know the groups: name them with --group");
  if (method !== "auto") return method;
  if (groups !== undefined) return "group";
  // Where times are known all series are cut at the same moments, if it costs them little: what comes later is what will be scored.
  const meanSteps = extent.steps.reduce((sum, steps) => sum + steps, 0) / extent.steps.length;
  const isLong = hasLargeSeries(situation) || (timeline?.time != null && meanSteps >= MIN_GAPS * gap);
  return isLong ? "time" : "random";
}

/** A series that the smallest part could not hold is cut, unless it is hardly longer than the gaps and would be lost by cutting. */
function hasLargeSeries({ overlap, extent, smallestShare, gap }: Situation): boolean {
  const largest = extent.starts.indexOf(maximum(extent.starts));
  const smallestPart = smallestShare * extent.starts.reduce((sum, starts) => sum + starts, 0);
  return overlap.finding === "series" && extent.starts[largest] > smallestPart && extent.steps[largest] > PARTS * gap;
}

/** All sequences in the order of time, and every clock on which parts must keep apart. */
export interface Chronology {
  readonly order: Int32Array;
  readonly clocks: readonly Clock[];
}

/** Reads the order of time off times, shared rows, or the file. */
export function readTime({ timeline }: SplitInput, { overlap, gap, extent }: Situation): Chronology {
  const N = overlap.copy.length;
  const times = timeline?.time ?? null;
  const isSeries = overlap.finding === "series";
  const inFileOrder: Clock = { series: new Int32Array(N), time: ascending(N) };
  const clocks: Clock[] = [];
  if (overlap.finding !== "coincidence") clocks.push({ series: overlap.component, time: overlap.offset });
  if (!isSeries) clocks.push(inFileOrder);
  if (times) {
    const ranks = rankTimes(times);
    // Series that tick together: what happens to all at once must not be on both sides of a cut either.
    if (overlap.components > 1 && maximum(ranks) < 2 * maximum(extent.steps))
      clocks.push({ series: new Int32Array(N), time: scaleRanks(ranks, extent.steps) });
  }
  return { order: times ? orderByTimes(overlap, times) : isSeries ? orderInTime(overlap, gap) : ascending(N), clocks };
}

/** Why a split by time is one, for which `dropped` sequences are left out. */
export function explainTime({ timeline, orderedBy }: SplitInput, { overlap, gap }: Situation, dropped: number): SplitReason {
  const cut = { gap, dropped };
  if (overlap.finding !== "series") return { code: "file-order", ...(orderedBy !== undefined && { time: orderedBy }), ...cut };
  if (timeline?.time) return { code: "window-times", ...windowFacts(overlap), ...cut };
  if (timeline) return { code: "window-order", ...windowFacts(overlap), ...cut };
  return { code: "shared-rows-order", ...sharingFacts(overlap), ...cut };
}

/** What must stay in one part where the split is not by time: (N) numbers of whole groups, whole series, or sequences with their copies. */
export function findWholes({ method }: SplitInput, { overlap, groups }: Situation): { readonly by: SplitBy; readonly whole: Int32Array } {
  if (groups !== undefined && method !== "random") return { by: "group", whole: renumber(groups) };
  if (method === "auto" && overlap.finding === "series") return { by: "group", whole: overlap.component };
  return { by: "random", whole: overlap.copy };
}

/** Why a split is not by time, of which `crossesParts` sequences share rows with another part. */
export function explainWhole({ method, timeline }: SplitInput, { overlap, groups }: Situation, crossesParts: number): SplitReason {
  const N = overlap.copy.length;
  const copies = N - overlap.distinct;
  const isGrouped = groups !== undefined && method !== "random";
  const isSeries = method === "auto" && overlap.finding === "series";
  if (isGrouped && timeline) return { code: "window-series-asked", ...windowFacts(overlap) };
  if (isGrouped) return { code: "groups", groups: maximum(renumber(groups)) + 1, sequences: N, crossesParts };
  if (method === "random") return { code: "random-asked", copies, sequences: N, crossesParts };
  if (isSeries && timeline) return { code: "window-series", ...windowFacts(overlap) };
  if (isSeries) return { code: "shared-rows-series", ...sharingFacts(overlap) };
  if (overlap.finding === "none") return { code: "no-shared-rows", copies };
  return { code: "coincidence", contradictions: overlap.contradictions, copies };
}

/** What rows would show, from where windows are known to lie. */
function overlapOf({ series, start }: Timeline): Overlap {
  const N = series.length;
  const component = renumber(series);
  return {
    finding: "series",
    contradictions: 0,
    copy: ascending(N),
    distinct: N,
    component,
    components: maximum(component) + 1,
    offset: start,
  };
}

/** Ranks in steps: with a stride, there are fewer moments than steps. */
function scaleRanks(ranks: Int32Array, steps: Int32Array): Int32Array {
  const scale = maximum(steps) / (maximum(ranks) + 1);
  return ranks.map((rank) => Math.floor(rank * scale));
}

function windowFacts({ component, components }: SeriesOffsets): WindowFacts {
  return { windows: component.length, series: components };
}

function sharingFacts({ component, components }: SeriesOffsets): SharingFacts {
  const sizes = new Int32Array(components);
  for (const c of component) sizes[c]++;
  const series = sizes.filter((size) => size > 1);
  const sharing = series.reduce((sum, size) => sum + size, 0);
  return { sequences: component.length, sharing, series: series.length, longest: maximum(series) };
}
