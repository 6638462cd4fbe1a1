export interface Engine {
  /** Which implementation answers: `wasm`. */
  readonly name: string;
  /**
   * Scores N sequences. `channels` (N,T,C) float32, left-aligned: the first `lengths[n]` rows of each hold data, the rest is
   * never read. `lengths` (N), each 1..T. Returns (N) float32 probabilities, calibration applied. Same bits for any N.
   */
  probabilities(channels: Float32Array, lengths: Int32Array): Float32Array;
}
