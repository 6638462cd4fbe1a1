// Second step of a training run: what all-zero rows mean, what the labels show under that reading, the channels from which to learn, and the recipe fitted on the training part.
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { describeChannel } from "../../shared/recipe/channel.ts";
import { fitRecipe } from "../../shared/recipe/fit.ts";
import type { Plan, Recipe } from "../../shared/recipe/recipe.ts";
import type { Padding } from "../../shared/sequence.ts";
import type { Labelled } from "../data/sequences.ts";
import type { EvaluationInput } from "../features/candidate-evaluation.ts";
import { choosePadding } from "../features/padding.ts";
import { planAuto, planRaw, type RecipePlan } from "../features/recipe-plan.ts";
import type { ChannelView } from "../learners/learner.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import type { Overlap } from "../split/overlap.ts";
import type { SplitBy } from "../split/split.ts";
import type { TrainDependencies, TrainOptions } from "./contract.ts";
import { findLabelWarnings, findRecipeWarnings } from "./data-checks.ts";
import type { Prepared } from "./prepare.ts";
import type { Warning } from "./warning.ts";

export interface Represented extends Pick<RecipePlan, "targets" | "isSignificant"> {
  readonly plan: Plan;
  readonly recipe: Recipe;
  /** Of all usable sequences. */
  readonly view: ChannelView;
  readonly warnings: readonly Warning[];
}

/** Throws DataError when every feature is constant on the training part, and what `yieldToEventLoop` throws to leave. */
export async function represent(prepared: Prepared, options: TrainOptions, dependencies: TrainDependencies): Promise<Represented> {
  const { data, usable, split, gap, gaps, padding } = prepared;
  const { kernel, onNote } = dependencies;
  const { train, validation, by, overlap } = split;
  const subject = { data, usable, train, validation, by, overlap, gap, padding, isExhaustive: true, ...(gaps && { gaps }) };
  const planned = await planChannels(subject, options, dependencies);
  const { plan } = planned;
  const recipe = fitRecipe(plan, usable.values, train, kernel.log);
  const { channels, lengths } = applyRecipe(recipe, usable.values, kernel.log);
  onNote({ code: "channels", channels: plan.channels });
  const names = plan.channels.map((channel) => describeChannel(channel, data.features));
  return { ...planned, recipe, view: { channels, lengths, timesteps: plan.timesteps, names } };
}

/** What a feature search looks at. */
export interface SearchSubject {
  /** As read. */
  readonly data: Pick<LabelledDataset, "shape" | "features" | "inputs" | "source" | "float32" | "read">;
  readonly usable: Labelled;
  /** Of `usable`; the search trains on the one and judges by the other. */
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly by: SplitBy;
  /** Of all of `usable`. */
  readonly overlap: Overlap;
  /** Sequences closer than this share rows; 0 where the order means nothing. */
  readonly gap: number;
  /** How all-zero rows were read so far. */
  readonly padding: Padding;
  /** As Plan.gaps. */
  readonly gaps?: readonly number[];
  /** As EvaluationInput.isExhaustive. */
  readonly isExhaustive?: boolean;
}

/** The reading of zero rows, and what to learn from, found on `subject.train` and `subject.validation`. Throws as represent does. */
export async function planChannels(
  subject: SearchSubject,
  options: TrainOptions,
  dependencies: TrainDependencies,
): Promise<Pick<Represented, "plan" | "targets" | "isSignificant" | "warnings">> {
  const { data, usable, overlap } = subject;
  const { onNote } = dependencies;
  const input = evaluationInput(subject, options, dependencies);
  const padding = await decidePadding(input, subject.padding, options, dependencies);
  const labelWarnings = findLabelWarnings(usable, data.shape, padding, overlap);
  for (const warning of labelWarnings) onNote({ code: "warning", warning });
  const planned =
    options.recipe === "raw"
      ? planRaw(data, padding, subject.gaps)
      : await planAuto({ ...input, padding }, data.source, onNote, dependencies.onSearchProgress);
  const recipeWarnings = findRecipeWarnings(data, usable, planned.plan);
  for (const warning of recipeWarnings) onNote({ code: "warning", warning });
  return { ...planned, warnings: [...labelWarnings, ...recipeWarnings] };
}

function evaluationInput(
  { data, usable, train, validation, by, gap, gaps, isExhaustive }: SearchSubject,
  { seed }: TrainOptions,
  { kernel, createStepper, yieldToEventLoop }: TrainDependencies,
): Omit<EvaluationInput, "padding"> {
  return {
    values: usable.values,
    labels: usable.labels,
    shape: data.shape,
    features: data.features,
    ...(gaps && { gaps }),
    ...(data.inputs && { inputs: data.inputs }),
    ...(isExhaustive && { isExhaustive }),
    train,
    validation,
    gap,
    areStrangers: by === "random",
    log: kernel.log,
    seed,
    createStepper,
    yieldToEventLoop,
  };
}

async function decidePadding(
  input: Omit<EvaluationInput, "padding">,
  padding: Padding,
  options: TrainOptions,
  { onNote }: TrainDependencies,
): Promise<Padding> {
  if (options.padding !== undefined || options.recipe === "raw") return padding;
  const choice = await choosePadding(input);
  if (choice.hasZeroRows) onNote({ code: "padding", choice });
  return choice.padding;
}
