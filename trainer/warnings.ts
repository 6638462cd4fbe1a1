// Facts about the data that whoever uses the model should know.
import type { Plan } from "../shared/recipe.ts";
import { computeMetrics } from "./metrics.ts";
import type { LabelledDataset } from "./readers/dataset.ts";
import { countZeroRows, type Labelled, lengthsOf } from "./sequences.ts";

/** An AUC of the length alone from here on is said: it may be a leak. */
const TELLING_LENGTH = 0.6;

/** A float32 file carries about seven digits: its differences are mostly rounding where a feature stands on a large offset. */
function takesDifferences({ channels }: Plan): boolean {
  return channels.some(({ base, view }) => base !== "feature" || view === "delta" || view === "logDelta" || view === "centred");
}

/** One sentence each. */
export function findWarnings(data: LabelledDataset, usable: Labelled, plan: Plan): string[] {
  const warnings: string[] = [];
  if (data.float32 && takesDifferences(plan))
    warnings.push(
      "the data came as float32, about seven digits, and the recipe takes differences: small movements on a large offset are rounded away; save it as float64",
    );
  const lengths = lengthsOf(usable.values, data.shape, plan.padding);
  const { auc } = computeMetrics(
    usable.labels,
    Float64Array.from(lengths, (length) => length / data.shape.timesteps),
  );
  if (auc !== null && Math.max(auc, 1 - auc) > TELLING_LENGTH)
    warnings.push(
      `the length of a sequence alone tells its label with AUC ${Math.max(auc, 1 - auc).toFixed(3)}: make sure that it is known when the score is needed`,
    );
  if (plan.padding === "leading") {
    const { zeros } = countZeroRows(usable.values, data.shape, Int32Array.from(usable.labels.keys()));
    if (zeros > 0)
      warnings.push(
        `${zeros} all-zero rows stand after the first data row of their sequence and count as data: use --padding any if they are padding too`,
      );
  }
  return warnings;
}
