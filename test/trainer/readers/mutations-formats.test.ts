// Nine hundred more sets that something happened to, in the other forms: rows of series as CSV and Parquet, wide Parquet, and archives of
// arrays. Each is read rightly, or refused with one sentence; none is misread. The generator knows the right values.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, expect, test } from "vitest";
import { isQuickstepError } from "../../../shared/errors.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import type { ReadOptions } from "../../../trainer/readers/options.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { FEATURES, readForModel, T, WAYS } from "./forms.ts";

const SETS = 300;
const F = FEATURES.length;
const random = createRandom(21);
const pick = <A>(list: readonly A[]): A => list[random.integer(list.length)];
const folder = mkdtempSync(join(tmpdir(), "quickstep-mutations-formats-"));
afterAll(() => rmSync(folder, { recursive: true }));

const draw = (f: number): number => 1400 * (1 + 0.01 * random.normal()) * (f === 4 ? 1e6 : 1);

interface Outcome {
  readonly told: string;
  readonly fate: "read" | "refused";
  readonly expected: readonly (readonly number[])[];
  readonly options: ReadOptions;
}

/** Reads, and compares; sequences in any order where `isSorted`. Says whether it was read. */
async function judge(path: string, { told, fate, expected, options }: Outcome, isSorted: boolean): Promise<boolean> {
  const result = await readForModel(path, options).catch((error) => {
    expect(isQuickstepError(error), `${told}: ${error.stack}`).toBe(true);
    expect(error.message.split("\n"), told).toHaveLength(1);
    return error as Error;
  });
  if (result instanceof Error) {
    expect(fate, `${told}: ${result.message}`).not.toBe("read");
    return false;
  }
  expect(fate, told).not.toBe("refused");
  const arrange = (sequences: readonly (readonly number[])[]): string[] => {
    const texts = sequences.map((sequence) => sequence.join());
    return isSorted ? texts.sort() : texts;
  };
  expect(arrange(result.values), told).toEqual(arrange(expected));
  return true;
}

type Cell = number | string | null;
interface Column {
  readonly name: string;
  readonly cells: readonly Cell[];
}

/** A table in the making. */
interface Table {
  columns: Column[];
  fate: "read" | "refused";
  readonly options: ReadOptions;
  /** The names of the columns that are values. */
  readonly values: readonly string[];
  readonly format: "csv" | "parquet";
}

type Mutation = (table: Table) => void;

function edit(table: Table, name: string, change: (column: Column) => Column): void {
  table.columns = table.columns.map((column) => (column.name === name ? change(column) : column));
}

const editCell =
  (entry: Cell) =>
  (column: Column): Column => {
    const n = random.integer(column.cells.length);
    return { ...column, cells: column.cells.map((cell, k) => (k === n ? entry : cell)) };
  };

/** What may happen to any table of columns. */
const MUTATIONS: Readonly<Record<string, Mutation>> = {
  untouched() {},
  permuted(table) {
    const order = Int32Array.from(table.columns.keys());
    random.shuffle(order);
    table.columns = Array.from(order, (i) => table.columns[i]);
  },
  renamed(table) {
    edit(table, pick(table.values), (column) => ({ ...column, name: pick(["foo", "x_3", "Open", "adj close", "größe"]) }));
    table.fate = "refused";
  },
  dropped(table) {
    const name = pick(table.values);
    table.columns = table.columns.filter((column) => column.name !== name);
    table.fate = "refused";
  },
  doubled(table) {
    const name = pick(table.values);
    table.columns = [...table.columns, ...table.columns.filter((column) => column.name === name)];
    table.fate = "refused";
  },
  blanked(table) {
    edit(table, pick(table.values), editCell(null));
    table.fate = "refused";
  },
  "not a number"(table) {
    edit(table, pick(table.values), editCell(Number.NaN));
    table.fate = "refused";
  },
  infinite(table) {
    edit(table, pick(table.values), editCell(pick([Infinity, -Infinity])));
    table.fate = "refused";
  },
  "words for numbers"(table) {
    edit(table, pick(table.values), (column) => ({ ...column, cells: column.cells.map(() => pick(["a", "b", "1,000", "12:30"])) }));
    table.fate = "refused";
  },
  recased(table) {
    table.columns = table.columns.map((column) => ({ ...column, name: column.name.toUpperCase() }));
    table.fate = "refused";
  },
};

