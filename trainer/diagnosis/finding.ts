// What is found in the data before anything is trained, as codes and numbers. finding-sentences.ts makes sentences of them.
// Features and channels are positions and descriptions; their names come later.
import type { Channel } from "../../shared/recipe/channel.ts";
import type { Relation } from "../features/facts.ts";
import type { Signal } from "./signal.ts";

/** Why a network that is not given standardised inputs does not see a feature: its spread is far from 1, or its mean far from 0. */
export interface UnscaledFeature {
  readonly feature: number;
  readonly mean: number;
  readonly deviation: number;
  readonly reason: "spread" | "offset";
}

/** A feature that changes little from row to row. */
export interface StillFeature {
  readonly feature: number;
  /** Standard deviation of the change from row to row, in standard deviations of the feature. */
  readonly movement: number;
}

/** What an experiment can test. */
export type TestableFinding =
  | {
      readonly code: "movement-tiny" | "movement-hidden";
      readonly features: readonly StillFeature[];
      readonly channels: readonly Channel[];
    }
  | { readonly code: "difference-hidden"; readonly channels: readonly Channel[] }
  | { readonly code: "features-unscaled"; readonly features: readonly UnscaledFeature[] }
  /** Share of the valid rows in which each lacks its number. */
  | { readonly code: "gaps-hidden"; readonly features: readonly { readonly feature: number; readonly missing: number }[] }
  /** Shares of all rows, and of all sequences. */
  | { readonly code: "padding-unmasked"; readonly rows: number; readonly sequences: number }
  | { readonly code: "learning-rate-high" | "learning-rate-low"; readonly learningRate: number; readonly optimizer: string }
  | {
      readonly code: "undertrained";
      readonly epochs: number;
      readonly batchesPerEpoch: number;
      readonly steps: number;
      readonly enoughEpochs: number;
    }
  | { readonly code: "overfit"; readonly epochs: number };

/** What numbers and labels as they came do not allow. */
export type BlockingFinding =
  | {
      readonly code: "non-finite";
      /** Missing and infinite ones; the infinite ones of them. */
      readonly numbers: number;
      readonly infinite: number;
      readonly allNumbers: number;
      readonly sequences: number;
      readonly examples: number;
      readonly first: { readonly sequence: number; readonly step: number; readonly feature: number; readonly value: number };
    }
  | { readonly code: "labels-invalid"; readonly reason: "missing" }
  | {
      readonly code: "labels-invalid";
      readonly reason: "values";
      readonly invalid: number;
      readonly examples: number;
      readonly first: { readonly sequence: number; readonly value: number };
      /** The distinct invalid ones, ascending. */
      readonly values: readonly number[];
      /** Which of exactly two values is to become 1; null where there are others than two. */
      readonly positive: number | null;
    }
  | { readonly code: "one-class"; readonly examples: number; readonly label: 0 | 1 }
  | {
      readonly code: "too-few";
      readonly reason: "count";
      readonly examples: number;
      readonly rarer: number;
      readonly enough: number;
      readonly enoughOfALabel: number;
    }
  /** Sequences share rows in so many groups, and no groups can be held out that leave both labels on either side. */
  | { readonly code: "too-few"; readonly reason: "groups"; readonly groups: number };

/** What is so, and may or may not cost anything. */
export type DataFinding =
  /** `value`: null where there is no number. */
  | { readonly code: "constant-feature"; readonly feature: number; readonly value: number | null }
  | { readonly code: "redundant-feature"; readonly relation: Relation; readonly isCopy: boolean }
  /** Test sequences that are among the training data. */
  | { readonly code: "leak"; readonly by: "test-part"; readonly copies: number; readonly examples: number };

export type NoSignalFinding = {
  readonly code: "no-signal";
  readonly signal: Signal;
  /** Nats below the base rate of the best setup. */
  readonly bestGain: number;
};

export type Finding = TestableFinding | BlockingFinding | DataFinding | NoSignalFinding;
