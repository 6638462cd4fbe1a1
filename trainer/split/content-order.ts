// An order of sequences that depends on what they hold alone, so that shuffling the rows of a file changes nothing.
// Legend: N sequences.
import type { Random } from "../statistics/random.ts";
import { ascending } from "./chronology.ts";

/**
 * The N sequences of `values`, `size` numbers each, in an order that `random` draws: equal draws give equal sequences at equal places,
 * whatever their order in the file. Sequences that are equal stand by `labels` (N) before they are drawn.
 */
export function drawByContent(values: Float64Array, labels: ArrayLike<number>, size: number, random: Random): Int32Array {
  const words = new BigInt64Array(values.buffer, values.byteOffset, values.length); // bits, since NaN has no order
  const order = ascending(labels.length).sort((a, b) => compare(words, a * size, b * size, size) || labels[a] - labels[b] || a - b);
  random.shuffle(order);
  return order;
}

/** As drawByContent, by digests (N,2) of sequences: another order than theirs, which depends on what they hold alone just so. */
export function drawByDigest(content: Int32Array, labels: ArrayLike<number>, random: Random): Int32Array {
  const order = ascending(labels.length).sort(
    (a, b) => content[2 * a] - content[2 * b] || content[2 * a + 1] - content[2 * b + 1] || labels[a] - labels[b] || a - b,
  );
  random.shuffle(order);
  return order;
}

function compare(words: BigInt64Array, a: number, b: number, size: number): number {
  for (let i = 0; i < size; i++) if (words[a + i] !== words[b + i]) return words[a + i] < words[b + i] ? -1 : 1;
  return 0;
}
