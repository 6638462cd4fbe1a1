// Which column of a table holds what, by their names or their number: for CSV and Parquet alike. Knows no bytes and no values.
// Legend: T steps, F features.
import { DataError } from "../../shared/errors.ts";
import { DEFAULT_SHAPE, MAX_FEATURES, MAX_TIMESTEPS, type Shape } from "../../shared/sequence.ts";
import { LABEL_NAMES, type Wanted } from "./batch.ts";

/** Where a record holds what. */
export interface Layout {
  readonly shape: Shape;
  /** (F) */
  readonly features: readonly string[] | null;
  /** (T·F) the column of step t, feature f at t·F + f */
  readonly order: readonly number[];
  readonly label: number | null;
  /** Of `wanted.columns`, in their order. */
  readonly others: readonly number[];
}

/**
 * A header whose columns read `<feature>_<step>` names the features and gives T and F; other columns are 10 × 5 numbers, step by
 * step. The label is the column that `wanted` names, or that is called as labels are, or else the one that is left. Where rows are
 * wanted, a record is one row: the features that are named, or what is left. `header` is null where nothing is named. Throws DataError.
 */
export function findLayout(header: readonly string[] | null, count: number, source: string, wanted: Wanted): Layout {
  if (header?.includes(""))
    throw new DataError(source, "has a column without a name, an index perhaps: write it without, as to_csv(…, index=False)");
  const find = (name: string): number => {
    const column = header?.indexOf(name) ?? -1;
    if (column >= 0) return column;
    throw new DataError(
      source,
      `has no column ${show(name)}${header ? `, only ${list(header, [...header.keys()])}` : ", since its first line is no header"}`,
    );
  };
  const others = wanted.columns.map(find);
  const rest = Array.from({ length: count }, (_, i) => i).filter((i) => !others.includes(i));
  const isLabel = (i: number): boolean =>
    wanted.label === undefined ? LABEL_NAMES.includes(header?.[i].toLowerCase() ?? "") : header?.[i] === wanted.label;
  const named = wanted.label !== undefined && wanted.labels ? [find(wanted.label)] : rest.filter(isLabel);
  if (wanted.rows) return { ...findRow(header, rest, named, source, wanted.rows.features, find), others };
  if (named.length > 1) throw new DataError(source, `has ${named.length} label columns, ${list(header, named)}, expected one`);

  const grid = header && findGrid(header, rest, source);
  if (grid) {
    const left = rest.filter((i) => !grid.order.includes(i));
    if (left.length > 1) throw new DataError(source, `has columns ${list(header, left)} beside the features, expected one label`);
    return { ...grid, label: left[0] ?? null, others };
  }

  const { timesteps: T, features: F } = DEFAULT_SHAPE;
  const label = named[0] ?? (rest.length === T * F + 1 ? rest[T * F] : null);
  const order = rest.filter((i) => i !== label);
  if (order.length !== T * F)
    throw new DataError(
      source,
      `has ${count} column${count === 1 ? "" : "s"} separated by commas, expected ${T * F} numbers (${T} × ${F}, step by step) and perhaps a label: for another shape name the columns <feature>_<step>, for one row a line say --key or --features`,
    );
  return { shape: DEFAULT_SHAPE, features: null, order, label, others };
}

/** One row a record. */
function findRow(
  header: readonly string[] | null,
  rest: readonly number[],
  named: readonly number[],
  source: string,
  wanted: readonly string[] | undefined,
  find: (name: string) => number,
): Omit<Layout, "others"> {
  if (header === null) throw new DataError(source, "has no header, which rows of a series need: name the columns in the first line");
  const order = wanted ? wanted.map(find) : rest.filter((i) => !named.includes(i));
  const labels = named.filter((i) => !order.includes(i));
  if (labels.length > 1) throw new DataError(source, `has ${labels.length} label columns, ${list(header, labels)}: name one with --label`);
  if (order.length === 0 || order.length > MAX_FEATURES)
    throw new DataError(source, `has ${order.length} features in a row, expected 1 to ${MAX_FEATURES}: name them with --features`);
  return { shape: { timesteps: 1, features: order.length }, features: order.map((i) => header[i]), order, label: labels[0] ?? null };
}

/** Features and steps from names `<feature>_<step>`, steps from 0 or 1; null when most names are not like that. */
function findGrid(header: readonly string[], rest: readonly number[], source: string): Pick<Layout, "shape" | "features" | "order"> | null {
  const places = new Map<string, Map<number, number>>(); // feature → step → column
  let count = 0;
  for (const i of rest) {
    const name = header[i];
    const [, feature, step] = /^(.+)_(\d{1,9})$/.exec(name) ?? [];
    if (feature === undefined) continue;
    const steps = places.get(feature) ?? new Map<number, number>();
    if (steps.has(Number(step))) throw new DataError(source, `has two columns ${show(name)}`);
    places.set(feature, steps.set(Number(step), i));
    count++;
  }
  if (2 * count < rest.length) return null;
  const features = [...places.keys()];
  const F = features.length;
  const steps = new Set([...places.values()].flatMap((columns) => [...columns.keys()]));
  const T = steps.size;
  const first = steps.has(0) ? 0 : 1;
  if (F > MAX_FEATURES || T > MAX_TIMESTEPS)
    throw new DataError(source, `names ${F} features and ${T} steps, expected at most ${MAX_FEATURES} and ${MAX_TIMESTEPS}`);
  if (F === 1 && T === DEFAULT_SHAPE.timesteps * DEFAULT_SHAPE.features)
    throw new DataError(
      source,
      `names its columns ${show(features[0])} and a number, which may be ${T} steps of one feature or ${DEFAULT_SHAPE.timesteps} × ${DEFAULT_SHAPE.features}: name them <feature>_<step>, or save an array of shape (N, T, F) as .npy`,
    );
  const order: number[] = [];
  for (let t = first; t < first + T; t++)
    for (const feature of features) {
      const column = places.get(feature)?.get(t);
      if (column === undefined)
        throw new DataError(source, `has no column ${show(`${feature}_${t}`)}, while others name ${F} features and ${T} steps`);
      order.push(column);
    }
  return { shape: { timesteps: T, features: F }, features, order };
}

/** Up to four columns by name, as an error lists them. */
export function list(header: readonly string[] | null, columns: readonly number[]): string {
  const names = columns.slice(0, 4).map((i) => show(header?.[i] ?? ""));
  return names.join(", ") + (columns.length > 4 ? ", …" : "");
}

/** As an error names a column. */
export function nameColumn(header: readonly string[] | null, i: number): string {
  return header ? `column ${show(header[i])}` : `column ${i + 1}`;
}

/** A text as an error shows it: in quotes, at most 40 characters. */
export function show(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);
}
