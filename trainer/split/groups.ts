// Whole groups into parts, so that no group is in two. Knows labels and groups: no rows and no time.
// Legend: N sequences.
import { classOf } from "../statistics/labels.ts";
import type { Random } from "../statistics/random.ts";
import { ascending, maximum } from "./chronology.ts";

/**
 * Puts whole groups into parts, the largest first, each where it is missed most: the part whose two label counts lack most of
 * their share. Groups of one thus come out stratified to within one sequence. `group` (N) numbers from 0, `labels` (N) from 0 to 1,
 * `shares` of the parts sum to 1. Returns (N) each sequence's part.
 */
export function assignGroups(group: Int32Array, labels: ArrayLike<number>, shares: readonly number[], random: Random): Int8Array {
  const groups = maximum(group) + 1;
  const counts = new Int32Array(2 * groups); // (groups,2) by label
  const totals = [0, 0];
  for (let n = 0; n < group.length; n++) {
    const label = classOf(labels[n]);
    counts[2 * group[n] + label]++;
    totals[label]++;
  }
  const size = (g: number): number => counts[2 * g] + counts[2 * g + 1];
  const order = ascending(groups);
  random.shuffle(order);
  order.sort((a, b) => size(b) - size(a)); // stable
  const lacking = shares.map((share) => totals.map((total) => share * total));
  const partOf = new Int8Array(groups);
  for (const g of order) {
    let best = 0;
    let bestGain = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < shares.length; k++) {
      if (shares[k] === 0) continue;
      let gain = 0;
      for (let y = 0; y < 2; y++) if (totals[y] > 0) gain += (counts[2 * g + y] / totals[y]) * (lacking[k][y] / totals[y]);
      if (gain > bestGain) [best, bestGain] = [k, gain];
    }
    partOf[g] = best;
    for (let y = 0; y < 2; y++) lacking[best][y] -= counts[2 * g + y];
  }
  return Int8Array.from(group, (g) => partOf[g]);
}

/** How many sequences are of a series (N) that is in more than one part (N). */
export function countCrossing(series: Int32Array, part: Int8Array): number {
  const parts = new Uint8Array(maximum(series) + 1); // a bit a part
  for (let n = 0; n < series.length; n++) parts[series[n]] |= 1 << part[n];
  return series.reduce((sum, s) => sum + ((parts[s] & (parts[s] - 1)) !== 0 ? 1 : 0), 0);
}

/** (N) any numbers → 0 … distinct − 1, in the order in which they appear. */
export function renumber(groups: Int32Array): Int32Array {
  const isDense = groups.every((group) => group >= 0 && group < 2 * groups.length);
  const numbers = isDense ? openTable(2 * groups.length) : new Map<number, number>();
  let distinct = 0;
  return groups.map((group) => {
    const known = numbers.get(group);
    if (known !== undefined) return known;
    numbers.set(group, distinct);
    return distinct++;
  });
}

/** What a map does for numbers below `count`; a map of a million entries takes a hundred megabytes. */
function openTable(count: number) {
  const table = new Int32Array(count); // 0: nothing
  return {
    get: (key: number) => (table[key] === 0 ? undefined : table[key] - 1),
    set(key: number, value: number): void {
      table[key] = value + 1;
    },
  };
}
