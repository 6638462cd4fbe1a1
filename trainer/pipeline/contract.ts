// What a training run is given: options, and what the machine provides. Implementations are chosen by whoever calls.
import type { Kernel, MemberEngine } from "../../shared/engine.ts";
import type { Predictor } from "../../shared/members.ts";
import type { Padding } from "../../shared/sequence.ts";
import type { SearchProgress } from "../features/search-state.ts";
import type { CreateTrees } from "../learners/trees/trees.ts";
import type { SplitMethod } from "../split/split.ts";
import type { Costs } from "../statistics/operating-points.ts";
import type { Checkpointing } from "../training/checkpoint.ts";
import type { Journal } from "../training/journal.ts";
import type { LayerSpec } from "../training/layer-spec.ts";
import type { Progress } from "../training/loop.ts";
import type { CreateStepper } from "../training/stepper.ts";
import type { FoldPlace } from "./cross-fit.ts";
import type { TrainNote } from "./note.ts";

export const RECIPES = ["auto", "raw"] as const;
export type RecipeName = (typeof RECIPES)[number];

/** `carry`: numbers may be missing, and are filled. `refuse`: they may not. */
export const MISSING = ["carry", "refuse"] as const;

/** Who learns: `auto` all of them, stacked; else one alone. */
export const LEARNERS = ["auto", "lstm", "layers", "trees", "linear"] as const;
export type LearnerChoice = (typeof LEARNERS)[number];

/** How LSTMs are computed: `auto` takes int16 where answers hardly move. */
export const PRECISION_CHOICES = ["auto", "float", "int16"] as const;
export type PrecisionChoice = (typeof PRECISION_CHOICES)[number];

export interface TrainOptions {
  /** What the model is called; default: as the data are. */
  readonly name?: string;
  /** Default `auto`. */
  readonly learner?: LearnerChoice;
  /** The network's layers; undefined: one LSTM. */
  readonly layers?: readonly LayerSpec[];
  /** 1: four parts, as the first artifacts were trained, for one network alone. Default 2: a test part and folds. */
  readonly splitVersion?: 1 | 2;
  /** Undefined: chosen by the size of the training part. */
  readonly units?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly seed: number;
  readonly split: SplitMethod;
  /** How many steps after a sequence's last row its label is known. */
  readonly horizon: number;
  /** Undefined: found from the data. */
  readonly padding?: Padding;
  readonly recipe: RecipeName;
  /** Whether numbers may be missing; undefined: where the data lack any. */
  readonly missing?: (typeof MISSING)[number];
  /** Of the two mistakes, for the operating point `lowest-cost`. */
  readonly costs?: Costs;
  /** How LSTMs are computed; default `auto`. */
  readonly precision?: PrecisionChoice;
}

/** What scores. */
export interface ScoringDependencies {
  readonly kernel: Kernel;
  createEngine(predictor: Predictor): MemberEngine;
}

/** What the machine provides to a training run. */
export interface TrainDependencies extends ScoringDependencies {
  readonly createStepper: CreateStepper;
  /** Node's version, as artifacts name it. */
  readonly node: string;
  /** Hears what is found on the way; `describeNote` makes a sentence of a note. */
  onNote(note: TrainNote): void;
  onProgress(progress: Progress): void;
  onSearchProgress?(progress: SearchProgress & Pick<FoldPlace, "outer" | "outers">): void;
  /** Makes a learner of boosted trees. */
  readonly createTrees: CreateTrees;
  /** Hears which learner is at which fold. */
  onFold?(place: FoldPlace): void;
  /** Saves the fit that `run` names: fits of equal names end in equal bytes. `stage` counts those of one training. */
  checkpoint?(run: string, stage: number): Checkpointing;
  /** Opens what keeps the stages of a stack's run, which `run` names likewise. Throws DataError where it cannot be taken up. */
  openJournal?(run: string): Journal;
  /** Gives the event loop a turn; may throw, to leave. */
  yieldToEventLoop(): Promise<void>;
}
