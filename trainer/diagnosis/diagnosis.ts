// What a diagnosis is, and its path: facts, is there anything to learn, what was tried, what cures it, and the proof.
// Knows no file and no terminal. Legend: N sequences, T steps, F features.
import type { Channels, Log, Plan } from "../../shared/recipe.ts";
import type { Shape } from "../../shared/sequence.ts";
import type { Stepper } from "../fit.ts";
import type { StepperOptions } from "../learn.ts";
import type { Tried } from "./tried.ts";

export const CAUSE_CODES = [
  "features-unscaled",
  "movement-tiny",
  "difference-hidden",
  "padding-unmasked",
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
export type Certainty = "proven" | "likely" | "fact";

export interface Cause {
  readonly code: CauseCode;
  /** One sentence with its numbers. */
  readonly evidence: string;
  readonly remedy: string;
  readonly certainty: Certainty;
  /** Nats of held-out log loss it moves: the larger of the two experiments where there were any, else an estimate from the data. */
  readonly gain?: number;
  /** Nats gained by adding its cure to what was tried, and lost by taking it out of the cured recipe. */
  readonly added?: number;
  readonly removed?: number;
}

/** What is diagnosed: as read leniently, so numbers may be non-finite and labels anything. */
export interface DiagnosisData {
  readonly source: string;
  /** (N,T,F) */
  readonly values: Float64Array;
  /** (N) as they stand in the file; null where there are none. */
  readonly labels: ArrayLike<number> | null;
  readonly shape: Shape;
  readonly features: readonly string[];
  readonly float32: boolean;
  readonly test: { readonly values: Float64Array; readonly labels: ArrayLike<number> } | null;
}

export interface DiagnosisOptions {
  readonly tried: Tried;
  readonly seed: number;
}

export interface DiagnosisHost {
  readonly log: Log;
  createStepper(data: Channels & { readonly labels: ArrayLike<number> }, options: StepperOptions): Stepper;
  /** Gives the event loop a turn; may throw, to leave. */
  breathe(): Promise<void>;
  note?(text: string): void;
}

/** How a network was trained in the experiments. */
export interface Outcome {
  readonly plan: Plan;
  /** Mean held-out log loss in nats over all seeds. */
  readonly loss: number;
  readonly auc: number | null;
}

export interface Diagnosis {
  readonly verdict: { readonly code: CauseCode | "healthy"; readonly text: string };
  /** The first holds the loss; facts that do not hold it come last. */
  readonly causes: readonly Cause[];
  readonly examples: number;
  readonly positiveRate: number | null;
  /** Entropy of the base rate, and accuracy of always answering the majority; null where labels cannot be used. */
  readonly baseRateLoss: number | null;
  readonly majorityAccuracy: number | null;
  readonly tried: (Outcome & { readonly settings: Tried }) | null;
  /** What cures it, null where nothing was trained. Where the verdict is `healthy` it is what was tried. */
  readonly cured: (Outcome & { readonly settings: Tried; readonly earlyStopping: boolean }) | null;
  /** Data facts that are no cause, one sentence each. */
  readonly notes: readonly string[];
}
