// What of the data can be worked with at all: labels and numbers as they came, counted where they are no good.
// Legend: N sequences, T steps, F features.
import type { Shape } from "../../shared/sequence.ts";
import { lengthsOf, take } from "../data/sequences.ts";
import type { Cause, DiagnosisData } from "./diagnose.ts";

export interface Usable {
  /** (N,T,F) finite, no sequence without a row that holds something */
  readonly values: Float64Array;
  /** (N) 0 or 1 */
  readonly labels: Uint8Array;
}

/** Fewer sequences, or fewer of one label, cannot carry a held-out comparison. */
const ENOUGH = 100;
const ENOUGH_OF_A_LABEL = 20;

/** The sequences that can be worked with, and what stands in the way of all work: each a fact with its first place. */
export function findUsable(data: DiagnosisData): { usable: Usable; causes: Cause[]; notes: string[]; canWork: boolean } {
  const { values, shape } = data;
  const size = shape.timesteps * shape.features;
  const N = values.length / size;
  const causes: Cause[] = [];
  const notes: string[] = [];
  const labels = data.labels ?? new Uint8Array(0);

  const isWhole = new Uint8Array(N).fill(1);
  let [broken, first] = [0, -1];
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    if (first < 0) first = i;
    broken++;
    isWhole[Math.floor(i / size)] = 0;
  }
  if (broken > 0) {
    const sequences = N - isWhole.reduce((sum, finite) => sum + finite, 0);
    causes.push({
      code: "non-finite",
      certainty: "fact",
      evidence: `${broken} of ${values.length} numbers are NaN or infinite, in ${sequences} of ${N} sequences, first ${place(first, shape)} (${values[first]}): one of them in a batch makes the loss and every weight NaN`,
      remedy: "fill the gaps from the row before, or leave those sequences out: X = X[np.isfinite(X).all(axis=(1, 2))]",
    });
  }

  const isLabel = (n: number): boolean => labels[n] === 0 || labels[n] === 1;
  const invalid = Array.from({ length: N }, (_, n) => n).filter((n) => !isLabel(n));
  if (data.labels === null)
    causes.push({
      code: "labels-invalid",
      certainty: "fact",
      evidence: "the file holds no labels",
      remedy: "give them in a file with --labels, as an array y or as a column named label",
    });
  else if (invalid.length > 0) {
    const kinds = [...new Set(invalid.map((n) => labels[n]))].sort((a, b) => a - b);
    causes.push({
      code: "labels-invalid",
      certainty: "fact",
      evidence: `${invalid.length} of ${N} labels are neither 0 nor 1, first y[${invalid[0]}] = ${labels[invalid[0]]} (values ${kinds.slice(0, 5).join(", ")}${kinds.length > 5 ? ", …" : ""}): binary cross-entropy has no lowest point for them`,
      remedy: describeMapping(labels, N),
    });
  }

  const lengths = lengthsOf(values, shape, "leading");
  const kept = Int32Array.from({ length: N }, (_, n) => n).filter((n) => isWhole[n] === 1 && isLabel(n) && lengths[n] > 0);
  const empty = lengths.reduce((sum, length) => sum + (length === 0 ? 1 : 0), 0);
  if (empty > 0) notes.push(`${empty} sequences are nothing but zeros and are left out`);
  const usable = { values: kept.length === N ? values : take(values, kept, size), labels: Uint8Array.from(kept, (n) => labels[n]) };
  const positives = usable.labels.reduce((sum, label) => sum + label, 0);
  const rarer = Math.min(positives, kept.length - positives);
  const isEnough = kept.length >= ENOUGH && rarer >= ENOUGH_OF_A_LABEL;
  // Where numbers or labels are no good, what is left of them says nothing more.
  if (causes.length > 0) return { usable, causes, notes, canWork: isEnough };
  if (kept.length > 0 && rarer === 0)
    causes.push({
      code: "one-class",
      certainty: "fact",
      evidence: `all ${kept.length} usable labels are ${positives === 0 ? 0 : 1}: the loss falls to 0 by answering that, and nothing is learnt`,
      remedy: "look at how the labels were made; both kinds are needed",
    });
  else if (!isEnough)
    causes.push({
      code: "too-few",
      certainty: "fact",
      evidence: `${kept.length} usable sequences, ${rarer} of the rarer label: the standard error of a loss held out on a fifth of them is about ${(1.2 / Math.sqrt(Math.max(1, kept.length / 5))).toFixed(2)} nats, more than most signals are worth`,
      remedy: `bring at least ${ENOUGH} sequences and ${ENOUGH_OF_A_LABEL} of each label, better some thousands`,
    });
  return { usable, causes, notes, canWork: isEnough };
}

function describeMapping(labels: ArrayLike<number>, N: number): string {
  const kinds = new Set(Array.from({ length: N }, (_, n) => labels[n]));
  if (kinds.size === 2 && [...kinds].every(Number.isFinite)) return `two values: map them, y = (y == ${Math.max(...kinds)}).astype(int)`;
  return "map the labels to 0 and 1, and leave out sequences without one";
}

/** `X[3][2][4]` */
function place(index: number, { timesteps: T, features: F }: Shape): string {
  return `X[${Math.floor(index / (T * F))}][${Math.floor(index / F) % T}][${index % F}]`;
}
