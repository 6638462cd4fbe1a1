// In which order a batch goes through the kernel, and how the batch is cut. Legend: B sequences of a batch, T steps.
import { SHARDS } from "./memory-map.ts";

/** (B) positions in the batch by falling length, into `order`. Stable, so that the same batch is always cut the same way. */
export function sortByFallingLength(order: Int32Array, indices: Int32Array, lengths: Int32Array, batch: number, timesteps: number): void {
  const starts = new Int32Array(timesteps + 2);
  for (let b = 0; b < batch; b++) starts[timesteps - lengths[indices[b]] + 1]++;
  for (let t = 1; t < starts.length; t++) starts[t] += starts[t - 1];
  for (let b = 0; b < batch; b++) order[starts[timesteps - lengths[indices[b]]]++] = b;
}

/** How a batch is cut into chunks, and these dealt to shards, which are the tasks of a job on sequences. */
export function cutBatch(batch: number, chunkRows: number): { readonly batch: number; readonly shards: number; readonly chunks: number } {
  const minChunks = Math.ceil(batch / chunkRows);
  const shards = Math.min(SHARDS, minChunks);
  return { batch, shards, chunks: shards * Math.ceil(minChunks / shards) };
}
