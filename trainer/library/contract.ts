// What `quickstep/train` takes, says on the way and gives back.
import type { MeasuredCard, OperatingPoint } from "../../shared/model.ts";
import type { Padding } from "../../shared/sequence.ts";

/** Sequences in memory. Legend: N sequences, T steps, F features. */
export interface TrainingData {
  /** (N) sequences of up to T rows of F numbers each; shorter ones are filled with zero rows in front. `null`: the number is missing. */
  readonly sequences: readonly (readonly (readonly (number | null)[])[])[];
  /** (N) 0 or 1; with `softLabels`, the probability of a 1. */
  readonly labels: ArrayLike<number>;
  /** (F) names of the features; default: f0, f1, … */
  readonly features?: readonly string[];
  /** (N) equal numbers stay in one part. */
  readonly groups?: ArrayLike<number>;
  /** A test part of its own; nothing is learnt from it. */
  readonly test?: Pick<TrainingData, "sequences" | "labels">;
  /** What the model is called; default: `model`. */
  readonly name?: string;
}

/** How data, files or sequences in memory, are read. Each name is the option of the command `train`, described in docs/cli.md. */
export interface ReadingOptions {
  readonly labels?: string;
  readonly label?: string;
  readonly positive?: string;
  readonly softLabels?: boolean;
  readonly group?: string;
  readonly time?: string;
  readonly key?: string;
  readonly features?: readonly string[];
  readonly window?: number;
  readonly stride?: number;
  readonly horizon?: number;
  readonly id?: readonly string[];
  readonly static?: readonly string[];
  readonly category?: readonly string[];
  readonly columns?: string;
  readonly byPosition?: boolean;
  readonly test?: string;
  readonly testLabels?: string;
}

/** How a model is trained. Each name is the option of the command `train`, with its default; docs/cli.md describes them. */
export interface TrainingOptions extends ReadingOptions {
  /** What the model is called; default: as the data are. */
  readonly name?: string;
  /** Default `auto`: all learners, stacked. */
  readonly learner?: "auto" | "lstm" | "layers" | "trees" | "linear";
  /** The network's layers, as `bilstm:64,lstm:32,dense:16:relu`; @tensorflow/tfjs trains them, which is to be installed. Default: one LSTM. */
  readonly layers?: string;
  readonly splitVersion?: 1 | 2;
  readonly units?: number;
  readonly epochs?: number;
  readonly batch?: number;
  /** Default 1. */
  readonly seed?: number;
  readonly recipe?: "auto" | "raw";
  /** How an LSTM is computed. */
  readonly precision?: "auto" | "float" | "int16";
  readonly padding?: Padding;
  readonly missing?: "carry" | "refuse";
  readonly split?: "auto" | "random" | "time" | "group";
  /** Of the two mistakes, for the operating point `lowest-cost`. */
  readonly costs?: { readonly falsePositive: number; readonly falseNegative: number };
  /** Default: all cores. The bytes of the model are the same for any number. */
  readonly threads?: number;
  /** Without relaxed multiply-adds: the same bytes on every machine. */
  readonly strict?: boolean;
  /** File that keeps the run every few seconds, and when `signal` aborts; it is removed at the end. Default: nothing is kept. */
  readonly checkpoint?: string;
  /** Goes on from `checkpoint`, where it is there. */
  readonly resume?: boolean;
  /** An AbortSignal: once aborted, training rejects with an Error whose name is `Interrupted`. */
  readonly signal?: { readonly aborted: boolean };
}

/** What training says on its way. `text` is a line for people; codes are for programs. */
export type TrainingEvent =
  | {
      readonly kind: "read";
      readonly text: string;
      readonly sequences: number;
      readonly timesteps: number;
      readonly features: readonly string[];
    }
  /** Something was found, or decided. */
  | { readonly kind: "note"; readonly code: string; readonly text: string }
  /** Where the feature search stands; `share` is done, 0 to 1, estimated on the low side; `outer` as of a fold. */
  | {
      readonly kind: "search";
      readonly stage: "adding" | "comparing" | "removing" | "teachers";
      readonly channels: number;
      readonly share: number;
      readonly outer?: number;
      readonly outers?: number;
    }
  /** Which learner is at which fold of which setting, from 0; `outer` counts the folds of a nested cross-validation. */
  | {
      readonly kind: "fold";
      readonly learner: "linear" | "trees" | "greedy trees" | "quantile trees" | "lstm" | "layers";
      readonly setting: number;
      readonly settings: number;
      readonly fold: number;
      readonly folds: number;
      readonly outer?: number;
      readonly outers?: number;
    }
  /** After each step of a network, and at the end of each epoch. Losses are means, in nats. */
  | {
      readonly kind: "step";
      readonly epoch: number;
      readonly epochs: number;
      readonly seen: number;
      readonly total: number;
      readonly trainLoss: number;
      readonly validationLoss: number;
      readonly learningRate: number;
      readonly isEpochEnd: boolean;
    };

/** A model that was trained. */
export interface TrainedModel {
  /** The artifact: the bytes of a `.safetensors` file for `quickstep/score`, the command line and the edge. */
  readonly artifact: Uint8Array;
  /** The model's name and the first figures of the artifact's hash, as every answer of a Worker names it. */
  readonly id: string;
  /** Facts for people: the data, the split, what was learnt, metrics with their intervals, warnings. */
  readonly card: MeasuredCard;
  readonly operatingPoints: readonly OperatingPoint[];
  /** What the recipe's channels are called. */
  readonly channels: readonly string[];
  /** Whether the model is worth using, why, and the one step that would help most. */
  readonly verdict: { readonly code: string; readonly text: string; readonly next: string };
  /** The report as one HTML page, which loads nothing from elsewhere. */
  renderReport(): Promise<string>;
}
