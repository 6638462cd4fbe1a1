// Synthetic data with numbers removed, at random or so that the label shows in what is missing; the probability stays what it was before.
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
  const size = values.length / made.labels.length;
  for (let n = 0; n < made.labels.length; n++) {
    const factor = dependsOnLabel ? 1 + LABEL_FACTOR * (made.labels[n] === 1 ? 1 : -1) : 1;
    for (let from = n * size; from < (n + 1) * size; from += F) {
      const isData = values.subarray(from, from + F).some((x) => x !== 0);
      for (let f = 0; f < F; f++) if (random.uniform() < factor * share && isData) values[from + f] = Number.NaN;
    }
  }
  return { ...made, values };
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
