// Tables for the tests of boosted trees. Legend: N sequences, V columns.
import type { Rows, View } from "../../../../trainer/learners/learner.ts";
import type { BoostingSettings } from "../../../../trainer/learners/trees/settings.ts";
import { createTrees, type TreesOptions } from "../../../../trainer/learners/trees/trees.ts";
import { createRandom } from "../../../../trainer/statistics/random.ts";

/** Settings that tests start from. */
export const SETTINGS: BoostingSettings = {
  leaves: 8,
  columnFraction: 0.5,
  minLeaf: 5,
  minHessian: 1e-3,
  l2: 1,
  learningRate: 0.1,
  rounds: 20,
  patience: 10,
  thresholds: "random",
};

/** A view of columns (N,V) alone. */
export function tableView(columns: Float64Array, columnCount: number): View {
  const sequences = columns.length / columnCount;
  const columnNames = Array.from({ length: columnCount }, (_, v) => `column ${v}`);
  return { columns, columnNames, lengths: new Int32Array(sequences), channels: new Float32Array(), timesteps: 1, names: [] };
}

/** Labels that a threshold, an interaction and missing values decide; of each column but the first a part is missing. */
export function drawTable(sequences: number, columnCount: number, missing: number, seed: number) {
  const random = createRandom(seed);
  const columns = Float64Array.from({ length: sequences * columnCount }, () => random.normal());
  const labels = new Uint8Array(sequences);
  for (let n = 0; n < sequences; n++) {
    const own = columns.subarray(n * columnCount, (n + 1) * columnCount);
    let logit = (own[0] > 0.3 ? 1.5 : -1) + own[1] * own[2];
    for (let v = 1; v < columnCount; v++) {
      if (random.uniform() >= missing) continue;
      own[v] = Number.NaN;
      logit += v === 1 ? 1 : 0;
    }
    labels[n] = random.uniform() < 1 / (1 + Math.exp(-logit)) ? 1 : 0;
  }
  return { view: tableView(columns, columnCount), labels };
}

export const range = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

/** Every fifth sequence is for validation. */
export function splitRows(sequences: number): Rows {
  const all = range(sequences);
  return { train: all.filter((n) => n % 5 > 0), validation: all.filter((n) => n % 5 === 0), gap: 0 };
}

/** A learner over all columns of a view, on one thread. */
export function learnerOf(options: Partial<TreesOptions> = {}) {
  return createTrees({ settings: () => [SETTINGS], threads: 1, ...options });
}
