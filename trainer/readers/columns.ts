// What stands beside the values: who a sequence belongs to, and when it was. Knows no format.
// Legend: N sequences.
import { takeLabels } from "../statistics/labels.ts";
import type { Column, Part } from "./batch.ts";
import { requireKey } from "./keys.ts";
import { reorder, type StoredSequences } from "./stored-sequences.ts";
import type { Times } from "./times.ts";

/** (N) equal entries of the column `name` get equal numbers, from 0 in the order they appear. Throws DataError where one is missing. */
export function toGroups(column: Column, name: string, source: string): Int32Array {
  const numbers = new Map<number | string, number>();
  return Int32Array.from(column as ArrayLike<number | string>, (written, n) => {
    const entry = requireKey(written, name, n, source);
    const known = numbers.get(entry) ?? numbers.size;
    numbers.set(entry, known);
    return known;
  });
}

interface Sortable extends Part {
  readonly groups?: Int32Array;
  /** Instead of values. */
  readonly stored?: StoredSequences;
}

/** The same sequences in the order of `times`; equal times stay as they stood (sort is stable). */
export function sortByTime(content: Sortable, { coarse, fine }: Times): Sortable {
  const { values, labels, probability, groups, stored } = content;
  const order = Int32Array.from(coarse.keys()).sort((a, b) => coarse[a] - coarse[b] || (fine === null ? 0 : fine[a] - fine[b]));
  if (order.every((n, i) => n === i)) return content;
  const size = values.length / order.length; // T·F
  const sorted = new Float64Array(values.length);
  if (!stored) for (const [i, n] of order.entries()) sorted.set(values.subarray(n * size, (n + 1) * size), i * size);
  return {
    values: sorted,
    labels: labels && takeLabels(labels, order),
    probability: probability && Float64Array.from(order, (n) => probability[n]),
    groups: groups && order.map((n) => groups[n]),
    ...(stored && { stored: reorder(stored, order) }),
  };
}
