// What a diagnosis is given: data, the setup that somebody trained with, and what it needs of the host. Legend: N sequences, T steps,
// F features.
import type { Log } from "../../shared/recipe/recipe.ts";
import type { Shape } from "../../shared/sequence.ts";
import type { CreateTrees } from "../learners/trees/trees.ts";
import type { CreateStepper } from "../training/stepper.ts";
import type { CauseCode } from "./cause.ts";
import type { InterimResult, Progress } from "./progress.ts";
import type { BaselineSetup } from "./setup.ts";

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
  /** Whether these are windows that were cut from series: that they share rows is no fault of the data. */
  readonly isCut?: boolean;
  readonly test: { readonly values: Float64Array; readonly labels: ArrayLike<number> } | null;
}

export interface DiagnosisOptions {
  readonly baseline: BaselineSetup;
  readonly seed: number;
  /** Causes to be tested beside those that the data suggest, such as `undertrained` and `overfit` from the user's own curve. */
  readonly curveHypotheses?: readonly CauseCode[];
}

export interface DiagnosisDependencies {
  readonly log: Log;
  readonly createStepper: CreateStepper;
  /** Makes learners of boosted trees. */
  readonly createTrees: CreateTrees;
  /** Gives the event loop a turn; may throw, to leave. */
  yieldToEventLoop(): Promise<void>;
  /** Called when a stage begins and after each training run of its experiments. */
  onProgress?(progress: Progress): void;
  /** Called with what is known before all is known; `describeInterimResult` makes a sentence of it. */
  onInterimResult?(result: InterimResult): void;
}
