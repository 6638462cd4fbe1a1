// How held-out data looked when the model was made: the histograms against which drift is measured later.
// Legend: N sequences, T steps, C channels.
import { binOf, countGaps } from "../../shared/drift/watched.ts";
import { CHANNEL_BINS, type Reference, SCORE_BINS, type SequenceReference } from "../../shared/model.ts";
import type { Channels } from "../../shared/recipe/recipe.ts";

/** Histograms of `heldOut` (the recipe's channels of held-out sequences) over valid rows, and of their `probabilities` (N). */
export function computeReference(
  heldOut: Pick<Channels, "channels" | "lengths">,
  timesteps: number,
  probabilities: Float32Array,
): Reference {
  const { channels, lengths } = heldOut;
  const N = lengths.length;
  const C = channels.length / (N * timesteps);
  const rows = lengths.reduce((sum, length) => sum + length, 0);
  const column = new Float32Array(rows);
  const described = Array.from({ length: C }, (_, c) => {
    let count = 0;
    for (let n = 0; n < N; n++) for (let t = 0; t < lengths[n]; t++) column[count++] = channels[(n * timesteps + t) * C + c];
    return describeValues(column);
  });
  const { edges: channelEdges, counts: channelCounts } = joinRows(described);
  const scoreCounts = new Uint32Array(SCORE_BINS);
  for (const p of probabilities) scoreCounts[Math.min(SCORE_BINS - 1, Math.floor(p * SCORE_BINS))]++;
  return { channelEdges, channelCounts, scoreCounts };
}

/**
 * One value a sequence, of held-out sequences that share no row: `values` (N,T,F) raw, `channels` the recipe's. Scores are not known yet.
 */
export function computeSequenceReference(
  { channels, lengths }: Pick<Channels, "channels" | "lengths">,
  values: Float64Array,
  timesteps: number,
  hasGaps: boolean,
): SequenceReference {
  const N = lengths.length;
  const C = N === 0 ? 0 : channels.length / (N * timesteps);
  const rows = Array.from({ length: C }, (_, c) =>
    Float32Array.from(lengths, (length, n) => channels[(n * timesteps + length - 1) * C + c]),
  );
  const gaps = hasGaps ? Float32Array.from(lengths, (_, n) => countGaps(values, n, N)) : NOTHING;
  return joinRows([...rows, Float32Array.from(lengths), gaps, NOTHING].map(describeValues));
}

/** The same with the scores of sequences that share no row, which the model that is served did not see: the last row. */
export function withScores({ edges, counts }: SequenceReference, probabilities: Float32Array): SequenceReference {
  const others = { edges: edges.subarray(0, 1 - CHANNEL_BINS), counts: counts.subarray(0, -CHANNEL_BINS) };
  return joinRows([others, describeValues(probabilities)]);
}

const NOTHING = new Float32Array(0);

/** Deciles of `values`, and how many lie between them; zeros where there are none. */
function describeValues(values: Float32Array): SequenceReference {
  const edges = new Float32Array(CHANNEL_BINS - 1);
  const counts = new Uint32Array(CHANNEL_BINS);
  const sorted = values.toSorted();
  if (sorted.length > 0) for (let e = 0; e < edges.length; e++) edges[e] = sorted[Math.floor(((e + 1) * sorted.length) / CHANNEL_BINS)];
  for (const value of sorted) counts[binOf(value, edges)]++;
  return { edges, counts };
}

function joinRows(rows: readonly SequenceReference[]): SequenceReference {
  return {
    edges: Float32Array.from(rows.flatMap(({ edges }) => Array.from(edges))),
    counts: Uint32Array.from(rows.flatMap(({ counts }) => Array.from(counts))),
  };
}
