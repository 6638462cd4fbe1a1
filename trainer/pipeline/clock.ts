// After channels are found: the times of rows stay where a channel looks at them; else whoever scores need not know them. They are the
// last feature, so that every channel's features keep their positions.
import { type Channel, looksAt } from "../../shared/recipe/channel.ts";
import type { Plan, Recipe } from "../../shared/recipe/recipe.ts";
import { dropLastFeature, withoutClock } from "../data/clock.ts";
import type { Labelled } from "../data/sequences.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import type { TrainDependencies } from "./contract.ts";

/** Whether rows have times that none of the channels looks at. Says which it is. */
export function isClockIdle(
  { clock, features }: Pick<Recipe, "clock" | "features">,
  channels: readonly Channel[],
  onNote: TrainDependencies["onNote"],
): boolean {
  if (clock === undefined) return false;
  const last = features.length - 1;
  const isUsed = channels.some((channel) => channel.view === "rate" || looksAt(channel, last));
  onNote({ code: "clock", name: features[last], isUsed });
  return !isUsed;
}

/** The recipe without the times of rows. */
export function dropClockOfRecipe({ clock: _, ...recipe }: Recipe): Recipe {
  const { features, featureMean, featureScale, fill } = recipe;
  return {
    ...recipe,
    features: features.slice(0, -1),
    featureMean: featureMean.slice(0, -1),
    featureScale: featureScale.slice(0, -1),
    ...(fill && { fill: fill.slice(0, -1) }),
  };
}

/** The plan without the times of rows. */
export function dropClockOfPlan({ clock: _, ...plan }: Plan): Plan {
  return { ...plan, features: plan.features.slice(0, -1) };
}

/** What was prepared, without the times of rows. */
export function dropClockOfData<P extends { readonly data: Omit<LabelledDataset, "values">; readonly usable: Labelled }>(prepared: P): P {
  const { data, usable } = prepared;
  return { ...prepared, data: withoutClock(data), usable: { ...usable, values: dropLastFeature(usable.values, data.shape.features) } };
}
