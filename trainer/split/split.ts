// Splits a data set into training, validation, calibration and test so that no part has seen another's rows.
// Knows rows, labels and where windows lie in time: no files, no recipe, no model.
// Legend: N sequences, T steps, F features.
import { FitError, UsageError } from "../../shared/errors.ts";
import type { Padding, Shape } from "../../shared/sequence.ts";
import type { Timeline as WindowTimeline } from "../readers/batch.ts";
import type { Random } from "../statistics/random.ts";
import { ascending, type Clock, cutByTime, MIN_GAPS, maximum, measureSeries, orderByTimes, orderInTime, rankTimes } from "./chronology.ts";
import { findOverlap, type Overlap } from "./overlap.ts";
import type { Timeline } from "./row-links.ts";

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
  readonly timeline?: WindowTimeline;
  /** The data bring their own test part: none is cut off here. */
  readonly hasTest: boolean;
  readonly random: Random;
}

/** Indices of sequences: ascending, by time in the order of time. */
export interface Split {
  readonly by: "time" | "random" | "group";
  /** One sentence with its numbers. */
  readonly reason: string;
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly calibration: Int32Array;
  readonly test: Int32Array;
  /** Sequences that share rows, not by coincidence, with one in another part: what asking for another split than `auto` may bring. */
  readonly straying: number;
  /** Sequences left out to keep a gap between parts. */
  readonly dropped: number;
  /** Who shares rows with whom, as it was found. */
  readonly overlap: Overlap;
}

const PARTS = ["train", "validation", "calibration", "test"] as const;

/** Throws FitError when a part would be empty, UsageError when groups are asked for but not given. */
export function splitDataset(input: SplitInput): Split {
  const { values, labels, shape, padding, method, horizon, hasTest, random, timeline } = input;
  const N = labels.length;
  const shares = chooseShares(N, hasTest);
  const overlap = timeline ? knownOverlap(timeline) : findOverlap(values, shape, padding);
  const groups = input.groups ?? (timeline && method === "group" ? overlap.component : undefined);
  if (method === "group" && groups === undefined) throw new UsageError("a split by group needs to know the groups: name them with --group");

  const gap = shape.timesteps - 1 + horizon;
  const extent = measureSeries(overlap);
  const largest = extent.starts.indexOf(maximum(extent.starts));
  // A series that the smallest part could not hold is cut, unless it is hardly longer than the gaps and would be lost by cutting.
  const smallestPart = Math.min(...shares.filter((share) => share > 0)) * extent.starts.reduce((sum, starts) => sum + starts, 0);
  const isLarge = overlap.finding === "series" && extent.starts[largest] > smallestPart && extent.steps[largest] > PARTS.length * gap;
  // Where times are known all series are cut at the same moments, if it costs them little: what comes later is what will be scored.
  const meanSteps = extent.steps.reduce((sum, steps) => sum + steps, 0) / extent.steps.length;
  const isLong = isLarge || (timeline?.time != null && meanSteps >= MIN_GAPS * gap);
  const by = method !== "auto" ? method : groups !== undefined ? "group" : isLong ? "time" : "random";

  if (by === "time") {
    const clocks: Clock[] = [];
    if (overlap.finding !== "coincidence") clocks.push({ series: overlap.component, time: overlap.offset });
    if (overlap.finding !== "series") clocks.push({ series: new Int32Array(N), time: ascending(N) });
    const times = timeline?.time ?? null;
    const order = times ? orderByTimes(overlap, times) : overlap.finding === "series" ? orderInTime(overlap, gap) : ascending(N);
    if (times) {
      const ranks = rankTimes(times);
      // Series that tick together: what happens to all at once must not be on both sides of a cut either.
      if (overlap.components > 1 && maximum(ranks) < 2 * maximum(extent.steps))
        clocks.push({ series: new Int32Array(N), time: scaleRanks(ranks, extent.steps) });
    }
    const { part, dropped } = cutByTime(order, clocks, gap, shares);
    return collect("time", order, part, { dropped }, hasTest, overlap, () => {
      const cut = `with a gap of ${gap} steps, which leaves out ${count(dropped)}`;
      if (overlap.finding !== "series") return `as asked, in the order of the file, ${cut}`;
      if (times) return `${describeWindows(overlap)}, in the order of their last rows' times, ${cut}`;
      return `${timeline ? describeWindows(overlap) : describeSharing(overlap)}, so in the order of time that these rows give, ${cut}`;
    });
  }

  const isGrouped = by === "group" && groups !== undefined;
  const isSeries = method === "auto" && overlap.finding === "series";
  const whole = isGrouped ? renumber(groups) : isSeries ? overlap.component : overlap.copy;
  const part = assignWhole(whole, labels, shares, random);
  const straying = overlap.finding === "coincidence" ? 0 : countStraying(overlap.component, part);
  return collect(isGrouped || isSeries ? "group" : "random", ascending(N), part, { straying }, hasTest, overlap, () => {
    const copies = N - overlap.distinct;
    const kept = isGrouped || copies === 0 ? "" : `, exact copies (${count(copies)}) with their originals`;
    const warning =
      straying === 0 ? "" : `; but ${count(straying)} of ${count(N)} sequences share rows with another part, which flatters the scores`;
    if (isGrouped && timeline) return `as asked, ${describeWindows(overlap)}, each series in one part`;
    if (isGrouped) return `as asked, ${count(maximum(whole) + 1)} groups, each in one part${warning}`;
    if (method === "random") return `as asked, at random, stratified by label${kept}${warning}`;
    if (isSeries) return `${timeline ? describeWindows(overlap) : describeSharing(overlap)}, so each series is in one part`;
    if (overlap.finding === "none") return `no row is in two different sequences, so at random, stratified by label${kept}`;
    const share = Math.round(100 * overlap.contradictions);
    return `rows recur by coincidence (what surrounds them differs for ${share} % of them), so at random, stratified by label${kept}`;
  });
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

/**
 * Puts whole groups into parts, the largest first, each where it is missed most: the part whose two label counts lack most of
 * their share. Groups of one thus come out stratified to within one sequence. Returns each sequence's part.
 */
function assignWhole(group: Int32Array, labels: ArrayLike<number>, shares: number[], random: Random): Int8Array {
  const groups = maximum(group) + 1;
  const counts = new Int32Array(2 * groups); // (groups,2) by label
  const totals = [0, 0];
  for (let n = 0; n < group.length; n++) {
    counts[2 * group[n] + labels[n]]++;
    totals[labels[n]]++;
  }
  const size = (g: number): number => counts[2 * g] + counts[2 * g + 1];
  const order = ascending(groups);
  random.shuffle(order);
  order.sort((a, b) => size(b) - size(a)); // stable
  const lacking = shares.map((share) => totals.map((total) => share * total));
  const partOf = new Int8Array(groups);
  for (const g of order) {
    let best = 0;
    let bestGain = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < shares.length; k++) {
      if (shares[k] === 0) continue;
      let gain = 0;
      for (let y = 0; y < 2; y++) if (totals[y] > 0) gain += (counts[2 * g + y] / totals[y]) * (lacking[k][y] / totals[y]);
      if (gain > bestGain) [best, bestGain] = [k, gain];
    }
    partOf[g] = best;
    for (let y = 0; y < 2; y++) lacking[best][y] -= counts[2 * g + y];
  }
  return Int8Array.from(group, (g) => partOf[g]);
}

