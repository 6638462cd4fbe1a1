// Which column is what, and which file's feature is which of the others': across formats, in training and in scoring.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, describe, expect, test } from "vitest";
import { encodeNpy } from "../../../shared/npy.ts";
import { readBatches } from "../../../trainer/readers/data-files.ts";
import { type ReadOptions, readDataset } from "../../../trainer/readers/dataset.ts";
import { joinBatches } from "../../../trainer/readers/join.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { FEATURES, readForModel, T } from "./forms.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-naming-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
function write(ending: string, content: string | Uint8Array): string {
  const path = join(folder, `${files++}.${ending}`);
  writeFileSync(path, content);
  return path;
}

const F = FEATURES.length;
const sequence = Float64Array.from({ length: T * F }, (_, i) => 1 + i / 8);
const backwards = FEATURES.toReversed();
/** Features in the order of `backwards`. */
const turnedRows = Float64Array.from(sequence, (_, i) => sequence[Math.floor(i / F) * F + (F - 1 - (i % F))]);
const npz = (arrays: Parameters<typeof encodeNpz>[0]): Promise<string> => encodeNpz(arrays).then((bytes) => write("npz", bytes));

describe("features go to the model by name", () => {
  test("from an archive", async () => {
    const path = await npz({ X: { data: turnedRows, shape: [1, T, F] }, features: { data: backwards, shape: [F] } });
    expect((await readForModel(path)).values).toEqual([[...sequence]]);
    expect((await readForModel(path, { byPosition: true })).values).toEqual([[...turnedRows]]);
    const bare = await npz({ X: { data: turnedRows, shape: [1, T, F] } });
    expect((await readForModel(bare, { features: backwards })).values).toEqual([[...sequence]]);
    expect((await readForModel(bare)).values).toEqual([[...turnedRows]]);
  });

  test("from Parquet, and from rows of a series as CSV and as JSON lines", async () => {
    const names = backwards.flatMap((name) => Array.from({ length: T }, (_, t) => `${name}_${t}`)).toReversed();
    const cell = (name: string): number => {
      const [feature, t] = name.split("_");
      return sequence[Number(t) * F + FEATURES.indexOf(feature)];
    };
    const parquet = parquetWriteBuffer({ columnData: names.map((name) => ({ name, data: [cell(name)], type: "DOUBLE" as const })) });
    expect((await readForModel(write("parquet", new Uint8Array(parquet)))).values).toEqual([[...sequence]]);
    const rows = Array.from({ length: T }, (_, t) =>
      Object.fromEntries(backwards.map((name) => [name, sequence[t * F + FEATURES.indexOf(name)]])),
    );
    const lines = rows.map((row) => JSON.stringify(row)).join("\n");
    expect((await readForModel(write("jsonl", lines), { window: T })).values).toEqual([[...sequence]]);
    const csv = [backwards.join(","), ...rows.map((row) => Object.values(row).join(","))].join("\n");
    expect((await readForModel(write("csv", csv), { window: T })).values).toEqual([[...sequence]]);
    const renamed = csv.replace("volume", "Volume");
    await expect(readForModel(write("csv", renamed), { window: T })).rejects.toThrow(
      'has the features Volume, close, low, high, open, expected open, high, low, close, volume as the model takes them: rename them, as --rename "Volume=volume"',
    );
    const rename = new Map([["Volume", "volume"]]);
    expect((await readForModel(write("csv", renamed), { window: T, rename })).values).toEqual([[...sequence]]);
  });

  test("and a test file's, or a second file's, to the first's", async () => {
    const X = { data: sequence, shape: [1, T, F] };
    const y = { data: new Uint8Array([1]), shape: [1] };
    const first = await npz({ X, y, features: { data: FEATURES, shape: [F] } });
    const other = await npz({ X: { ...X, data: turnedRows }, y, features: { data: backwards, shape: [F] } });
    const foreign = await npz({ X, y, features: { data: ["a", "b", "c", "d", "e"], shape: [F] } });
    expect((await readDataset([first], { test: other })).test?.values).toEqual(sequence);
    expect((await readDataset([first, other], {})).values).toEqual(Float64Array.of(...sequence, ...sequence));
    await expect(readDataset([first], { test: foreign })).rejects.toThrow(/a, b, c, d, e, expected open, high, low, close, volume/);
    await expect(readDataset([first, foreign], {})).rejects.toThrow(/--rename "a=open", or say --by-position/);
    expect((await readDataset([first, foreign], { byPosition: true })).features).toEqual(FEATURES);
  });
});

