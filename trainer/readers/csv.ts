// CSV: one sequence a line, T·F numbers and perhaps a label. Bytes → values and labels. Knows no file system.
// Legend: N sequences, T steps, F features.
import { type CsvError, parse } from "csv-parse/sync";
import { DataError } from "../../shared/errors.ts";
import { DEFAULT_SHAPE, MAX_FEATURES, MAX_TIMESTEPS, type Shape } from "../../shared/sequence.ts";

export interface CsvContent {
  /** (N,T,F) */
  readonly values: Float64Array;
  /** (N), or null where there are none */
  readonly labels: Uint8Array | null;
  /** (N) as they stand, only where read leniently */
  readonly rawLabels?: Float64Array | null;
  readonly shape: Shape;
  /** (F) names from the header, or null */
  readonly features: readonly string[] | null;
  /** (N) each, the texts of further columns by name */
  readonly columns: Readonly<Record<string, readonly string[]>>;
}

/** Where a line holds what. */
interface Layout {
  readonly shape: Shape;
  readonly features: readonly string[] | null;
  /** (T·F) the column of step t, feature f at t·F + f */
  readonly order: readonly number[];
  readonly label: number | null;
  /** Further columns, to keep as text. */
  readonly others: readonly number[];
}

const LABEL_NAMES = ["label", "y", "target"];
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const MISSING = /^(?:[+-]?(?:nan|inf|infinity)|n\/?a|null|)$/i; // as numpy, pandas and R write it

/**
 * Reads sequences. A header whose columns read `<feature>_<step>` names the features and gives T and F; other columns are
 * 10 × 5 numbers, step by step. The label is the column named label, y or target, or else the one that
 * is left; it is looked at only where `labels` are wanted. `columns` names further ones. Throws DataError naming the line.
 */
export function readCsv(bytes: Uint8Array, source: string, labels: boolean, columns: readonly string[], lenient = false): CsvContent {
  const plan: Plan = (header, count) => {
    const layout = findLayout(header, count, source, columns);
    return labels ? layout : { ...layout, label: null };
  };
  return readLines(bytes, source, plan, lenient);
}

/** Reads labels from a file of their own, with one column. */
export function readCsvLabels(bytes: Uint8Array, source: string, lenient = false): Pick<CsvContent, "rawLabels"> & { labels: Uint8Array } {
  const plan: Plan = (_header, count) => {
    if (count !== 1) throw new DataError(source, `has ${count} columns, expected one, the label`);
    return { shape: { timesteps: 0, features: 0 }, features: null, order: [], label: 0, others: [] };
  };
  const { labels, rawLabels } = readLines(bytes, source, plan, lenient);
  return { labels: labels ?? new Uint8Array(0), rawLabels };
}

type Plan = (header: readonly string[] | null, columns: number) => Layout;

