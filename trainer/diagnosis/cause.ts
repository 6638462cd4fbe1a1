// What a diagnosis names: why a loss stays where it is. Knows neither how a cause is found nor how one is tested.

/** Codes of `diagnose --json`: they stay readable for ever. */
export const CAUSE_CODES = [
  "features-unscaled",
  "movement-tiny",
  "movement-hidden",
  "difference-hidden",
  "padding-unmasked",
  "columns-better",
  "gaps-hidden",
  "learning-rate-high",
  "learning-rate-low",
  "no-signal",
  "label-conflict",
  "leak",
  "drift-in-file",
  "redundant-feature",
  "constant-feature",
  "non-finite",
  "labels-invalid",
  "one-class",
  "too-few",
  "overfit",
  "undertrained",
] as const;
export type CauseCode = (typeof CAUSE_CODES)[number];

/** `proven` and `likely`: by experiments on held-out sequences. `fact`: by counting in the data. */
export type Certainty = "proven" | "likely" | "fact";

export interface Cause {
  readonly code: CauseCode;
  /** One sentence with its numbers. */
  readonly evidence: string;
  /** What to do about it; `remedy` in the JSON document. */
  readonly fix: string;
  readonly certainty: Certainty;
  /** Nats of held-out log loss that the cause costs: the larger of `added` and `removed` where there are any, else an estimate from the data. */
  readonly gain?: number;
  /** Nats that the fix alone gains on the baseline setup, and nats that the fixed setup loses without the fix. */
  readonly added?: number;
  readonly removed?: number;
}
