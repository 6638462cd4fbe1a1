// The ordinary forms of one wide table: every way of writing features and steps, columns in any order, an index, an id or a label in
// front or behind. Each is read to the same bits, or asked about with the option that settles it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { DataError } from "../../../shared/errors.ts";
import type { ReadOptions } from "../../../trainer/readers/options.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { type Column, FEATURES, readForModel, T, toColumns, toCsv, WAYS } from "./forms.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-forms-"));
afterAll(() => rmSync(folder, { recursive: true }));
const random = createRandom(16);
const N = 3;
const truth = Array.from({ length: N }, () => Array.from({ length: T * FEATURES.length }, () => 1400 * (1 + 0.01 * random.normal())));

let files = 0;
async function read(text: string, options?: ReadOptions) {
  const path = join(folder, `${files++}.csv`);
  writeFileSync(path, text);
  return readForModel(path, options);
}

type Order = (columns: readonly Column[]) => Column[];
const byFeature: Order = (columns) => FEATURES.flatMap((_, f) => columns.filter((_, i) => i % FEATURES.length === f));
const shuffled: Order = (columns) => {
  const order = Int32Array.from(columns.keys());
  createRandom(3).shuffle(order);
  return Array.from(order, (i) => columns[i]);
};
const ORDERS: readonly [string, Order][] = [
  ["step by step", (columns) => [...columns]],
  ["by feature", byFeature],
  ["backwards", (columns) => columns.toReversed()],
  ["sorted by name", (columns) => columns.toSorted((a, b) => (a.name < b.name ? -1 : 1))],
  ["shuffled", shuffled],
];

const column = (name: string, cells: readonly (string | number)[]): Column => ({ name, cells: cells.map(String) });
const index = [0, 1, 2];
const BESIDE: readonly [string, (columns: Column[]) => Column[], ReadOptions?][] = [
  ["nothing beside them", (columns) => columns],
  ["an index without a name in front", (columns) => [column("", index), ...columns]],
  ["pandas' index read back", (columns) => [column("Unnamed: 0", index), ...columns]],
  ["reset_index()", (columns) => [column("index", index), ...columns]],
  ["reset_index() of levels", (columns) => [column("level_0", index), column("level_1", index), ...columns]],
  ["an id that is named", (columns) => [column("id", ["a", "b", "c"]), ...columns], { id: ["id"] }],
  ["a label behind", (columns) => [...columns, column("label", [0, 1, 0])]],
  ["a label in front that is named", (columns) => [column("rose", [0, 1, 0]), ...columns], { label: "rose" }],
  [
    "index, id and label",
    (columns) => [column("", index), column("who", [7, 8, 9]), ...columns, column("Target", [1, 1, 0])],
    { id: ["who"] },
  ],
];

describe.each(ORDERS)("columns %s", (_order, order) => {
  test.each(BESIDE)("with %s are the same bits in every way of writing", async (name, beside, options) => {
    const ways = beside === BESIDE[0][1] ? WAYS : WAYS.filter((_, i) => i % 8 === name.length % 8); // four of them
    for (const [example, write] of ways) {
      const { values, columns } = await read(toCsv(beside(order(toColumns(truth, write)))), options);
      expect({ example, values }).toEqual({ example, values: truth });
      expect(Object.keys(columns)).toEqual(options?.id ?? []);
    }
  });
});

test("R's header, one name short, leaves its row names out", async () => {
  const [header, ...lines] = toCsv(toColumns(truth, (f, t) => `${f}.${t}`))
    .trimEnd()
    .split("\n");
  const text = [header, ...lines.map((line, n) => `"${n + 1}",${line}`)].join("\n");
  expect((await read(text)).values).toEqual(truth);
  const labels = [header, ...lines.map((line, n) => `${line},${n % 2}`)].join("\n");
  await expect(read(labels)).rejects.toThrow(/line 2: has 51 columns, expected 50 as in the first line/);
});

test("pandas' header of two rows, its levels in either order, with and without names, an index and the index' name", async () => {
  const columns = toColumns(truth, (f, t) => `${f} ${t}`);
  const level = (k: number): string[] => columns.map(({ name }) => name.split(" ")[k]);
  const lines = toCsv(columns).trimEnd().split("\n").slice(1);
  for (const levels of [
    [level(0), level(1)],
    [level(1), level(0)],
  ])
    for (const [front, above] of [
      [null],
      ["", ["", ""]],
      ["who", ["", ""]],
      ["", ["feature", "step"]],
      ["who", ["", "t"]],
      ["who", ["feature", ""]],
    ] as const) {
      const header = levels.map((names, k) => (front === null ? names : [above?.[k], ...names]).join(","));
      const named = front ? [`${front}${",".repeat(columns.length)}`] : [];
      const body = front === null ? lines : lines.map((line, n) => `${n},${line}`);
      expect((await read([...header, ...named, ...body].join("\n"))).values).toEqual(truth);
    }
});

