// Splits a data set into training, validation, calibration and test so that no part has seen another's rows.
// Knows rows, labels and where windows lie in time: no files, no recipe, no model.
// Legend: N sequences, T steps, F features.
import { FitError, UsageError } from "../../shared/errors.ts";
import type { Padding, Shape } from "../../shared/sequence.ts";
import type { Timeline } from "../readers/batch.ts";
import type { Random } from "../statistics/random.ts";
import { ascending, type Clock, cutByTime, MIN_GAPS, maximum, measureSeries, orderByTimes, orderInTime, rankTimes } from "./chronology.ts";
import { assignGroups, countCrossing, renumber } from "./groups.ts";
import { findOverlap, type Overlap } from "./overlap.ts";
import { describeReason, type SharingFacts, type SplitReason, type WindowFacts } from "./reason.ts";
import type { SeriesOffsets } from "./series-offsets.ts";

export type SplitMethod = "auto" | "random" | "time" | "group";

export interface SplitInput {
  /** (N,T,F), every sequence with a valid row. */
  readonly values: Float64Array;
  /** (N) 0 or 1 */
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
  readonly random: Random;
}

/** Indices of sequences: ascending, by time in the order of time. */
export interface Split {
  readonly by: "time" | "random" | "group";
  /** Facts; describeSplit makes the sentence. */
  readonly reason: SplitReason;
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly calibration: Int32Array;
  readonly test: Int32Array;
  /** Sequences that share rows, not by coincidence, with one in another part: what asking for another split than `auto` may bring. */
  readonly crossesParts: number;
  /** Sequences left out to keep a gap between parts. */
  readonly dropped: number;
  /** Who shares rows with whom, as it was found. */
  readonly overlap: Overlap;
}

const PARTS = ["train", "validation", "calibration", "test"] as const;

/** What the way of splitting is chosen by. */
interface Situation {
  readonly overlap: Overlap;
  /** What must stay in one part, or undefined. */
  readonly groups: Int32Array | undefined;
  /** Starts closer than this share a row, or the row of a label. Steps. */
  readonly gap: number;
  /** Of each series, its different starts and its steps from the first start to the last. */
  readonly extent: { readonly starts: Int32Array; readonly steps: Int32Array };
  /** Of the parts, in their order. They sum to 1. */
  readonly shares: readonly number[];
}

/** Where each sequence goes, before it is checked that no part is empty. */
interface Assignment {
  readonly by: Split["by"];
  readonly reason: SplitReason;
  /** All sequences, in the order in which parts list them. */
  readonly order: Int32Array;
  /** (N) number of the part, DROPPED where left out. */
  readonly part: Int8Array;
  readonly crossesParts: number;
  readonly dropped: number;
}

/** Throws FitError when a part would be empty, UsageError when groups are asked for but not given. */
export function splitDataset(input: SplitInput): Split {
  const situation = examine(input);
  const assignment = chooseMethod(input, situation) === "time" ? splitByTime(input, situation) : splitWhole(input, situation);
  return collectParts(assignment, input.hasTest, situation.overlap);
}

function examine({ values, labels, shape, padding, method, horizon, hasTest, timeline, groups }: SplitInput): Situation {
  const overlap = timeline ? overlapOf(timeline) : findOverlap(values, shape, padding);
  return {
    overlap,
    groups: groups ?? (timeline && method === "group" ? overlap.component : undefined),
    gap: shape.timesteps - 1 + horizon,
    extent: measureSeries(overlap),
    shares: chooseShares(labels.length, hasTest),
  };
}

