// What a client must know of a model to score with it: what a row has, the thresholds, and what a 1 stands for. No metrics.
import type { Card } from "../../shared/model.ts";
import type { ServedModel } from "./models.ts";

/** For keys that may score and not read, too. */
export function describeTaken({ model: { recipe, operatingPoints, card }, id }: ServedModel) {
  const { features, timesteps, padding, gaps, clock, inputs } = recipe;
  return {
    id,
    features,
    timesteps,
    recipe: { padding, gaps: gaps?.map((f) => features[f]), clock: clock && features[features.length - 1], inputs },
    operatingPoints: operatingPoints.map(({ name, threshold }) => ({ name, threshold })),
    labels: describeLabels(card),
  };
}

/** The labels' column, and its values that count as 1 and 0; `zero` is null where several do. Undefined where nothing is known of them. */
export function describeLabels({ data, calibrated }: Partial<Card> = {}) {
  const labels = (data?.facts ?? calibrated?.data.facts)?.labels;
  if (typeof labels !== "object" || labels.meaning === null) return undefined;
  const { one, zero } = labels.meaning;
  return { name: labels.name, one, zero };
}