/** What may happen to rows of series beside. */
const ROW_MUTATIONS: Readonly<Record<string, Mutation>> = {
  ...MUTATIONS,
  "rows shuffled"(table) {
    const order = Int32Array.from(table.columns[0].cells.keys());
    random.shuffle(order);
    table.columns = table.columns.map((column) => ({ ...column, cells: Array.from(order, (n) => column.cells[n]) }));
  },
  "a column more"(table) {
    table.columns = [...table.columns, { name: "note", cells: table.columns[0].cells.map((_, n) => `n${n}`) }];
  },
  "keys as 1 and 1.0"(table) {
    if (table.format === "csv")
      edit(table, "sym", (column) => ({ ...column, cells: column.cells.map((cell, n) => (n % 2 ? `${cell}.0` : cell)) }));
  },
  "keys as text"(table) {
    edit(table, "sym", (column) => ({ ...column, cells: column.cells.map((cell) => `K${String(cell).replace(/\.0$/, "")}`) }));
  },
  "times as dates"(table) {
    edit(table, "at", (column) => ({ ...column, cells: column.cells.map((cell) => new Date(Number(cell) * 86_400_000).toISOString()) }));
  },
  "times as days first"(table) {
    const write = (cell: Cell): string => `${String(1 + (Number(cell) % 28)).padStart(2, "0")}/01/2026`;
    edit(table, "at", (column) => ({ ...column, cells: column.cells.map(write) }));
    table.fate = "refused";
  },
  "a time left out"(table) {
    edit(table, "at", editCell(table.format === "csv" ? "" : "soon"));
    table.fate = "refused";
  },
  "a key left out"(table) {
    edit(table, "sym", editCell(table.format === "csv" ? pick(["", " "]) : Number.NaN));
    table.fate = "refused";
  },
  "no key"(table) {
    edit(table, "sym", (column) => ({ ...column, name: "symbol" }));
    table.fate = "refused";
  },
  "no time"(table) {
    table.columns = table.columns.filter(({ name }) => name !== "at");
    table.fate = "refused";
  },
};

/** Mutations that undo each other, or of which one alone is plain. */
const SINGLE: readonly (readonly string[])[] = [
  ["renamed", "dropped", "doubled", "recased"],
  ["keys as 1 and 1.0", "keys as text", "a key left out", "no key", "recased"],
  ["times as dates", "times as days first", "a time left out", "no time", "recased"],
];

function mutate(table: Table, mutations: Readonly<Record<string, Mutation>>): string[] {
  const chosen = new Set<string>();
  for (let i = 1 + random.integer(2); i > 0; i--) {
    const name = pick(Object.keys(mutations));
    if (SINGLE.some((group) => group.includes(name) && group.some((other) => chosen.has(other)))) continue;
    chosen.add(name);
  }
  for (const name of chosen) mutations[name](table);
  return [...chosen];
}

