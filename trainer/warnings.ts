// Facts about the data that whoever uses the model should know.
import type { Plan } from "../shared/recipe.ts";
import { isZeroRow, type Padding, type Shape, validRows } from "../shared/sequence.ts";
import { computeMetrics } from "./metrics.ts";
import type { LabelledDataset } from "./readers/dataset.ts";
import type { Labelled } from "./sequences.ts";

/** An AUC of the length alone from here on is said: it may be a leak. */
const TELLING_LENGTH = 0.6;

/** A float32 file carries about seven digits: its differences are mostly rounding where a feature stands on a large offset. */
function takesDifferences({ channels }: Plan): boolean {
  return channels.some(({ base, view }) => base !== "feature" || view === "delta" || view === "logDelta" || view === "centred");
}

/** (N) valid rows. */
function lengthsOf(values: Float64Array, shape: Shape, padding: Padding): Int32Array {
  const rows = new Int32Array(shape.timesteps);
  const size = shape.timesteps * shape.features;
  return Int32Array.from({ length: values.length / size }, (_, n) => validRows(values, n * size, shape, padding, rows));
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
    const { timesteps: T, features: F } = data.shape;
    const rows = new Int32Array(T);
    let zeroRows = 0;
    for (let n = 0; n < usable.labels.length; n++) {
      const length = validRows(usable.values, n * T * F, data.shape, "leading", rows);
      for (let t = 0; t < length; t++) if (isZeroRow(usable.values, (n * T + rows[t]) * F, F)) zeroRows++;
    }
    if (zeroRows > 0)
      warnings.push(
        `${zeroRows} all-zero rows stand after the first data row of their sequence and count as data: use --padding any if they are padding too`,
      );
  }
  return warnings;
}