describe("what may mean two things is asked about, and the sentence names an option", () => {
  const named = (write: (feature: string, t: number) => string): Column[] => toColumns(truth, write);
  const plain = named((f, t) => `${f}_${t}`);
  const numbered = (prefix: string): Column[] => plain.map(({ cells }, i) => ({ name: `${prefix}${i}`, cells }));
  test.each<[string, Column[], RegExp]>([
    ["open-1 … open-10", named((f, t) => `${f}-${t + 1}`), /--columns "\{feature\}-\{step\}"/],
    ["open_L1", named((f, t) => `${f}_L${T - t}`), /--columns/],
    ["x_0 … x_49", numbered("x_"), /--columns "\{feature\}_\{step\}" for steps, or --by-position/],
    ["V1 … V50", numbered("V"), /--columns "\{feature\}\{step\}" for steps, or --by-position/],
    ["close_0 … close_9", plain.filter(({ name }) => name.startsWith("close")), /--columns "\{feature\}_\{step\}" for steps/],
    [
      "close_lag9 … close_lag0",
      named((f, t) => `${f}_lag${T - 1 - t}`).filter(({ name }) => name.startsWith("close")),
      /--columns "\{feature\}_lag\{lag\}" for steps/,
    ],
    ["names that repeat", named((f) => f), /--columns "\{feature\}" where the columns of one name are its steps/],
    [
      "names that pandas made different",
      named((f, t) => (t === 0 ? f : `${f}.${t}`)),
      /"open" and "open.1": say --columns "\{feature\}.\{step\}" where/,
    ],
    [
      "names that Polars made different",
      named((f, t) => (t === 0 ? f : `${f}_duplicated_${t - 1}`)),
      /--columns "\{feature\}_duplicated_\{step\}" where/,
    ],
    [
      "names that DuckDB made different, or lags",
      named((f, t) => (t === 0 ? f : `${f}_${t}`)),
      /--columns "\{feature\}_\{lag\}" where it is the newest/,
    ],
    [
      "times of day",
      named((f, t) => `${f}_${String(9 + t).padStart(2, "0")}:00`),
      /"open_09:00", whose step is a date or a time of day: number/,
    ],
    ["dates", named((f, t) => `2024-01-${String(1 + t).padStart(2, "0")} ${f}`), /whose step is a date or a time of day: number the steps/],
    ["one name that repeats", [...plain.slice(0, -1), { ...plain[0] }], /two columns "open_0": name each once, or say --by-position/],
    [
      "names that say nothing",
      plain.map(({ cells }, i) => ({ name: `${"abcde"[i % 5]}${"uvwxyzklmn"[Math.floor(i / 5)]}`, cells })),
      /--by-position/,
    ],
    [
      "a column more",
      [...plain, column("rose", index)],
      /"rose" beside the features: say what it is with --label rose or --id rose|--id rose/,
    ],
    ["0 … 50", [...numbered(""), column("50", index)], /--label 50/],
    ["an id", [column("id", index), ...plain], /--id id/],
    [
      "other names",
      named((f, t) => `${f.toUpperCase()}_${t}`),
      /OPEN, HIGH, LOW, CLOSE, VOLUME, expected open, high, low, close, volume .*--rename "OPEN=open".*--by-position/,
    ],
    ["two labels", [...plain, column("label", index), column("y", index)], /--label/],
  ])("%s", async (_title, columns, question) => {
    const error = await read(toCsv(columns)).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(question);
    expect(error.message.split("\n")).toHaveLength(1);
  });

  test("and the option settles it", async () => {
    const settled: [Column[], ReadOptions][] = [
      [named((f, t) => `${f}-${t + 1}`), { columns: "{feature}-{step}" }],
      [named((f, t) => `${f}-${T - t}`), { columns: "{feature}-{lag}" }],
      [named((f, t) => (t === T - 1 ? f : `${f}-${T - 1 - t}`)), { columns: "{feature}-{lag}" }],
      [named((f, t) => `${f}_L${T - t}`), { columns: "{feature}_L{lag}" }],
      [numbered("x_"), { byPosition: true }],
      [named((f, t) => `${f}_${String(9 + t).padStart(2, "0")}:00`), { columns: "{feature}_{step}:00" }],
      [named((f) => f), { columns: "{feature}" }],
      [byFeature(named((f) => f)), { columns: "{feature}" }],
      [[column("", index), ...named((f) => f), column("rose", index)], { columns: "{feature}", label: "rose" }],
      [named((f) => f), { byPosition: true }],
      [named((f, t) => (t === 0 ? f : `${f}.${t}`)), { columns: "{feature}.{step}" }],
      [named((f, t) => (t === 0 ? f : `${f}${t + 1}`)), { columns: "{feature}{step}" }], // as Excel has them
      [named((f, t) => (t === 0 ? f : `${f}_duplicated_${t - 1}`)), { columns: "{feature}_duplicated_{step}" }],
      [named((f, t) => (t === T - 1 ? f : `${f}_${T - 1 - t}`)), { columns: "{feature}_{lag}" }],
      [[...plain, column("rose", index)], { id: ["rose"] }],
      [[...plain, column("rose", index)], { label: "rose" }],
      [[...numbered(""), column("50", index)], { label: "50" }],
      [named((f, t) => `${f.toUpperCase()}_${t}`), { byPosition: true }],
      [byFeature(named((f, t) => `${f.toUpperCase()}_${t}`)), { rename: new Map(FEATURES.map((f) => [f.toUpperCase(), f])) }],
      [plain.map(({ name, cells }) => ({ name: name.replace("low_4", "lo_4"), cells })), { rename: new Map([["lo_4", "low_4"]]) }],
    ];
    for (const [columns, options] of settled) expect((await read(toCsv(columns), options)).values).toEqual(truth);
  });
});
