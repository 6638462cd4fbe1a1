// What a member is given of sequences, and what it gives back. Knows no member.
// Legend: N sequences, T steps, C channels, V columns.
import { MAX_TIMESTEPS } from "./sequence.ts";

/** What is known of N sequences. */
export interface EngineInputs {
  /** (N,T,C) float32, left-aligned: the first `lengths[n]` rows of each hold data, the rest is never read. */
  readonly channels: Float32Array;
  /** (N), each 1..T */
  readonly lengths: Int32Array;
  /** (N,V) of the tabular view, where a member looks at it; NaN where a value is missing. */
  readonly columns?: Float64Array;
}

/** Writes N logits: that of sequence n to `out[first + n · stride]`. Throws RangeError where the inputs do not fit the member. */
export type MemberScorer = (inputs: EngineInputs, out: Float64Array, stride: number, first: number) => void;

/** T of a batch. Throws RangeError where sizes do not fit together or a length is not 1 to T. */
export function checkBatch({ channels, lengths }: EngineInputs, C: number): number {
  const N = lengths.length;
  const T = channels.length / N / C;
  if (!Number.isInteger(T) || T > MAX_TIMESTEPS)
    throw new RangeError(`channels must be ${N} × up to ${MAX_TIMESTEPS} steps × ${C}, got ${channels.length} numbers`);
  for (let n = 0; n < N; n++)
    if (!(lengths[n] >= 1 && lengths[n] <= T)) throw new RangeError(`lengths[${n}] must be 1 to ${T}, got ${lengths[n]}`);
  return T;
}
