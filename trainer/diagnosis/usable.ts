// What of the data can be worked with at all: labels and numbers as they came, counted where they are invalid.
// Legend: N sequences, T steps, F features.
import type { Shape } from "../../shared/sequence.ts";
import { lengthsOf, take } from "../data/sequences.ts";
import type { BlockingFinding } from "./finding.ts";
import type { DiagnosisData } from "./input.ts";

export interface UsableData {
  /** (N,T,F) finite, or NaN where a number is missing; no sequence without a row that holds something, or without a number */
  readonly values: Float64Array;
  /** (N) 0 or 1 */
  readonly labels: Uint8Array;
  /** Sequences of nothing but zeros, which are left out. */
  readonly empty: number;
  readonly findings: readonly BlockingFinding[];
  /** Whether enough is left for held-out comparisons. */
  readonly isEnough: boolean;
}

/** Fewer sequences, or fewer of one label, cannot carry a held-out comparison. */
const ENOUGH = 100;
const ENOUGH_OF_A_LABEL = 20;

/** The sequences that can be worked with, and what is invalid in the others: each a finding with its first place. */
export function findUsable({ values, shape, labels: given }: DiagnosisData): UsableData {
  const size = shape.timesteps * shape.features;
  const N = values.length / size;
  const labels = given ?? new Uint8Array(0);
  const { isUsable, finding: nonFinite } = checkNumbers(values, shape);
  const invalidLabels = given === null ? ({ code: "labels-invalid", reason: "missing" } as const) : checkLabels(labels, N);
  const lengths = lengthsOf(values, shape, "leading");
  const kept = Int32Array.from({ length: N }, (_, n) => n).filter((n) => isUsable[n] === 1 && isLabel(labels[n]) && lengths[n] > 0);
  const usable = { values: kept.length === N ? values : take(values, kept, size), labels: Uint8Array.from(kept, (n) => labels[n]) };
  const positives = usable.labels.reduce((sum, label) => sum + label, 0);
  const rarer = Math.min(positives, kept.length - positives);
  const isEnough = kept.length >= ENOUGH && rarer >= ENOUGH_OF_A_LABEL;
  const invalid = [nonFinite, invalidLabels].filter((finding) => finding !== null);
  // Where numbers or labels are invalid, what is left of them says nothing more.
  const scarce = invalid.length > 0 || isEnough ? [] : [describeScarcity(kept.length, positives, rarer)];
  return {
    ...usable,
    empty: lengths.reduce((sum, length) => sum + (length === 0 ? 1 : 0), 0),
    findings: [...invalid, ...scarce],
    isEnough,
  };
}

/** (N) which sequences have no infinite number, and some number at all; and the finding where any number is missing or infinite. */
function checkNumbers(
  values: Float64Array,
  { timesteps: T, features: F }: Shape,
): { isUsable: Uint8Array; finding: BlockingFinding | null } {
  const size = T * F;
  const examples = values.length / size;
  const isUsable = new Uint8Array(examples).fill(1);
  let [missing, infinite, sequences, first] = [0, 0, 0, -1];
  for (let n = 0; n < examples; n++) {
    let [lacking, unbounded] = [0, 0];
    for (let i = n * size; i < (n + 1) * size; i++) {
      if (Number.isFinite(values[i])) continue;
      if (first < 0) first = i;
      if (Number.isNaN(values[i])) lacking++;
      else unbounded++;
    }
    missing += lacking;
    infinite += unbounded;
    if (lacking + unbounded > 0) sequences++;
    if (unbounded > 0 || lacking === size) isUsable[n] = 0;
  }
  if (sequences === 0) return { isUsable, finding: null };
  return {
    isUsable,
    finding: {
      code: "non-finite",
      numbers: missing + infinite,
      infinite,
      allNumbers: values.length,
      sequences,
      examples,
      first: { sequence: Math.floor(first / size), step: Math.floor(first / F) % T, feature: first % F, value: values[first] },
    },
  };
}

function isLabel(x: number): boolean {
  return x === 0 || x === 1;
}

/** Null where every label is 0 or 1. */
function checkLabels(labels: ArrayLike<number>, N: number): BlockingFinding | null {
  const all = Array.from({ length: N }, (_, n) => labels[n]);
  const invalid = all.filter((label) => !isLabel(label));
  if (invalid.length === 0) return null;
  const sequence = all.findIndex((label) => !isLabel(label));
  const distinct = new Set(all);
  return {
    code: "labels-invalid",
    reason: "values",
    invalid: invalid.length,
    examples: N,
    first: { sequence, value: labels[sequence] },
    values: [...new Set(invalid)].sort((a, b) => a - b),
    positive: distinct.size === 2 && [...distinct].every(Number.isFinite) ? Math.max(...distinct) : null,
  };
}

function describeScarcity(examples: number, positives: number, rarer: number): BlockingFinding {
  if (examples > 0 && rarer === 0) return { code: "one-class", examples, label: positives === 0 ? 0 : 1 };
  return { code: "too-few", reason: "count", examples, rarer, enough: ENOUGH, enoughOfALabel: ENOUGH_OF_A_LABEL };
}
