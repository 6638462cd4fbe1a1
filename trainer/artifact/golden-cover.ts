// Golden inputs for models of trees: of many synthesised inputs those that take splits to both sides, and missing values each way.
// Legend: T steps, F features, V columns, K golden vectors.
import { GOLDEN_COUNT } from "../../shared/artifact/tensors.ts";
import type { Kernel } from "../../shared/kernel-instance.ts";
import { computeInputs, type Model } from "../../shared/model.ts";
import { openSeriesColumns } from "../../shared/series-columns.ts";
import { LEAF, MISSING_LEFT, type TreeEnsemble } from "../../shared/trees.ts";
import type { Random } from "../statistics/random.ts";
import { synthesiseGolden } from "./golden.ts";

/** Inputs of one length and kind among which one is chosen. */
const CANDIDATES = 8;
/** Ways on from a split: left and right, of a value and of a missing one. */
const WAYS = 4;

/**
 * (K,T,F) as synthesiseGolden. Where the model has trees, each of the K inputs is the one of eight of its length and kind that goes
 * the most ways which none before it went.
 */
export function chooseGolden(model: Pick<Model, "recipe" | "view" | "members">, random: Random, kernel: Kernel): Float64Array {
  const ensembles = model.members.flatMap((member) => (member.kind === "trees" ? [member.ensemble] : []));
  if (ensembles.length === 0) return synthesiseGolden(model.recipe, random);
  const { timesteps, features } = model.recipe;
  const size = timesteps * features.length;
  const candidates = Array.from({ length: CANDIDATES }, () => synthesiseGolden(model.recipe, random));
  const series = openSeriesColumns(kernel);
  const columns = candidates.map((inputs) => computeInputs(model, inputs, kernel.log, series).columns!);
  const V = columns[0].length / GOLDEN_COUNT;
  const seen = ensembles.map(({ column }) => new Uint8Array(WAYS * column.length));
  const out = new Float64Array(GOLDEN_COUNT * size);
  for (let k = 0; k < GOLDEN_COUNT; k++) {
    const rows = columns.map((all) => all.subarray(k * V, (k + 1) * V));
    const gains = rows.map((row) => ensembles.reduce((sum, ensemble, i) => sum + walk(ensemble, row, seen[i], false), 0));
    const best = gains.indexOf(Math.max(...gains));
    for (const [i, ensemble] of ensembles.entries()) walk(ensemble, rows[best], seen[i], true);
    out.set(candidates[best].subarray(k * size, (k + 1) * size), k * size);
  }
  return out;
}

/** How many ways the sequence with these columns (V) goes that are not in `seen`; `marks` puts them there. */
function walk(
  { edgeStart, edges, roots, column, edge, next }: TreeEnsemble,
  columns: Float64Array,
  seen: Uint8Array,
  marks: boolean,
): number {
  let count = 0;
  for (let node of roots)
    while (column[node] !== LEAF) {
      const value = columns[column[node]];
      const isMissing = Number.isNaN(value);
      const threshold = edges[edgeStart[column[node]] + (edge[node] & ~MISSING_LEFT)];
      const goesLeft = isMissing ? (edge[node] & MISSING_LEFT) !== 0 : value <= threshold;
      const way = WAYS * node + (isMissing ? 2 : 0) + (goesLeft ? 0 : 1);
      if (seen[way] === 0) count++;
      if (marks) seen[way] = 1;
      node = goesLeft ? node + 1 : next[node];
    }
  return count;
}