/** Reads every line as `plan` says once the first is known. */
function readLines(bytes: Uint8Array, source: string, plan: Plan, lenient: boolean): CsvContent {
  let header: readonly string[] | null = null;
  let layout: Layout | null = null;
  let count = 0;
  let values = new Float64Array(1024);
  const labels: number[] = [];
  const texts: Record<string, string[]> = {};
  let N = 0;
  let lastLine = 0;
  const onRecord = (record: string[], { lines: line }: { lines: number }): null => {
    const read = (i: number): number => {
      const number = parseCell(record[i]);
      if (number !== undefined && (lenient || Number.isFinite(number))) return number;
      throw new DataError(`${source}: line ${line}`, `${nameColumn(header, i)} is ${show(record[i])}, expected a finite number`);
    };
    lastLine = line;
    if (layout === null) {
      count = record.length;
      if (isHeader(record)) header = record.map((cell) => cell.trim());
      layout = plan(header, count);
      for (const i of layout.others) texts[header![i]] = [];
      if (header) return null;
    }
    const { order, label, others } = layout;
    if (record.length !== count)
      throw new DataError(`${source}: line ${line}`, `has ${record.length} columns, expected ${count} as in the first line`);
    const at = N * order.length;
    if (at + order.length > values.length) {
      const longer = new Float64Array(2 * values.length + order.length);
      longer.set(values);
      values = longer;
    }
    for (let i = 0; i < order.length; i++) values[at + i] = read(order[i]);
    if (label !== null) {
      const number = read(label);
      if (!lenient && number !== 0 && number !== 1)
        throw new DataError(`${source}: line ${line}`, `${nameColumn(header, label)} is ${number}, expected a label 0 or 1`);
      labels.push(number);
    }
    for (const i of others) texts[header![i]].push(record[i].trim());
    N++;
    return null; // csv-parse keeps nothing: the texts of 100,000 lines are ten times their numbers
  };
  try {
    parse(bytes, { bom: true, skip_empty_lines: true, relax_column_count: true, on_record: onRecord });
  } catch (error) {
    if (error instanceof DataError) throw error;
    const { code, message } = error as CsvError;
    const place = `${source}: line ${lastLine + 1}`;
    if (code === "CSV_QUOTE_NOT_CLOSED") throw new DataError(place, "opens a quote that is never closed");
    if (code?.endsWith("_QUOTE")) throw new DataError(place, "has a quote in the middle of a field");
    throw new DataError(source, `cannot be read as CSV: ${message}`);
  }
  if (layout === null || N === 0) throw new DataError(source, "has no line of numbers");
  const { shape, features, order, label } = layout as Layout;
  const found = label === null ? null : Uint8Array.from(labels, (number) => (number === 1 ? 1 : 0));
  const raw = lenient && label !== null ? { rawLabels: Float64Array.from(labels) } : {};
  return { values: values.slice(0, N * order.length), labels: found, ...raw, shape, features, columns: texts };
}

/** A number; NaN for what stands for a missing one; undefined for other text. */
function parseCell(text: string): number | undefined {
  const cell = text.trim();
  if (NUMBER.test(cell)) return Number(cell);
  if (MISSING.test(cell)) return Number.NaN;
  if (/^true$/i.test(cell)) return 1; // pandas writes bool labels so
  return /^false$/i.test(cell) ? 0 : undefined;
}

/** Names, among them perhaps pandas' 0, 1, 2, …; a line of numbers with one bad cell is not a header. */
function isHeader(record: readonly string[]): boolean {
  const numbers = record.map((cell) => cell.trim()).filter((cell) => NUMBER.test(cell));
  const namesOnly = numbers.every((cell) => /^\d+$/.test(cell)) && new Set(numbers).size === numbers.length;
  return namesOnly && record.some((cell) => parseCell(cell) === undefined);
}

function findLayout(header: readonly string[] | null, count: number, source: string, columns: readonly string[]): Layout {
  if (header?.includes(""))
    throw new DataError(source, "has a column without a name, an index perhaps: write it without, as to_csv(…, index=False)");
  const others = columns.map((name) => {
    const column = header?.indexOf(name) ?? -1;
    if (column < 0) throw new DataError(source, `has no column ${show(name)} in its first line`);
    return column;
  });
  const rest = Array.from({ length: count }, (_, i) => i).filter((i) => !others.includes(i));
  const named = rest.filter((i) => LABEL_NAMES.includes(header?.[i].toLowerCase() ?? ""));
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
      `has ${count} column${count === 1 ? "" : "s"} separated by commas, expected ${T * F} numbers (${T} × ${F}, step by step) and perhaps a label: for another shape name the columns <feature>_<step>`,
    );
  return { shape: DEFAULT_SHAPE, features: null, order, label, others };
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

function list(header: readonly string[] | null, columns: readonly number[]): string {
  const names = columns.slice(0, 4).map((i) => show(header?.[i] ?? ""));
  return names.join(", ") + (columns.length > 4 ? ", …" : "");
}

function nameColumn(header: readonly string[] | null, i: number): string {
  return header ? `column ${show(header[i])}` : `column ${i + 1}`;
}

function show(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);
}
