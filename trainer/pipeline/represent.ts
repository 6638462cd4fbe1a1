// Second step of a training run: what all-zero rows mean, what the labels show under that reading, the channels from which to learn, and the recipe fitted on the training part.
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { describeChannel } from "../../shared/recipe/channel.ts";
import { fitRecipe } from "../../shared/recipe/fit.ts";
import type { Plan, Recipe } from "../../shared/recipe/recipe.ts";
import type { Padding } from "../../shared/sequence.ts";
import type { EvaluationInput } from "../features/candidate-evaluation.ts";
import { choosePadding } from "../features/padding.ts";
import { planAuto, planRaw, type RecipePlan } from "../features/recipe-plan.ts";
import type { ChannelView } from "../learners/learner.ts";
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
  const { data, usable, split } = prepared;
  const { onNote, kernel } = dependencies;
  const input = evaluationInput(prepared, options, dependencies);
  const padding = await decidePadding(input, prepared, options, dependencies);
  const labelWarnings = findLabelWarnings(usable, data.shape, padding, split.overlap);
  for (const warning of labelWarnings) onNote({ code: "warning", warning });
  const { plan, targets, isSignificant } =
    options.recipe === "raw"
      ? planRaw(data.shape, data.features, padding, prepared.gaps)
      : await planAuto({ ...input, padding }, data.source, onNote, dependencies.onSearchProgress);
  const recipeWarnings = findRecipeWarnings(data, usable, plan);
  for (const warning of recipeWarnings) onNote({ code: "warning", warning });
  const recipe = fitRecipe(plan, usable.values, split.train, kernel.log);
  const { channels, lengths } = applyRecipe(recipe, usable.values, kernel.log);
  onNote({ code: "channels", channels: plan.channels });
  const names = plan.channels.map((channel) => describeChannel(channel, data.features));
  return {
    plan,
    targets,
    isSignificant,
    recipe,
    view: { channels, lengths, timesteps: plan.timesteps, names },
    warnings: [...labelWarnings, ...recipeWarnings],
  };
}

function evaluationInput(
  { data, usable, split, gap, gaps }: Prepared,
  { seed }: TrainOptions,
  { kernel, createStepper, yieldToEventLoop }: TrainDependencies,
): Omit<EvaluationInput, "padding"> {
  return {
    values: usable.values,
    labels: usable.labels,
    shape: data.shape,
    features: data.features,
    ...(gaps && { gaps }),
    train: split.train,
    validation: split.validation,
    gap,
    areStrangers: split.by === "random",
    log: kernel.log,
    seed,
    createStepper,
    yieldToEventLoop,
  };
}

async function decidePadding(
  input: Omit<EvaluationInput, "padding">,
  { padding }: Prepared,
  options: TrainOptions,
  { onNote }: TrainDependencies,
): Promise<Padding> {
  if (options.padding !== undefined || options.recipe === "raw") return padding;
  const choice = await choosePadding(input);
  if (choice.hasZeroRows) onNote({ code: "padding", choice });
  return choice.padding;
}