describe("two label columns are refused in every format, and --label names one", () => {
  const two = { sequence: [[1, 2]], label: 1, y: 0 };
  const wide = (names: string): string => `a_0,b_0,${names}\n1,2,1,0\n`;
  const parquet = (): Uint8Array =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: ["a_0", "b_0", "label", "y"].map((name, i) => ({ name, data: [[1, 2, 1, 0][i]], type: "DOUBLE" as const })),
      }),
    );
  test.each<[string, () => string | Promise<string>, RegExp]>([
    ["CSV", () => write("csv", wide("label,y")), /has 2 label columns, "label", "y", expected one: name it with --label/],
    ["Parquet", () => write("parquet", parquet()), /has 2 label columns, "label", "y", expected one: name it with --label/],
    ["JSON lines", () => write("jsonl", JSON.stringify(two)), /line 1: has 2 labels, "label" and "y", expected one: name it with --label/],
    [
      "an archive",
      () =>
        npz({
          X: { data: Float64Array.of(1, 2), shape: [1, 1, 2] },
          y: { data: new Uint8Array(1), shape: [1] },
          labels: { data: new Uint8Array([1]), shape: [1] },
        }),
      /holds both y and labels: keep one of them/,
    ],
  ])("%s", async (_format, make, message) => {
    await expect(readDataset([await make()], {})).rejects.toThrow(message);
  });

  test("the label that --label names is never one column too many", async () => {
    const path = write("csv", "a_0,b_0,rose\n1,2,1\n");
    expect((await readDataset([path], { label: "rose" })).labels).toEqual(Uint8Array.of(1));
    expect((await readDataset([path], { label: "rose", ignoreLabels: true })).values).toEqual(Float64Array.of(1, 2));
    await expect(readDataset([path], {})).rejects.toThrow(
      'has the column "rose" beside the features: say what it is with --label rose or --id rose',
    );
  });
});

describe("the sentence says what cures", () => {
  const head = "a_0,b_0,y\n1,2,0\n";
  test.each<[string, string, string, string]>([
    [
      "a header in the middle",
      "csv",
      `${head}a_0,b_0,y\n3,4,1\n`,
      'line 3: column "a_0" is "a_0", expected a finite number: the line repeats the header',
    ],
    ["a percent sign", "csv", `${head}49.7%,2,1\n`, '"49.7%", expected a finite number: write the number without its sign or unit'],
    ["a currency", "csv", `${head}$12,2,1\n`, "write the number without its sign or unit"],
    ["a dash for nothing", "csv", `${head}-,2,1\n`, "where it says that the number is missing, leave the cell empty"],
    ["a question mark for nothing", "csv", `${head}?,2,1\n`, "leave the cell empty"],
    [
      "a list a feature",
      "jsonl",
      '{"a":[1,2],"b":[3,4],"label":1}\n',
      'holds lists in "a", "b", expected "sequence", a list of rows: write one row a line, as explode',
    ],
  ])("of %s", async (_title, ending, text, message) => {
    await expect(readDataset([write(ending, text)], {})).rejects.toThrow(message);
  });

  test("of words for yes and no in other languages, 1 is yes", async () => {
    const text = "a_0,b_0,y\n1,2,ja\n3,4,nein\n";
    expect((await readDataset([write("csv", text)], {})).labels).toEqual(Uint8Array.of(1, 0));
  });
});

