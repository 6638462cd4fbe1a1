// Missing numbers as ONNX nodes: the last observed value carried forward, how many rows ago that was, and which rows lack a number that
// a channel looks at. No loop: a running maximum of row numbers says which row was the last.
// Legend: N sequences, T steps, F features.
import { type Base, secondFeature, tellsOfGaps } from "../../../shared/recipe/channel.ts";
import type { Builder } from "./builder.ts";
import { int } from "./graph.ts";
import { INT64 } from "./schema.ts";

/** Rows without gaps, and what is known of the gaps they had. */
export interface FilledRows {
  /** (N,T,F) */
  readonly rows: string;
  /** (N,T,F) with medians in all gaps */
  readonly medians: string;
  /** (N,T,F) float64 as the base sinceObserved counts */
  readonly since: string;
}

/** Left-aligned `rows` (N,T,F), NaN where a number is missing, with `fill` (F) before a feature's first observed value. */
export function fillGaps(build: Builder, rows: string, fill: Float64Array, T: number): FilledRows {
  const { op, number, zero, doubles } = build;
  const steps = rowNumbers(build, T);
  const isGap = op("IsNaN", [rows]);
  const medians = doubles(fill, [1, 1, fill.length]);
  const last = latest(build, op("Where", [isGap, zero, steps]), T);
  const isSeen = op("Greater", [last, zero]);
  const carried = rowAt(build, rows, op("Sub", [last, number(1)]));
  return {
    rows: op("Where", [isSeen, carried, medians]),
    medians: op("Where", [isGap, medians, rows]),
    since: op("Sub", [steps, last]), // before the first the sequence's beginning counts, as row 0
  };
}

/** (N,T,1) bool: whether a number that `base` looks at is missing, by `since` (N,T,F); undefined where none can be. */
export function lackingOf({ op, indices, zero }: Builder, base: Base, since: string | undefined): string | undefined {
  if (since === undefined || tellsOfGaps(base)) return undefined;
  const isGap = (f: number): string => op("Greater", [op("Gather", [since, indices(f)], [int("axis", 2)]), zero]);
  const b = secondFeature(base);
  return b === undefined ? isGap(base.a) : op("Or", [isGap(base.a), isGap(b)]);
}

/** (1,T,1) 1 … T */
export function rowNumbers({ doubles }: Builder, T: number): string {
  return doubles(
    Array.from({ length: T }, (_, t) => t + 1),
    [1, T, 1],
  );
}

/** The running maximum of `input` (N,T,·) along T: each row and the one before, then those and the two before, and so on. */
export function latest({ op, slice }: Builder, input: string, T: number): string {
  let x = input;
  for (let step = 1; step < T; step *= 2) {
    const before = op("Concat", [slice(x, 0, step), slice(x, 0, T - step)], [int("axis", 1)]); // the first rows are their own
    x = op("Max", [x, before]);
  }
  return x;
}

/** `input` (N,T,·) at rows `at`, from 0, of the same shape; row 0 for what is below. */
export function rowAt({ op, cast, zero }: Builder, input: string, at: string): string {
  return op("GatherElements", [input, cast(op("Max", [at, zero]), INT64)], [int("axis", 1)]);
}
