// Which sequences go through the kernel side by side: eight of like length cost less together than alone. Knows lengths alone.

/** Sequences that the kernel takes at a time. */
export const LANES = 8;
/** A step of one sequence alone against its share of a step of eight (measured: 21.1 µs to 19.1 µs a sequence). */
const ALONE_COST = 1.1;

/** Whether eight sequences are left in `order` from `first` on, near enough in length that their steps together cost less than alone. */
export function sharesLength(lengths: Int32Array, order: Int32Array, first: number): boolean {
  if (first + LANES > order.length) return false;
  let steps = 0;
  for (let lane = 0; lane < LANES; lane++) steps += lengths[order[first + lane]];
  return steps * ALONE_COST >= LANES * lengths[order[first]];
}

/** The indices of `lengths`, each 1..T, by length downwards: a counting sort. */
export function longestFirst(lengths: Int32Array, T: number): Int32Array {
  const starts = new Int32Array(T + 1); // by T − length
  for (let n = 0; n < lengths.length; n++) starts[T - lengths[n] + 1]++;
  for (let i = 1; i <= T; i++) starts[i] += starts[i - 1];
  const order = new Int32Array(lengths.length);
  for (let n = 0; n < lengths.length; n++) order[starts[T - lengths[n]]++] = n;
  return order;
}
