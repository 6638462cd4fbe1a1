// What a training run, or a recalibration, finds on its way: facts with codes. sentences.ts makes sentences of them.
import type { Precision } from "../../shared/members.ts";
import type { Card } from "../../shared/model.ts";
import type { Channel } from "../../shared/recipe/channel.ts";
import type { LeftOutNote } from "../data/sequences.ts";
import type { PaddingChoice } from "../features/padding.ts";
import type { PlanNote } from "../features/recipe-plan.ts";
import type { LstmNote } from "../learners/lstm/lstm.ts";
import type { Split } from "../split/split.ts";
import type { LossNote } from "../training/loss-watch.ts";
import type { LearnerWorth } from "./join.ts";
import type { Kept } from "./kept.ts";
import type { Warning } from "./warning.ts";

export type TrainNote =
  | LeftOutNote
  | { readonly code: "split"; readonly split: Pick<Split, "by" | "reason"> }
  /**
   * Features that lack numbers in the training part, and how many, of so many: rows, or, where given once a sequence, sequences. None where
   * gaps are taken in any case. `isOfWindows`: a row of a series counts in each window that holds it.
   */
  | {
      readonly code: "gaps";
      readonly isOfWindows?: true;
      readonly features: readonly { readonly feature: number; readonly missing: number; readonly of: number; readonly isStatic?: true }[];
    }
  /** Rows have times, and a channel looks at them or none does. */
  | { readonly code: "clock"; readonly name: string; readonly isUsed: boolean }
  | { readonly code: "warning"; readonly warning: Warning }
  | { readonly code: "padding"; readonly choice: PaddingChoice }
  | PlanNote
  /** The recipe's, in order. */
  | { readonly code: "channels"; readonly channels: readonly Channel[] }
  | LstmNote
  | LossNote
  /** So many sequences could be learnt from, of which `taken`, evenly spread, are what all learners learn from. */
  | { readonly code: "sampled"; readonly sequences: number; readonly taken: number }
  /** Networks learn from so many sequences beside the sample, of so many. */
  | { readonly code: "further"; readonly sequences: number; readonly of: number }
  /** What each learner is worth out of its folds, and how much it says in the stack, whose own log loss is `logLoss`. */
  | { readonly code: "members"; readonly learners: readonly LearnerWorth[]; readonly logLoss: number }
  /** Whether the LSTM may speak beside the others. */
  | ({ readonly code: "gate" } & NonNullable<NonNullable<Card["stack"]>["gate"]>)
  /** The gain over the base rate may be chance, so the model keeps a share of what it learnt. */
  | ({ readonly code: "kept" } & Omit<Kept, "baseRate">)
  /** How the LSTM is computed, and what int16 moves on held-out sequences: the log loss, and a probability at most. */
  | { readonly code: "precision"; readonly precision: Precision; readonly logLoss: number; readonly probability: number }
  /** The data bring a validation part. */
  | { readonly code: "validation-given"; readonly sequences: number }
  /** There are too few sequences for a test part. */
  | { readonly code: "nested"; readonly sequences: number }
  | { readonly code: "calibration"; readonly slope: number; readonly intercept: number }
  /** No slope above 0 gains more than chance would. */
  | { readonly code: "calibration-stays" };
