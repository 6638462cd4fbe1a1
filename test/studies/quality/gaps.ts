// Synthetic data with numbers removed, at random or so that the label shows in what is missing. The probability is of whoever knows all
// numbers, those that were removed too, and which were removed: nobody can beat it.
// Legend: N sequences, T steps, F features.
import { createRandom } from "../../../trainer/statistics/random.ts";
import { F, type Generated } from "./generators.ts";

/** Share of the numbers that are removed, over sequences of both labels where these differ. */
export interface Removal {
  readonly share: number;
  /** Sequences of label 1 lack half as many again, those of label 0 that much fewer. */
  readonly dependsOnLabel?: boolean;
}

/** How much more often a number of label 1 is missing, and less often one of label 0. */
const LABEL_FACTOR = 0.5;

/** The data with numbers of data rows replaced by NaN. */
export function removeNumbers(made: Generated, { share, dependsOnLabel = false }: Removal, seed: number): Generated {
  const random = createRandom(seed);
  const values = made.values.slice();
  const probability = made.probability.slice();
  const size = values.length / made.labels.length;
  const shareOf = (label: number): number => (dependsOnLabel ? 1 + LABEL_FACTOR * (label === 1 ? 1 : -1) : 1) * share;
  for (let n = 0; n < made.labels.length; n++) {
    const own = shareOf(made.labels[n]);
    let odds = probability[n] / (1 - probability[n]);
    for (let from = n * size; from < (n + 1) * size; from += F) {
      const isData = values.subarray(from, from + F).some((x) => x !== 0);
      for (let f = 0; f < F; f++) {
        const isRemoved = random.uniform() < own;
        if (!isData) continue;
        odds *= isRemoved ? shareOf(1) / shareOf(0) : (1 - shareOf(1)) / (1 - shareOf(0));
        if (isRemoved) values[from + f] = Number.NaN;
      }
    }
    if (dependsOnLabel) probability[n] = odds / (1 + odds);
  }
  return { ...made, values, probability };
}

/** The same with every gap filled by its feature's mean over what is observed, as people do who have no better way. */
export function fillByMean(made: Generated): Generated {
  const sum = new Float64Array(F);
  const count = new Float64Array(F);
  for (let from = 0; from < made.values.length; from += F) {
    const row = made.values.subarray(from, from + F);
    if (row.every((x) => x === 0)) continue;
    row.forEach((x, f) => {
      if (Number.isNaN(x)) return;
      sum[f] += x;
      count[f]++;
    });
  }
  return { ...made, values: made.values.map((x, i) => (Number.isNaN(x) ? sum[i % F] / count[i % F] : x)) };
}
