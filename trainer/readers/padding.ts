// Sequences of different lengths → blocks of one size, the shorter ones with zeros in front.

/** (N,size) each sequence's numbers, from starts[n] to starts[n + 1], at the end of its block. */
export function padInFront(numbers: ArrayLike<number>, starts: ArrayLike<number>, size: number): Float64Array {
  const N = starts.length - 1;
  const values = new Float64Array(N * size);
  for (let n = 0; n < N; n++)
    for (let i = starts[n], at = (n + 1) * size - (starts[n + 1] - starts[n]); i < starts[n + 1]; i++) values[at++] = numbers[i];
  return values;
}
