// What a diagnosis answers.
import type { Plan } from "../../shared/recipe/recipe.ts";
import type { Cause, CauseCode } from "./cause.ts";
import type { ColumnsFinding } from "./columns/study.ts";
import type { TrainingSetup } from "./experiment-setup.ts";
import type { BaselineSetup } from "./setup.ts";
import type { Signal } from "./signal.ts";
import type { Tensors } from "./tensors.ts";

/** How a network was trained in the experiments, and what came of it. */
export interface Outcome {
  readonly plan: Plan;
  /** How it was trained there: within the budget of an experiment, so with fewer units or steps, or another batch, than were asked for. */
  readonly training: TrainingSetup;
  /** Mean held-out log loss in nats over all seeds. */
  readonly loss: number;
  readonly auc: number | null;
  /** Mean held-out log loss before training and at eight points along it. */
  readonly curve: readonly number[];
  /** Log loss on the sequences trained on, at the end. */
  readonly trainLoss: number;
  /** Change of the weights in one step near the end, as a share of their size: about 1e-3 where training goes well. */
  readonly updateRatio: number;
  /** Share of the gates i, f and o that stand below 0.05 or above 0.95 in the end. */
  readonly saturation: number;
}

/** A feature over valid rows. */
export interface FeatureSummary {
  readonly name: string;
  readonly lowest: number;
  readonly highest: number;
  readonly mean: number;
  readonly deviation: number;
  /** Share of the feature's variance that lies within sequences; 1 for a constant. */
  readonly within: number;
  /** Share of its numbers that are 0. */
  readonly zeros: number;
  /** Share of the valid rows that lack its number. */
  readonly missing: number;
}

export interface Diagnosis {
  /** `text`: what holds the loss. `next`: what fixes that, and what was found beside. */
  readonly verdict: { readonly code: CauseCode | "healthy"; readonly text: string; readonly next: string };
  /** The first holds the loss; facts that do not hold it come last. */
  readonly causes: readonly Cause[];
  readonly examples: number;
  readonly positiveRate: number | null;
  /** Entropy of the base rate, and accuracy of always answering the majority; null where labels cannot be used. */
  readonly baseRateLoss: number | null;
  readonly majorityAccuracy: number | null;
  /** Entropy of the positive rate of the last fifth, which lines that split by time hold out; null where the order means nothing. */
  readonly tailBaseRateLoss: number | null;
  readonly baseline: (Outcome & { readonly settings: BaselineSetup }) | null;
  /** The baseline setup with the fixes that are worth it, null where nothing was trained. Where the verdict is `healthy`, the baseline setup. */
  readonly fixed: (Outcome & { readonly settings: BaselineSetup; readonly earlyStopping: boolean }) | null;
  /** What boosted trees or a linear model on columns clearly do better than any network of the experiments; null where nothing is. */
  readonly columns: ColumnsFinding | null;
  /** Nats gained by fixing one proven or likely cause after the other, in their order. */
  readonly joint: readonly { readonly code: CauseCode; readonly gain: number }[];
  /** What the networks' own numbers say; null where nothing was trained. */
  readonly tensors: { readonly baseline: Tensors; readonly fixed: Tensors } | null;
  /** Whether there is anything to learn; null where nothing was trained. */
  readonly signal: Signal | null;
  /** Sequences that separate training and held-out ones where neighbours share rows; 0 where the order means nothing. */
  readonly gap: number;
  /** Empty where the data were not looked at that far. */
  readonly features: readonly FeatureSummary[];
  /** Other facts that are no cause, one sentence each; notes.ts has those of the features and the networks. */
  readonly notes: readonly string[];
}