function toCsv({ columns }: Table): string {
  const write = (cell: Cell): string => (cell === null ? "" : /[,"]/.test(String(cell)) ? `"${cell}"` : String(cell));
  const lines = columns[0].cells.map((_, n) => columns.map(({ cells }) => write(cells[n])).join(","));
  return `${columns.map(({ name }) => name).join(",")}\n${lines.join("\n")}\n`;
}

function toParquet({ columns }: Table): Uint8Array {
  const columnData = columns.map(({ name, cells }) => {
    const isText = cells.some((cell) => typeof cell === "string");
    const data = cells.map((cell) => (cell !== null && isText ? String(cell) : cell));
    return { name, data, type: isText ? ("STRING" as const) : ("DOUBLE" as const), nullable: true };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** Three series in turn, of 10 to 14 rows. */
function makeRows(): { columns: Column[]; windows: number[][] } {
  const lengths = [0, 1, 2].map(() => T + random.integer(5));
  const series = lengths.map((length) => Array.from({ length }, () => FEATURES.map((_, f) => draw(f))));
  const windows = series.flatMap((rows) => rows.slice(T - 1).map((_, i) => rows.slice(i, i + T).flat()));
  const order = lengths
    .flatMap((length, s) => Array.from({ length }, (_, t) => [s, t] as const))
    .sort((a, b) => a[1] - b[1] || a[0] - b[0]);
  const columns: Column[] = [
    { name: "sym", cells: order.map(([s]) => s) },
    { name: "at", cells: order.map(([, t]) => t + 20_000) },
    ...FEATURES.map((name, f) => ({ name, cells: order.map(([s, t]) => series[s][t][f]) })),
    { name: "y", cells: order.map(([s, t]) => (s + t) % 2) },
  ];
  return { columns, windows };
}

test.each(["csv", "parquet"] as const)(
  `of ${SETS} sets of rows in %s none is misread`,
  async (format) => {
    let read = 0;
    for (let i = 0; i < SETS; i++) {
      const { columns, windows } = makeRows();
      const table: Table = { columns, fate: "read", options: { key: "sym", time: "at" }, values: FEATURES, format };
      const told = `set ${i}: ${mutate(table, ROW_MUTATIONS).join(", ")}`;
      const path = join(folder, `rows-${i}.${format}`);
      writeFileSync(path, format === "csv" ? toCsv(table) : toParquet(table));
      read += Number(await judge(path, { told, fate: table.fate, expected: windows, options: table.options }, true));
    }
    expect(read).toBeGreaterThan(SETS / 5);
    expect(SETS - read).toBeGreaterThan(SETS / 5);
  },
  300_000,
);

/** What may happen to the columns of wide Parquet beside: their types change, which float32 rounds. */
const WIDE_MUTATIONS: Readonly<Record<string, Mutation>> = {
  ...MUTATIONS,
  "an index"(table) {
    table.columns = [...table.columns, { name: "__index_level_0__", cells: table.columns[0].cells.map((_, n) => n) }];
  },
  "numbers as text"(table) {
    table.columns = table.columns.map((column) => ({
      ...column,
      cells: column.cells.map((cell) => (cell === null ? null : String(cell))),
    }));
    table.fate = "refused";
  },
};

test(`of ${SETS} sets in wide Parquet none is misread`, async () => {
  let read = 0;
  for (let i = 0; i < SETS; i++) {
    const N = 3 + random.integer(4);
    const truth = Array.from({ length: N }, () => Array.from({ length: T * F }, (_, k) => draw(k % F)));
    const [example, write] = pick(WAYS);
    const names = Array.from({ length: T * F }, (_, k) => write(FEATURES[k % F], Math.floor(k / F)));
    const columns: Column[] = names.map((name, k) => ({ name, cells: truth.map((sequence) => sequence[k]) }));
    if (random.uniform() < 0.5) columns.push({ name: "label", cells: truth.map((_, n) => n % 2) });
    const table: Table = { columns, fate: "read", options: {}, values: names, format: "parquet" };
    const told = `set ${i}: ${example}, ${mutate(table, WIDE_MUTATIONS).join(", ")}`;
    const path = join(folder, `wide-${i}.parquet`);
    writeFileSync(path, toParquet(table));
    read += Number(await judge(path, { told, fate: table.fate, expected: truth, options: {} }, false));
  }
  expect(read).toBeGreaterThan(SETS / 10);
  expect(SETS - read).toBeGreaterThan(SETS / 5);
}, 300_000);

type Arrays = Record<string, { data: Float64Array | Uint8Array | string[]; shape: number[] }>;

/** An archive in the making. */
interface Archive {
  arrays: Arrays;
  fate: "read" | "refused";
  expected: number[][];
  options: ReadOptions;
}

const cut = (data: ArrayLike<number>, size: number): number[][] =>
  Array.from({ length: data.length / size }, (_, n) => Array.from({ length: size }, (_, i) => data[n * size + i]));

/** X (N,T,G) with feature f of `from` at place f. */
function takeFeatures(X: Float64Array, from: readonly number[]): Float64Array {
  return Float64Array.from({ length: (X.length / F) * from.length }, (_, i) => X[Math.floor(i / from.length) * F + from[i % from.length]]);
}

const ARRAY_MUTATIONS: Readonly<Record<string, (archive: Archive) => void>> = {
  "features permuted with their names"({ arrays }) {
    const order = Int32Array.from(FEATURES.keys());
    random.shuffle(order);
    arrays.X.data = takeFeatures(arrays.X.data as Float64Array, Array.from(order));
    arrays.features = { data: Array.from(order, (f) => FEATURES[f]), shape: [F] };
  },
  "no names"({ arrays }) {
    delete arrays.features;
  },
  "a feature renamed"(archive) {
    archive.arrays.features.data = FEATURES.map((name, f) => (f === 2 ? "bid" : name));
    archive.fate = "refused";
  },
  "one name twice"(archive) {
    archive.arrays.features.data = FEATURES.map((name, f) => (f === 2 ? "open" : name));
    archive.fate = "refused";
  },
  "a feature dropped"(archive) {
    const { X } = archive.arrays;
    archive.arrays.X = { data: takeFeatures(X.data as Float64Array, [0, 1, 2, 3]), shape: [X.shape[0], T, 4] };
    archive.arrays.features = { data: FEATURES.slice(0, 4), shape: [4] };
    archive.fate = "refused";
  },
  "a feature doubled"(archive) {
    const { X } = archive.arrays;
    archive.arrays.X = { data: takeFeatures(X.data as Float64Array, [0, 1, 2, 3, 4, 4]), shape: [X.shape[0], T, 6] };
    archive.arrays.features = { data: [...FEATURES, pick(["volume", "volume_2"])], shape: [6] };
    archive.fate = "refused";
  },
  "names that are too few"(archive) {
    archive.arrays.features = { data: FEATURES.slice(1), shape: [F - 1] };
    archive.fate = "refused";
  },
  turned(archive) {
    const { X } = archive.arrays;
    const data = new Float64Array(X.data.length).map((_, i) => {
      const [n, f, t] = [Math.floor(i / (T * F)), Math.floor(i / T) % F, i % T];
      return Number(X.data[(n * T + t) * F + f]);
    });
    archive.arrays.X = { data, shape: [X.shape[0], F, T] };
    if (random.uniform() < 0.5) archive.options = { axes: "nft" };
    else archive.fate = "refused";
  },
  flat({ arrays: { X } }) {
    X.shape = [X.shape[0], T * F];
  },
  "another name"({ arrays }) {
    const { X } = arrays;
    delete arrays.X;
    arrays[pick(["x", "X_train", "x_train"])] = X;
  },
  "two of a kind"(archive) {
    archive.arrays.x = archive.arrays.X;
    archive.fate = "refused";
  },
  "an array more"({ arrays }) {
    arrays.weights = { data: Float64Array.of(1, 2, 3), shape: [3] };
  },
  "a validation part"({ arrays }) {
    arrays.X_val = { data: new Float64Array(T * F), shape: [1, T, F] };
  },
  "not a number"(archive) {
    archive.arrays.X.data[random.integer(T * F)] = pick([Number.NaN, Infinity, -Infinity]);
    archive.fate = "refused";
  },
  ragged({ arrays }) {
    const { X } = arrays;
    const N = X.shape[0];
    delete arrays.X;
    arrays.values = { data: X.data, shape: [N * T, F] };
    const isOffsets = random.uniform() < 0.5;
    if (isOffsets) arrays.offsets = { data: Float64Array.from({ length: N + 1 }, (_, n) => n * T), shape: [N + 1] };
    else arrays.lengths = { data: new Float64Array(N).fill(T), shape: [N] };
  },
  "ragged, of lengths that are wrong"(archive) {
    const { X } = archive.arrays;
    const N = X.shape[0];
    delete archive.arrays.X;
    archive.arrays.values = { data: X.data, shape: [N * T, F] };
    archive.arrays.lengths = { data: new Float64Array(N).fill(pick([T - 1, T + 1])), shape: [N] };
    archive.fate = "refused";
  },
  "whole numbers"(archive) {
    const data = new Uint8Array(archive.arrays.X.data.length).map(() => 1 + random.integer(200));
    archive.arrays.X = { data, shape: archive.arrays.X.shape };
    archive.expected = cut(data, T * F);
  },
};

test(`of ${SETS} archives of arrays none is misread`, async () => {
  let read = 0;
  for (let i = 0; i < SETS; i++) {
    const N = 3 + random.integer(4);
    const X = Float64Array.from({ length: N * T * F }, (_, k) => draw(k % F));
    const archive: Archive = {
      arrays: {
        X: { data: X, shape: [N, T, F] },
        features: { data: [...FEATURES], shape: [F] },
        y: { data: Uint8Array.from({ length: N }, (_, n) => n % 2), shape: [N] },
      },
      fate: "read",
      expected: cut(X, T * F),
      options: {},
    };
    const name = pick(Object.keys(ARRAY_MUTATIONS));
    ARRAY_MUTATIONS[name](archive);
    const path = join(folder, `${i}.npz`);
    writeFileSync(path, await encodeNpz(archive.arrays));
    read += Number(await judge(path, { ...archive, told: `archive ${i}: ${name}` }, false));
  }
  expect(read).toBeGreaterThan(SETS / 5);
  expect(SETS - read).toBeGreaterThan(SETS / 5);
}, 300_000);
