// What stands beside the values: who a sequence belongs to, and when it was. Knows no format.
// Legend: N sequences.
import { DataError } from "../../shared/errors.ts";
import type { Column, Part } from "./batch.ts";

/** What an entry is called among groups and series: `1.0`, as pandas writes a whole number beside a gap, is `1`. */
export function keyOf(entry: number | string): number | string {
  return typeof entry === "string" && /^-?\d+\.0*$/.test(entry) ? entry.slice(0, entry.indexOf(".")) : entry;
}

/** (N) equal entries get equal numbers, from 0 in the order they appear. */
export function toGroups(column: Column): Int32Array {
  const numbers = new Map<number | string, number>();
  return Int32Array.from(column as ArrayLike<number | string>, (written) => {
    const entry = keyOf(written);
    const known = numbers.get(entry) ?? numbers.size;
    numbers.set(entry, known);
    return known;
  });
}

/** (N) numbers as they are, ISO dates in milliseconds; an error counts from `first`. Throws DataError. */
export function toTimes(column: Column, name: string, source: string, first = 0): Float64Array {
  return Float64Array.from(column as ArrayLike<number | string>, (entry, n) => {
    const isNumber = typeof entry === "number" || (entry !== "" && Number.isFinite(Number(entry)));
    const time = isNumber ? Number(entry) : Date.parse(entry as string);
    if (Number.isFinite(time)) return time;
    throw new DataError(
      source,
      `${name}[${first + n}] is ${typeof entry === "string" ? JSON.stringify(entry) : entry}, expected a number or an ISO date such as 2024-05-31T12:00Z`,
    );
  });
}

interface Sortable extends Part {
  readonly groups?: Int32Array;
}

/** The same sequences in the order of `times` (N); equal times stay as they stood (sort is stable). */
export function sortByTime({ values, labels, probability, groups }: Sortable, times: Float64Array): Sortable {
  const order = Int32Array.from(times.keys()).sort((a, b) => times[a] - times[b]);
  const size = values.length / times.length; // T·F
  const sorted = new Float64Array(values.length);
  order.forEach((n, i) => {
    sorted.set(values.subarray(n * size, (n + 1) * size), i * size);
  });
  return {
    values: sorted,
    labels: labels && Uint8Array.from(order, (n) => labels[n]),
    probability: probability && Float64Array.from(order, (n) => probability[n]),
    groups: groups && order.map((n) => groups[n]),
  };
}