describe("what training was told of columns", () => {
  const known = { label: "rose", ids: ["who", "a"] };
  const table = "who,a_0,b_0,rose\n7,1,2,1\n";

  test("settles them in scoring: an id is left out and said, the label is known", async () => {
    const target = { timesteps: 1, features: ["a", "b"] };
    expect((await readDataset([write("csv", table)], { target, known, ignoreLabels: true })).values).toEqual(Float64Array.of(1, 2));
    const { labels, facts } = await readDataset([write("csv", table)], { known });
    expect(labels).toEqual(Uint8Array.of(1));
    expect(facts.remarks).toEqual([{ code: "id-left-out", column: "who" }]);
    const line = JSON.stringify({ who: 7, sequence: [[1, 2]], rose: 1, y: 0 });
    expect((await readDataset([write("jsonl", line)], { known })).labels).toEqual(Uint8Array.of(1));
  });

  test.each(["nested-rose.parquet", "nested-rose.feather"])("also beside a column of lists: %s", async (name) => {
    const path = fileURLToPath(new URL(`../../fixtures/readers/${name}`, import.meta.url));
    const { labels, values, facts } = await readDataset([path], { known });
    expect(labels).toEqual(Uint8Array.of(1, 0));
    expect(values).toEqual(Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    expect(facts.remarks).toContainEqual({ code: "id-left-out", column: "who" });
    expect((await readDataset([path], {})).labels).toBeNull();
  });

  test("and gives way to what is said now, and to names of features", async () => {
    expect((await readDataset([write("csv", table)], { known, id: ["who"] })).facts.remarks).toEqual([]);
    expect((await readDataset([write("csv", "who,a_0,b_0,y,rose\n7,1,2,0,1\n")], { known, label: "y", id: ["rose"] })).labels).toEqual(
      Uint8Array.of(0),
    );
    await expect(readDataset([write("csv", table.replace("who", "other"))], { known })).rejects.toThrow('has the column "other" beside');
    const rows = await readDataset([write("csv", "a,b,rose\n1,2,1\n")], {
      known,
      window: 1,
      target: { timesteps: 1, features: ["a", "b"] },
    });
    expect(rows.values).toEqual(Float64Array.of(1, 2));
  });
});

describe("numbers and keys", () => {
  const remarksOf = async (path: string, options: ReadOptions = {}): Promise<unknown> => (await readDataset([path], options)).facts.remarks;
  const big = "9007199254740993";

  test("whole numbers that float64 rounds are counted and said", async () => {
    const rounded = { code: "rounded", count: 1 };
    expect(await remarksOf(write("csv", `a_0,b_0,y\n${big},9007199254740992,1\n`))).toContainEqual(rounded);
    expect(await remarksOf(write("csv", "a_0,b_0,y\n9007199254740992,1e300,1\n"))).toEqual([]);
    const data = ["a_0", "b_0"].map((name, i) => ({ name, data: [BigInt(big) - BigInt(i)], type: "INT64" as const }));
    expect(await remarksOf(write("parquet", new Uint8Array(parquetWriteBuffer({ columnData: data }))))).toContainEqual(rounded);
    const npy = encodeNpy(Float64Array.of(1, 2), [1, 1, 2]);
    const text = Buffer.from(npy).toString("latin1").replace("<f8", "<i8");
    const int64 = Buffer.from(text, "latin1");
    int64.writeBigInt64LE(1n, int64.length - 16);
    int64.writeBigInt64LE(BigInt(big), int64.length - 8);
    expect(await remarksOf(write("npy", int64))).toContainEqual(rounded);
  });

  test("in JSON as in CSV: features are counted, keys and times keep all digits", async () => {
    const text = (rest: string): string => `{"sequence":[[1,${big}],[0.1234567890123456789,2]],"note":"${big}, \\" ${big}"${rest}}\n`;
    const rounded = { code: "rounded", count: 1 };
    expect(await remarksOf(write("jsonl", text(`,"other":${big}`)))).toContainEqual(rounded);
    expect(await remarksOf(write("jsonl", text("").replace(big, "9007199254740992")))).not.toContainEqual(rounded);
    const row = (at: bigint, close: number): string => `{"symbol":${at % 2n === 0n ? big : 7},"at":${at},"close":${close}}`;
    const rows = [3n, 2n, 1n, 0n].map((n) => row(1_769_558_400_000_000_000n + n, Number(n)));
    for (const path of [write("json", `[\n${rows.join(",\n")}]`), write("jsonl", rows.join("\n"))]) {
      const { values, columns } = await joinBatches(readBatches([path], { key: "symbol", time: "at", window: 2 }), path);
      expect(columns.symbol).toEqual(["7", big]);
      expect(values).toEqual(Float64Array.of(1, 3, 0, 2));
    }
  });

  test("keys that are whole numbers stay one kind, also where a later batch has some beyond 2^53", async () => {
    const keys = [...new Array<string>(5000).fill("7"), big, "7"];
    const lines = keys.map((key) => `{"symbol":${key},"close":1}`);
    const window = { key: "symbol", window: 1 };
    for (const all of [lines, lines.toReversed()]) {
      const { columns } = await joinBatches(readBatches([write("jsonl", all.join("\n"))], window), "");
      expect(new Set(Array.from(columns.symbol, String))).toEqual(new Set(["7", big]));
    }
    const mixed = write("jsonl", [...lines, '{"symbol":"other","close":1}'].join("\n"));
    await expect(joinBatches(readBatches([mixed], window), "")).rejects.toThrow("symbol is text in some rows and a number in others");
  });

  test("a validation part is not read in silence", async () => {
    const X = { data: Float64Array.of(1, 2), shape: [1, 1, 2] };
    expect(await remarksOf(await npz({ X, X_val: X }))).toEqual([{ code: "validation-left-out", array: "X_val" }]);
  });

  test("1 and 1.0 are one key, 1 and 01 are two", async () => {
    const rows = (keys: string[]): string => write("csv", ["k,a", ...keys.map((key, n) => `${key},${n + 1}`)].join("\n"));
    const windows = async (keys: string[]): Promise<number> =>
      (await readDataset([rows(keys)], { key: "k", window: 2, features: ["a"] })).values.length / 2;
    expect(await windows(["1", "1.0"])).toBe(1);
    expect(await windows(["1", "01"])).toBe(2);
    const grouped = write("csv", "a_0,b_0,g,y\n1,2,7,1\n3,4,7.0,0\n");
    expect((await readDataset([grouped], { group: "g" })).groups).toEqual(Int32Array.of(0, 0));
  });

  test("ids are neither feature nor label, and come along", async () => {
    const path = write("csv", "who,a_0,b_0,y\nx,1,2,1\nz,3,4,0\n");
    const [batch] = await Array.fromAsync(readBatches([path], { id: ["who"] }));
    expect(batch.columns).toEqual({ who: ["x", "z"] });
    expect(batch.values).toEqual(Float64Array.of(1, 2, 3, 4));
  });
});

describe("an array whose axes stand otherwise", () => {
  const turned = { data: Float64Array.from({ length: 6 }, (_, i) => i), shape: [1, 2, 3] };
  test("is asked about where names, --features or the model say so, and turned where --axes says so", async () => {
    const named = await npz({ X: turned, features: { data: ["a", "b"], shape: [2] } });
    const bare = await npz({ X: turned });
    const question = /X has shape \(1, 2, 3\), which is 2 steps of 3 features, but .* 2 features: say --axes nft/;
    const target = { timesteps: 3, features: ["a", "b"] };
    await expect(readDataset([named], {})).rejects.toThrow(question);
    await expect(readDataset([bare], { features: ["a", "b"] })).rejects.toThrow(question);
    await expect(readDataset([bare], { target })).rejects.toThrow(question);
    const { values, shape, features } = await readDataset([named], { axes: "nft" });
    expect([[...values], shape, features]).toEqual([[0, 3, 1, 4, 2, 5], { timesteps: 3, features: 2 }, ["a", "b"]]);
    expect((await readDataset([bare], {})).shape).toEqual({ timesteps: 2, features: 3 });
  });
});
