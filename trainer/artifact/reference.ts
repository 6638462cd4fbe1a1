// How held-out data looked when the model was made: the histograms against which drift is measured later.
// Legend: N sequences, T steps, C channels.
import { CHANNEL_BINS, type Reference, SCORE_BINS } from "../../shared/model.ts";
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
  const channelEdges = new Float32Array(C * (CHANNEL_BINS - 1));
  const channelCounts = new Uint32Array(C * CHANNEL_BINS);
  const column = new Float32Array(rows);
  for (let c = 0; c < C; c++) {
    let count = 0;
    for (let n = 0; n < N; n++) for (let t = 0; t < lengths[n]; t++) column[count++] = channels[(n * timesteps + t) * C + c];
    column.sort();
    const edges = channelEdges.subarray(c * (CHANNEL_BINS - 1), (c + 1) * (CHANNEL_BINS - 1));
    for (let e = 0; e < edges.length; e++) edges[e] = column[Math.floor(((e + 1) * rows) / CHANNEL_BINS)];
    for (const value of column) channelCounts[c * CHANNEL_BINS + binOf(value, edges)]++;
  }
  const scoreCounts = new Uint32Array(SCORE_BINS);
  for (const p of probabilities) scoreCounts[Math.min(SCORE_BINS - 1, Math.floor(p * SCORE_BINS))]++;
  return { channelEdges, channelCounts, scoreCounts };
}

function binOf(value: number, edges: Float32Array): number {
  let bin = 0;
  while (bin < edges.length && value >= edges[bin]) bin++;
  return bin;
}
