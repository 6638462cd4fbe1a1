// Splits a data set into training, validation, calibration and test so that no part has seen another's rows.
// Knows rows, labels and where windows lie in time: no files, no recipe, no model.
// Legend: N sequences, T steps, F features.
import { FitError } from "../../shared/errors.ts";
import { ascending, cutByTime } from "./chronology.ts";
import { assignGroups, countCrossing } from "./groups.ts";
import type { Overlap } from "./overlap.ts";
import { describeReason, type SplitReason } from "./reason.ts";
import {
  chooseMethod,
  examine,
  explainTime,
  explainWhole,
  findWholes,
  readTime,
  type Situation,
  type SplitBy,
  type SplitInput,
} from "./situation.ts";

export type { SplitBy, SplitInput, SplitMethod } from "./situation.ts";

/** Indices of sequences: ascending, by time in the order of time. */
export interface Split {
  readonly by: SplitBy;
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
  const shares = chooseShares(input.labels.length, input.hasTest, input.hasValidation);
  const situation = examine(input, Math.min(...shares.filter((share) => share > 0)));
  const isByTime = chooseMethod(input, situation) === "time";
  const assignment = isByTime ? splitByTime(input, situation, shares) : splitWhole(input, situation, shares);
  return collectParts(assignment, input, situation.overlap);
}

/** Parts that follow each other in time, with a gap between them. */
function splitByTime(input: SplitInput, situation: Situation, shares: readonly number[]): Assignment {
  const { gap } = situation;
  const { order, clocks } = readTime(input, situation);
  const { part, dropped } = cutByTime(order, clocks, gap, shares);
  return { by: "time", reason: explainTime(input, situation, dropped), order, part, crossesParts: 0, dropped };
}

/** Whole groups, whole series or single sequences with their copies into parts. */
function splitWhole(input: SplitInput, situation: Situation, shares: readonly number[]): Assignment {
  const { overlap } = situation;
  const { by, whole } = findWholes(input, situation);
  const part = assignGroups(whole, input.labels, shares, input.random);
  const crossesParts = overlap.finding === "coincidence" ? 0 : countCrossing(overlap.component, part);
  return { by, reason: explainWhole(input, situation, crossesParts), order: ascending(part.length), part, crossesParts, dropped: 0 };
}

/** The parts' lists. Throws FitError where a part that is needed is empty. */
function collectParts({ order, part, ...assignment }: Assignment, { hasTest, hasValidation }: SplitInput, overlap: Overlap): Split {
  const [train, validation, calibration, test] = PARTS.map((_, k) => order.filter((n) => part[n] === k));
  const parts = { train, validation, calibration, test };
  for (const name of PARTS)
    if (parts[name].length === 0 && name !== "calibration" && !(name === "test" && hasTest) && !(name === "validation" && hasValidation))
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
function chooseShares(N: number, hasTest: boolean, hasValidation = false): number[] {
  const isLarge = N >= 20_000;
  const test = hasTest ? 0 : isLarge ? 0.1 : 0.15;
  const validation = hasValidation ? 0 : isLarge ? Math.min(0.1, Math.max(0.05, 3500 / N)) : 0.1;
  const calibration = N < 2000 ? 0 : Math.min(0.1, Math.max(isLarge ? 0.02 : 0.05, 1000 / N));
  return [1 - validation - calibration - test, validation, calibration, test];
}