function collect(
  by: Split["by"],
  order: Int32Array,
  part: Int8Array,
  { dropped = 0, straying = 0 },
  hasTest: boolean,
  overlap: Overlap,
  reason: () => string,
): Split {
  const [train, validation, calibration, test] = PARTS.map((_, k) => order.filter((n) => part[n] === k));
  const parts = { train, validation, calibration, test };
  for (const name of PARTS)
    if (parts[name].length === 0 && name !== "calibration" && !(name === "test" && hasTest))
      throw new FitError(
        `a split by ${by} of ${count(order.length)} sequences leaves the ${name} part empty (${reason()}): give more data, or another --split`,
      );
  return { by, reason: reason(), ...parts, straying, dropped, overlap };
}

/** Sequences whose series (or group) is in more than one part. */
function countStraying(series: Int32Array, part: Int8Array): number {
  const parts = new Uint8Array(maximum(series) + 1);
  for (let n = 0; n < series.length; n++) parts[series[n]] |= 1 << part[n];
  return series.reduce((sum, s) => sum + ((parts[s] & (parts[s] - 1)) !== 0 ? 1 : 0), 0);
}

/** What rows would show, from what is known. */
function knownOverlap({ series, start }: WindowTimeline): Overlap {
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

function describeWindows({ component, components }: Timeline): string {
  return `${count(component.length)} windows of ${components === 1 ? "one" : count(components)} series`;
}

function describeSharing({ component, components }: Timeline): string {
  const sizes = new Int32Array(components);
  for (const c of component) sizes[c]++;
  const series = sizes.filter((size) => size > 1);
  const sharing = series.reduce((sum, size) => sum + size, 0);
  const where = series.length === 1 ? "one series" : `${count(series.length)} series of up to ${count(maximum(series))}`;
  return `${count(sharing)} of ${count(component.length)} sequences share rows, in ${where}`;
}

/** Any numbers to 0 … distinct − 1. */
function renumber(groups: Int32Array): Int32Array {
  const numbers = new Map<number, number>();
  for (const group of groups) if (!numbers.has(group)) numbers.set(group, numbers.size);
  return groups.map((group) => numbers.get(group)!);
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}
