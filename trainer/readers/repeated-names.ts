// Columns that bear one name, and names that tools make of such: which feature and step each may be. Knows names only.
// Legend: T steps, F features.
import type { Grid } from "./header-reading.ts";

/** `--columns` that names no step: the columns of one name are its steps, the first the oldest. */
const NAME_ALONE = "{feature}";

/** Whether `--columns`, as parsePattern gives it, says that names repeat. */
export function saysRepeated(pattern: RegExp | undefined): boolean {
  return pattern !== undefined && !/<(?:step|lag)>/.test(pattern.source);
}

/** What settles names that repeat: as a part of a sentence. */
export const REPEATED_ADVICE = `--columns "${NAME_ALONE}" where the columns of one name are its steps, the first the oldest`;

/** Names that repeat, each as often as the others, and the places of those that stand once; null where most names do not, or repeat unlike. */
export function readRepeated(names: readonly string[]): (Grid & { readonly rest: readonly number[] }) | null {
  const places = new Map<string, number[]>();
  for (const [column, name] of names.entries()) places.set(name, [...(places.get(name) ?? []), column]);
  const repeated = [...places.values()].filter((columns) => columns.length > 1);
  const T = repeated[0]?.length ?? 0;
  if (T === 0 || repeated.some((columns) => columns.length !== T)) return null;
  const order = Array.from({ length: T }, (_, t) => repeated.map((columns) => columns[t])).flat();
  const rest = [...places.values()].filter((columns) => columns.length === 1).flat();
  if (order.length < names.length / 2) return null;
  return { timesteps: T, features: repeated.map((columns) => names[columns[0]]), order, rest };
}

/**
 * Names beside a grid that are its features' names alone: `open` beside `open.1, open.2`, as pandas and R rename columns of one name,
 * or a newest step beside lags. The first of them and the column that counts on from it; null where a feature has none.
 */
export function findBareNames(
  names: readonly string[],
  { features, order, rest }: Pick<Grid, "features" | "order"> & { readonly rest: readonly number[] },
): { readonly bare: number; readonly next: number } | null {
  const bare = new Map(rest.map((column) => [names[column], column]));
  if (!features.every((feature) => bare.has(feature))) return null;
  return { bare: bare.get(features[0])!, next: order[0] };
}
