// Facts about the data that whoever uses the model should know.
import type { Plan } from "../shared/recipe.ts";
import { studyLabels } from "./diagnosis/label-facts.ts";
import type { LabelledDataset } from "./readers/dataset.ts";
import { countZeroRows, type Labelled } from "./sequences.ts";
import type { Overlap } from "./split/overlap.ts";

/** A float32 file carries about seven digits: its differences are mostly rounding where a feature stands on a large offset. */
function takesDifferences({ channels }: Plan): boolean {
  return channels.some(({ base, view }) => base !== "feature" || view === "delta" || view === "logDelta" || view === "centred");
}

/** What the labels alone show before anything is trained. One sentence each; what the split takes care of is left out. */
export function findLabelWarnings(usable: Labelled, { shape, features }: LabelledDataset, overlap: Overlap): string[] {
  return studyLabels(usable.values, usable.labels, shape, features, "leading", overlap)
    .filter(({ holds }) => holds)
    .map(({ evidence, remedy }) => `${evidence}: ${remedy}`);
}

/** What the recipe makes of the data. One sentence each. */
export function findRecipeWarnings(data: LabelledDataset, usable: Labelled, plan: Plan): string[] {
  const warnings: string[] = [];
  if (data.float32 && takesDifferences(plan))
    warnings.push(
      "the data came as float32, about seven digits, and the recipe takes differences: small movements on a large offset are rounded away; save it as float64",
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
