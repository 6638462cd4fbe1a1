// Results of `npm run field` as lines: one a set, then geometric means over sets and against each peer.
import type { MeanWithError } from "../../../trainer/statistics/descriptive.ts";
import type { FieldSet } from "./catalogue.ts";
import { geometricMean, lossRatio } from "./figures.ts";

/** One set's. */
export interface Result {
  readonly set: FieldSet;
  /** Sequences to train on. */
  readonly examples: number;
  readonly logLoss: number;
  readonly baseRateLogLoss: number;
  readonly auc: number | null;
  /** Null where the model separates the labels. */
  readonly slope: number | null;
  readonly seconds: number | null;
  /** At least one. */
  readonly peers: readonly Against[];
  /** The peer with the lowest loss on the other half of the test part. */
  readonly chosen: Against;
}

export interface Against {
  readonly name: string;
  readonly logLoss: number;
  /** Our loss less theirs. */
  readonly difference: MeanWithError;
}

/** Of the columns after the first: a set's, and the summary's. */
const SET_WIDTHS = [9, 8, 9, 5, 5, 13, 8, 6, 25, 7];
const SUMMARY_WIDTHS = [15, 6, 5, 15, 6, 5, 15, 6, 5];
/** Standard errors beyond which a difference is not taken for noise. */
const BEYOND = 2;

/** The heading of the sets' lines. */
export function printHeading(): void {
  const heading = ["set", "sequences", "log loss", "base rate", "AUC", "slope", "best peer", "its loss", "ratio", "difference", "seconds"];
  line(heading, SET_WIDTHS);
}

/** A set's line, or why there is none. */
export function printResult({ name }: FieldSet, result: Result | string): void {
  if (typeof result === "string") {
    console.log(`${name.padEnd(16)} ${result}`);
    return;
  }
  const best = bestOf(result);
  const { mean, standardError } = best.difference;
  const verdict = isBetter(best) ? " better" : isWorse(best) ? " worse" : "";
  line(
    [
      name,
      String(result.examples),
      result.logLoss.toFixed(4),
      result.baseRateLogLoss.toFixed(4),
      result.auc?.toFixed(3) ?? "–",
      result.slope?.toFixed(2) ?? "–",
      best.name,
      best.logLoss.toFixed(4),
      lossRatio(result.logLoss, best.logLoss).toFixed(3),
      `${mean >= 0 ? "+" : "−"}${Math.abs(mean).toFixed(4)} ± ${standardError.toFixed(4)}${verdict}`,
      result.seconds?.toFixed(0) ?? "kept",
    ],
    SET_WIDTHS,
  );
}

/** Geometric means of our loss over the best peer's, over that of one chosen on the other half of the test part, and over each peer's, and how often a difference is beyond noise. */
export function printSummary(results: readonly Result[]): void {
  const parts = [
    ["all sets", results],
    ["above 1,000", results.filter(({ set }) => set.isLarge)],
    ["up to 1,000", results.filter(({ set }) => !set.isLarge)],
  ] as const;
  console.log(`\nlog loss over theirs, geometric mean; sets better and worse beyond ${BEYOND} clustered standard errors`);
  console.log("the best of each: of the test part; one chosen: whoever is best on one half of the test part, judged on the other");
  const heading = parts.flatMap(([name, part]) => [`${name} (${part.length})`, "better", "worse"]);
  line(["peer", ...heading], SUMMARY_WIDTHS);
  const names = [...new Set(results.flatMap(({ peers }) => peers.map(({ name }) => name)))];
  const rows: [string, (result: Result) => Against | undefined][] = [
    ["the best of each", bestOf],
    ["one chosen", ({ chosen }) => chosen],
    ...names.map((name): [string, (result: Result) => Against | undefined] => [
      name,
      ({ peers }) => peers.find((peer) => peer.name === name),
    ]),
  ];
  for (const [name, choose] of rows) line([name, ...parts.flatMap(([, part]) => summarise(part, choose))], SUMMARY_WIDTHS);
}

/** Ratio, better and worse over some sets. */
function summarise(results: readonly Result[], choose: (result: Result) => Against | undefined): string[] {
  const pairs = results.flatMap((result) => {
    const against = choose(result);
    return against === undefined ? [] : [{ ratio: lossRatio(result.logLoss, against.logLoss), against }];
  });
  const count = (test: (against: Against) => boolean): string => String(pairs.filter(({ against }) => test(against)).length);
  return [pairs.length > 0 ? geometricMean(pairs.map(({ ratio }) => ratio)).toFixed(3) : "–", count(isBetter), count(isWorse)];
}

/** By its own test loss, which no one could have known: an oracle's choice. */
function bestOf({ peers }: Result): Against {
  return peers.reduce((best, peer) => (peer.logLoss < best.logLoss ? peer : best));
}

function isBetter({ difference: { mean, standardError } }: Against): boolean {
  return mean < -BEYOND * standardError;
}

function isWorse({ difference: { mean, standardError } }: Against): boolean {
  return mean > BEYOND * standardError;
}

/** Cells below each other: the first as wide as the longest name, the others as the headings ask. */
function line(cells: readonly string[], widths: readonly number[]): void {
  console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(17) : ` ${cell.padStart(widths[i - 1])}`)).join(""));
}
