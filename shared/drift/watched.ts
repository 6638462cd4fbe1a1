// What of a sequence is watched for drift, and how it looked when the model was made. Pure.
// Legend: N sequences, T steps, C channels, S watched quantities, B bins of one.
import { CHANNEL_BINS, type Model, type ModelInputs, SCORE_BINS } from "../model.ts";
import { describeChannel } from "../recipe/channel.ts";

/** One quantity: its bins, and how many of the reference fell into each. */
export interface Quantity {
  readonly name: string;
  /** (B−1) ascending; a value on an edge counts above it. */
  readonly edges: ArrayLike<number>;
  /** (B) of the reference; all 0 where the reference has none of it: then it is not watched. */
  readonly counts: ArrayLike<number>;
}

/**
 * `sequences`: one value a sequence, which a test can be built on. `rows`: the reference counted rows, which depend on each other within a
 * sequence, so that only their shares can be compared. `none`: an imported model that was not calibrated.
 */
export type Basis = "sequences" | "rows" | "none";

export interface Watched {
  readonly basis: Basis;
  readonly quantities: readonly Quantity[];
}

/** (S) the bins that a sequence's values fell into, of each quantity: one, of `rows` one a valid row, none where it has no value. No input can be made of it again. */
export type Observation = readonly (readonly number[])[];

/** What a model's reference lets be watched. */
export function watchedOf({ recipe, reference }: Pick<Model, "recipe" | "reference">): Watched {
  const names = recipe.channels.map((channel) => describeChannel(channel, recipe.features));
  const { sequences } = reference;
  if (sequences !== undefined)
    return {
      basis: "sequences",
      quantities: [...names, "length", "gaps", "score"].map((name, s) => quantityAt(name, s, sequences.edges, sequences.counts)),
    };
  const scores = {
    name: "score",
    edges: Array.from({ length: SCORE_BINS - 1 }, (_, e) => (e + 1) / SCORE_BINS),
    counts: reference.scoreCounts,
  };
  const quantities = [...names.map((name, c) => quantityAt(name, c, reference.channelEdges, reference.channelCounts)), scores];
  return { basis: quantities.some(isWatched) ? "rows" : "none", quantities };
}

function quantityAt(name: string, s: number, edges: Float32Array, counts: Uint32Array): Quantity {
  const B = CHANNEL_BINS;
  return { name, edges: edges.subarray(s * (B - 1), (s + 1) * (B - 1)), counts: counts.subarray(s * B, (s + 1) * B) };
}

/** Whether the reference has anything of a quantity. */
export function isWatched({ counts }: Quantity): boolean {
  return sizeOf(counts) > 0;
}

/** How many values `counts` (B) are. */
export function sizeOf(counts: ArrayLike<number>): number {
  let size = 0;
  for (let b = 0; b < counts.length; b++) size += counts[b];
  return size;
}

/** The bin of a value: how many of `edges` it reaches. */
export function binOf(value: number, edges: ArrayLike<number>): number {
  let bin = 0;
  while (bin < edges.length && value >= edges[bin]) bin++;
  return bin;
}

/** What a sequence that was scored says, sequence `n` of `inputs`, whose raw numbers are `values` (N,T,F). */
export function observe(
  { basis, quantities }: Watched,
  { channels, lengths }: Pick<ModelInputs, "channels" | "lengths">,
  values: Float64Array,
  n: number,
  probability: number,
): Observation {
  const N = lengths.length;
  const others = basis === "rows" ? 1 : 3;
  const C = quantities.length - others;
  const T = channels.length / (N * C);
  const rows = lengths[n];
  const first = basis === "rows" ? 0 : rows - 1;
  return quantities.map((quantity, s) => {
    if (!isWatched(quantity)) return [];
    const { edges } = quantity;
    if (s === quantities.length - 1) return [binOf(Math.fround(probability), edges)];
    if (s === C) return [binOf(rows, edges)];
    if (s === C + 1) return [binOf(countGaps(values, n, N), edges)];
    return Array.from({ length: rows - first }, (_, t) => binOf(channels[(n * T + first + t) * C + s], edges));
  });
}

/** How many numbers sequence `n` of `values` (N,T,F) lacks. */
export function countGaps(values: Float64Array, n: number, N: number): number {
  const size = values.length / N;
  let gaps = 0;
  for (let i = n * size; i < (n + 1) * size; i++) if (Number.isNaN(values[i])) gaps++;
  return gaps;
}
