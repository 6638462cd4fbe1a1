// The recipe plan and the targets to learn from: the plain script's, or what the feature search finds.
import { DataError } from "../../shared/errors.ts";
import type { Input } from "../../shared/recipe/inputs.ts";
import type { Plan } from "../../shared/recipe/recipe.ts";
import type { Padding, Shape } from "../../shared/sequence.ts";
import type { EvaluationInput } from "./candidate-evaluation.ts";
import { type DistillationTarget, ON_LABELS } from "./distillation.ts";
import { featuresWithGaps, type Relation, studyFeatures } from "./facts.ts";
import { searchChannels } from "./search.ts";
import type { SearchProgress, SearchStep } from "./search-state.ts";

export interface RecipePlan {
  readonly plan: Plan;
  /** The targets that a network is to be trained on, one run each. */
  readonly targets: readonly DistillationTarget[];
  /** Whether there is reason to expect that something can be learnt. */
  readonly isSignificant: boolean;
}

/** What is found on the way to a plan. Features are positions. */
export type PlanNote =
  /** Constant on the training part, and left out. */
  | { readonly code: "constant-features"; readonly features: readonly number[] }
  /** Left out. */
  | { readonly code: "redundant-feature"; readonly relation: Relation }
  | SearchStep
  /** Held-out log losses in the search. */
  | { readonly code: "search-losses"; readonly baseRate: number; readonly plain: number; readonly chosen: number };

function clockOf({ clock }: Shape): Pick<Plan, "clock"> {
  return clock ? { clock } : {};
}

/** The plain script's recipe, to be compared with: every feature as it is. */
export function planRaw(
  { shape, features, inputs }: { readonly shape: Shape; readonly features: readonly string[]; readonly inputs?: readonly Input[] },
  padding: Padding,
  gaps?: readonly number[],
): RecipePlan {
  const channels = features.slice(0, shape.clock ? -1 : undefined).map((_, a) => ({ base: "feature", a, view: "level" }) as const);
  return {
    plan: {
      timesteps: shape.timesteps,
      features,
      padding,
      channels,
      standardise: false,
      ...(gaps && { gaps }),
      ...clockOf(shape),
      ...(inputs && { inputs }),
    },
    targets: [ON_LABELS],
    isSignificant: true,
  };
}

/** What the data can be learnt from. Throws DataError that names `source` when every feature is constant on the training part. */
export async function planAuto(
  input: EvaluationInput,
  source: string,
  onNote: (note: PlanNote) => void,
  onProgress?: (progress: SearchProgress) => void,
): Promise<RecipePlan> {
  const { values, shape, train, padding, features, gaps, inputs } = input;
  const facts = studyFeatures(values, shape, train, padding, inputs);
  if (facts.constant.length > 0) onNote({ code: "constant-features", features: facts.constant });
  for (const relation of facts.relations) onNote({ code: "redundant-feature", relation });
  if (facts.constant.length === shape.features && featuresWithGaps(facts).length === 0)
    throw new DataError(source, "every feature is constant on the training part: there is nothing to learn from");
  const result = await searchChannels(input, facts, { onStep: onNote, onProgress });
  onNote({ code: "search-losses", baseRate: result.baseRateLoss, plain: result.plainLoss, chosen: result.loss });
  const plan = {
    timesteps: shape.timesteps,
    features,
    padding,
    channels: result.channels,
    standardise: true,
    ...(gaps && { gaps }),
    ...clockOf(shape),
    ...(inputs && { inputs }),
  };
  return { plan, targets: result.targets, isSignificant: result.isSignificant };
}