function chooseMethod({ method, timeline }: SplitInput, situation: Situation): Split["by"] {
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
function hasLargeSeries({ overlap, extent, shares, gap }: Situation): boolean {
  const largest = extent.starts.indexOf(maximum(extent.starts));
  const smallestPart = Math.min(...shares.filter((share) => share > 0)) * extent.starts.reduce((sum, starts) => sum + starts, 0);
  return overlap.finding === "series" && extent.starts[largest] > smallestPart && extent.steps[largest] > PARTS.length * gap;
}

/** Parts that follow each other in time, with a gap between them. */
function splitByTime({ timeline, orderedBy }: SplitInput, { overlap, gap, extent, shares }: Situation): Assignment {
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
  const order = times ? orderByTimes(overlap, times) : isSeries ? orderInTime(overlap, gap) : ascending(N);
  const { part, dropped } = cutByTime(order, clocks, gap, shares);
  const cut = { gap, dropped };
  const reason: SplitReason = !isSeries
    ? { code: "file-order", ...(orderedBy !== undefined && { time: orderedBy }), ...cut }
    : times
      ? { code: "window-times", ...windowFacts(overlap), ...cut }
      : timeline
        ? { code: "window-order", ...windowFacts(overlap), ...cut }
        : { code: "shared-rows-order", ...sharingFacts(overlap), ...cut };
  return { by: "time", reason, order, part, crossesParts: 0, dropped };
}

/** Whole groups, whole series or single sequences with their copies into parts. */
function splitWhole(input: SplitInput, { overlap, groups, shares }: Situation): Assignment {
  const { method, labels, random, timeline } = input;
  const isGrouped = groups !== undefined && method !== "random";
  const isSeries = method === "auto" && overlap.finding === "series";
  const whole = isGrouped ? renumber(groups) : isSeries ? overlap.component : overlap.copy;
  const part = assignGroups(whole, labels, shares, random);
  const N = part.length;
  const copies = N - overlap.distinct;
  const crossesParts = overlap.finding === "coincidence" ? 0 : countCrossing(overlap.component, part);
  const reason = (): SplitReason => {
    if (isGrouped && timeline) return { code: "window-series-asked", ...windowFacts(overlap) };
    if (isGrouped) return { code: "groups", groups: maximum(whole) + 1, sequences: N, crossesParts };
    if (method === "random") return { code: "random-asked", copies, sequences: N, crossesParts };
    if (isSeries && timeline) return { code: "window-series", ...windowFacts(overlap) };
    if (isSeries) return { code: "shared-rows-series", ...sharingFacts(overlap) };
    if (overlap.finding === "none") return { code: "no-shared-rows", copies };
    return { code: "coincidence", contradictions: overlap.contradictions, copies };
  };
  return { by: isGrouped || isSeries ? "group" : "random", reason: reason(), order: ascending(N), part, crossesParts, dropped: 0 };
}

/** The parts' lists. Throws FitError where a part that is needed is empty. */
function collectParts({ order, part, ...assignment }: Assignment, hasTest: boolean, overlap: Overlap): Split {
  const [train, validation, calibration, test] = PARTS.map((_, k) => order.filter((n) => part[n] === k));
  const parts = { train, validation, calibration, test };
  for (const name of PARTS)
    if (parts[name].length === 0 && name !== "calibration" && !(name === "test" && hasTest))
      throw new FitError(
        `a split by ${assignment.by} of ${order.length.toLocaleString("en-US")} sequences leaves the ${name} part empty (${describeReason(assignment.reason)}): give more data, or another --split`,
      );
  return { ...assignment, ...parts, overlap };
}

/**
 * Test 15 %, validation 10 %: at 5,000 sequences the standard errors of their log losses are about 0.015 and 0.02. From 20,000 on
 * precision comes with numbers, and what is learnt is limited by the training part: test 10 %, validation 5 % but 3,500 where that
 * is at most 10 %. Calibration fits two numbers and needs a count, not a share: 2 %, but 1,000 (from there both are fitted) where
 * that is at most 10 %. Below 2,000 sequences even 10 % would be too few to calibrate with (200): the part is empty and training
 * keeps them.
 */
function chooseShares(N: number, hasTest: boolean): number[] {
  const isLarge = N >= 20_000;
  const test = hasTest ? 0 : isLarge ? 0.1 : 0.15;
  const validation = isLarge ? Math.min(0.1, Math.max(0.05, 3500 / N)) : 0.1;
  const calibration = N < 2000 ? 0 : Math.min(0.1, Math.max(isLarge ? 0.02 : 0.05, 1000 / N));
  return [1 - validation - calibration - test, validation, calibration, test];
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
