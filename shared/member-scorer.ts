// What a member is given of sequences, and what it gives back. Knows no member.
// Legend: N sequences, T steps, C channels, V columns.

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
