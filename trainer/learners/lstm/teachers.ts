// The teachers of an LSTM, each fitted on the training sequences. Legend: N sequences.
import { positiveRate } from "../../data/sequences.ts";
import type { DistillationTarget } from "../../features/distillation.ts";
import { prepareTeacher, type TeacherSolver, teacherColumns } from "../../features/logistic-teacher.ts";
import { computeSummaryFeatures, fitSummaryMlp, summaryMlpBudget } from "../../features/summary-teacher.ts";
import type { Labels } from "../../statistics/labels.ts";
import type { CreateStepper } from "../../training/stepper.ts";
import type { ChannelView } from "../learner.ts";

export interface TeachingInput {
  readonly view: ChannelView;
  /** (N) */
  readonly labels: Labels;
  readonly train: Int32Array;
  readonly seed: number;
  readonly createStepper: CreateStepper;
  /** Of a logistic regression; default: few steps. */
  readonly solver?: TeacherSolver;
}

type Teacher = Exclude<DistillationTarget["teacher"], "none">;

const TEACHERS: Readonly<Record<Teacher, (input: TeachingInput) => ArrayLike<number>>> = {
  "logistic regression": teachByLogisticRegression,
  "MLP on summary features": teachBySummaryMlp,
};

/** (N) logits of a teacher that has seen the training sequences, for these and all others. */
export function teachLogits(teacher: Teacher, input: TeachingInput): ArrayLike<number> {
  return TEACHERS[teacher](input);
}

function teachByLogisticRegression({ view, labels, train, solver = "few steps" }: TeachingInput): ArrayLike<number> {
  return prepareTeacher(teacherColumns(view, view.timesteps), labels, solver)(train);
}

function teachBySummaryMlp({ view, labels, train, seed, createStepper }: TeachingInput): Float32Array {
  const columns = computeSummaryFeatures(view, view.timesteps);
  const sequences = summaryMlpBudget(train.length);
  return fitSummaryMlp({ columns, labels, train, positiveRate: positiveRate(labels, train), sequences, seed, createStepper });
}
