// The recipe's plan and the targets to learn from it: the plain script's, or what the search finds, said as it is found.
import { DataError } from "../../shared/errors.ts";
import type { Plan } from "../../shared/recipe/recipe.ts";
import type { Padding, Shape } from "../../shared/sequence.ts";
import type { EvaluationInput } from "./candidate-evaluation.ts";
import { describeRelation, studyFeatures } from "./facts.ts";
import { type DistillationTarget, ON_LABELS, searchChannels } from "./search.ts";

/** The plain script's recipe, to be compared with: every feature as it is. */
export function planRaw(shape: Shape, features: readonly string[], padding: Padding): Planned {
  const channels = features.map((_, a) => ({ base: "feature", a, view: "level" }) as const);
  return {
    plan: { timesteps: shape.timesteps, features, padding, channels, standardise: false },
    targets: [ON_LABELS],
    isSignificant: true,
  };
}

export interface Planned {
  readonly plan: Plan;
  /** The targets that a network is to be trained on, one run each. */
  readonly targets: readonly DistillationTarget[];
  /** Whether there is reason to expect that something can be learnt. */
  readonly isSignificant: boolean;
}

/** What the data can be learnt from, said as it is found. */
export async function planAuto(input: EvaluationInput, source: string, note: (text: string) => void): Promise<Planned> {
  const { values, shape, train, padding, features } = input;
  const facts = studyFeatures(values, shape, train, padding);
  if (facts.constant.length > 0) note(`constant on the training part, left out: ${facts.constant.map((f) => features[f]).join(", ")}`);
  for (const relation of facts.relations) note(`redundant, left out: ${describeRelation(relation, features)}`);
  if (facts.constant.length === shape.features)
    throw new DataError(source, "every feature is constant on the training part: there is nothing to learn from");
  const found = await searchChannels(input, facts);
  for (const line of found.notes) note(`  ${line}`);
  note(
    `held-out log loss in the search: base rate ${found.baseRateLoss.toFixed(4)}, levels and deltas ${found.plainLoss.toFixed(4)}, chosen ${found.loss.toFixed(4)}`,
  );
  const plan = { timesteps: shape.timesteps, features, padding, channels: found.channels, standardise: true };
  return { plan, targets: found.targets, isSignificant: found.isSignificant };
}
