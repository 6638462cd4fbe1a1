// Files that NumPy and Arrow wrote, in pairs: good/<case> with what it must read as, bad/<case> with what the error must say.
// make.py and make-tables.py in test/fixtures/readers made them; a new case is two files.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { DataError } from "../../../shared/errors.ts";
import { encodeNpy, readNpy } from "../../../shared/npy.ts";
import { readBatches } from "../../../trainer/readers/data-files.ts";
import { checkTrainable, type Dataset, type ReadOptions, readDataset, requireLabels } from "../../../trainer/readers/dataset.ts";
import { describeNote } from "../../../trainer/readers/describe.ts";
import type { ReadNote } from "../../../trainer/readers/notes.ts";

const fixtures = fileURLToPath(new URL("../../fixtures/readers/", import.meta.url));
const casesIn = (folder: string, ending: string): string[] =>
  readdirSync(join(fixtures, folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length));
const dataFile = (folder: string, name: string): string => {
  const expectation = `${name}.${folder === "good" ? "json" : "txt"}`;
  const file = readdirSync(join(fixtures, folder)).find((entry) => entry.startsWith(`${name}.`) && entry !== expectation);
  return join(fixtures, folder, file ?? `${name} has no data file`);
};
const plain = (array: ArrayLike<number> | null): number[] | null => array && Array.from(array);

describe("readDataset reads", () => {
  test.each(casesIn("good", ".json"))("%s", async (name) => {
    const { options, expected } = JSON.parse(readFileSync(join(fixtures, "good", `${name}.json`), "utf8"));
    for (const key of ["labels", "test"]) if (options[key]) options[key] = join(fixtures, "good", options[key]);
    const path = dataFile("good", name);
    const { values, labels, probability, shape, features, inputs, float32, test, groups, timeline, reading, facts, read, ...others } =
      await readDataset([path], options);
    const { orderedBy, ...frame } = others;
    expect({
      values: plain(values),
      labels: plain(labels),
      probability: plain(probability),
      shape: [shape.timesteps, shape.features],
      features,
      inputs,
      float32,
      test: test && { values: plain(test.values), labels: plain(test.labels), probability: plain(test.probability) },
      groups: groups && plain(groups),
      timeline: timeline && { series: plain(timeline.series), start: plain(timeline.start), time: plain(timeline.time) },
    }).toEqual(expected);
    const hash = createHash("sha256").update(readFileSync(path));
    for (const other of [options.labels, options.test]) if (other) hash.update(readFileSync(other));
    expect(JSON.parse(reading ?? "")).toMatchObject(
      Object.fromEntries(Object.entries(options).filter(([name]) => !/labels|test|gaps/i.test(name))),
    );
    expect(frame).toEqual({ source: path, name, sha256: hash.digest("hex") });
    expect(read?.source).toBe(name);
    expect(JSON.stringify(read)).not.toContain(fixtures); // it goes into artifacts, which name no place of this machine
    if (orderedBy !== undefined) expect(orderedBy).toBe(options.time);
  });
});

test("decimals are called so, whatever bytes hold them", async () => {
  const { values, facts } = await readDataset([join(fixtures, "decimal-list.parquet")], {});
  expect(values).toEqual(Float64Array.of(0.1, 2.35));
  expect(facts.dtype).toBe("decimal");
});

describe("readDataset refuses, with one sentence that names the place,", () => {
  test.each(casesIn("bad", ".txt"))("%s", async (name) => {
    const path = dataFile("bad", name);
    const error = await readDataset([path], {}).then(
      () => "nothing was refused",
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toBe(`${path}: ${readFileSync(join(fixtures, "bad", `${name}.txt`), "utf8").trimEnd()}`);
  });

  const good = (name: string): string => dataFile("good", name);
  const refusals: [title: string, path: string, options: ReadOptions, message: string][] = [
    ["a missing file", "none.npz", {}, "none.npz: cannot be read: there is no such file"],
    ["a folder of folders", fixtures, {}, `${fixtures}: holds the folder bad, expected parts of one set: name the folders that hold files`],
    [
      "a folder of many formats",
      join(fixtures, "good"),
      {},
      `${join(fixtures, "good")}: holds files that end in .json, .npz, .npy, .arrow, expected parts of one set: name the files that are meant`,
    ],
    [
      "a file below a file",
      join(good("plain"), "x.npz"),
      {},
      `${join(good("plain"), "x.npz")}: cannot be read: a part of its path is a file, not a folder`,
    ],
    ["a missing file of labels", good("pair"), { labels: "none.npy" }, "none.npy: cannot be read: there is no such file"],
    [
      "labels in an archive",
      good("pair"),
      { labels: good("plain") },
      `${good("plain")}: has the extension .npz, expected .npy or .csv for labels`,
    ],
    ["labels of many columns", good("pair"), { labels: good("csv-bare") }, `${good("csv-bare")}: has 51 columns, expected one, the label`],
    [
      "sequences as labels",
      good("pair"),
      { labels: good("pair") },
      `${good("pair")}: labels has shape (3, 10, 5), expected (N,), one entry a sequence`,
    ],
    [
      "too few labels",
      good("whole-numbers"),
      { labels: join(fixtures, "short-labels.csv") },
      `${join(fixtures, "short-labels.csv")}: holds 2 labels, expected 3, one for each sequence in ${good("whole-numbers")}`,
    ],
    [
      "a test part of another shape",
      good("plain"),
      { test: good("other-shape") },
      `${good("other-shape")}: the sequences are 4 × 3, expected 10 × 5 as in the training data`,
    ],
    [
      "a test part without labels",
      good("plain"),
      { test: good("unlabelled") },
      `${good("unlabelled")}: holds no labels: name their column with --label, or give them in a file with --labels or --test-labels, as an array y or as a column named label`,
    ],
    ["a group that is not there", good("plain"), { group: "who" }, `${good("plain")}: holds X, y, expected also who`],
    [
      "a group that is no column",
      good("csv-grid"),
      { group: "who" },
      `${good("csv-grid")}: has no column "who", only "open_0", "high_0", "low_0", "close_0", "größe_0", …, "close_9", "größe_9", "label"`,
    ],
    [
      "rows of series in an archive",
      good("plain"),
      { key: "id" },
      `${good("plain")}: holds arrays of sequences; rows of series are read from .csv, .jsonl and .parquet: leave out --key, --window and --stride`,
    ],
    [
      "a feature that is no column",
      good("long-csv"),
      { features: ["a", "c"] },
      `${good("long-csv")}: has no column "c", only "id", "at", "a", "b", "up"`,
    ],
    [
      "a feature that is no field",
      good("long-jsonl"),
      { features: ["a", "c"] },
      `${good("long-jsonl")}: line 1: "c" is missing, expected a finite number`,
    ],
    [
      "a key that is no field",
      good("long-jsonl"),
      { key: "who", features: ["a"] },
      `${good("long-jsonl")}: line 1: "who" is missing, expected a number or text`,
    ],
    [
      "an identifier among the features",
      good("long-csv"),
      { time: "at", label: "up", window: 2 },
      `${good("long-csv")}: has the column "id": say --key id where it names the series of a row, --id id where it is not read, or name the features with --features`,
    ],
    [
      "a horizon beyond all series",
      good("long-csv"),
      { key: "id", features: ["a"], horizon: 5 },
      `${good("long-csv")}: holds 7 rows and no window: no series is longer than the horizon of 5`,
    ],
    [
      "a label that is no column",
      good("csv-grid"),
      { label: "up" },
      `${good("csv-grid")}: has no column "up", only "open_0", "high_0", "low_0", "close_0", "größe_0", …, "close_9", "größe_9", "label"`,
    ],
    ["a time beside a bare array", good("pair"), { time: "day" }, `${good("pair")}: holds one array and no day: save both in one .npz`],
    [
      "a time that is none",
      good("grouped"),
      { time: "who" },
      `${good("grouped")}: who[0] is "b", expected a number or ISO 8601 such as 2024-05-31T12:00Z`,
    ],
  ];
  test.each(refusals)("%s", async (_title, path, options, message) => {
    const error = await readDataset([path], options).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toBe(message);
  });
});

test("a large .npy is read in pieces, to the same numbers, and an error names the place in the whole", async () => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-npy-"));
  const path = join(folder, "large.npy");
  const values = Float64Array.from({ length: 100_000 * 50 }, (_, i) => i / 7); // 40 MB
  const batches = async (bytes: Uint8Array): Promise<number[]> => {
    writeFileSync(path, bytes);
    const read: number[] = [];
    let n = 0;
    for await (const batch of readBatches([path], {})) {
      const same = values.subarray(n, n + batch.values.length); // compared as bytes: expect would take a minute
      const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);
      expect(Buffer.compare(bytesOf(batch.values), bytesOf(same))).toBe(0);
      read.push(batch.values.length / 50);
      n += batch.values.length;
    }
    expect(n).toBe(values.length);
    return read;
  };
  const whole = encodeNpy(values, [100_000, 10, 5]);
  expect((await batches(whole)).length).toBe(2);
  expect((await batches(encodeNpy(values, [100_000, 50]))).length).toBe(2);
  await expect(batches(whole.subarray(0, whole.length - 8))).rejects.toThrow(
    "39999992 bytes of data, but its header claims (100000, 10, 5)",
  );
  values[4_999_999] = Number.NaN;
  await expect(batches(encodeNpy(values, [100_000, 10, 5]))).rejects.toThrow("X[99999][9][4] is NaN");
  rmSync(folder, { recursive: true });
});

describe("readNpy reads", () => {
  test.each(casesIn("npy", ".npy"))("%s", (name) => {
    const { shape, data, dtype } = readNpy(readFileSync(join(fixtures, "npy", `${name}.npy`)), name);
    expect(shape).toEqual([2, 10, 5]);
    const [kind, width] = name;
    expect(dtype).toBe(kind === "b" ? "bool" : `${{ f: "float", i: "int", u: "uint" }[kind]}${8 * Number(width)}`);
    expect([...data]).toEqual(Array.from({ length: 100 }, (_, i) => (name.startsWith("f") ? i / 8 - 3 : name.startsWith("b") ? i % 2 : i)));
  });

  test("bytes that do not start at a multiple of eight", () => {
    const bytes = readFileSync(join(fixtures, "npy", "f8-little.npy"));
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(readNpy(shifted.subarray(3), "shifted")).toEqual(readNpy(bytes, "whole"));
  });
});

describe("whatever happens to a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const subjects = [
    "plain.npz",
    "deflated.npz",
    "named.npz",
    "keras.npz",
    "pair.npy",
    "csv-grid.csv",
    "csv-bare.csv",
    "jsonl-objects.jsonl",
    "packed-csv.csv.gz",
    "parquet-none.parquet",
    "parquet-zstd.parquet",
    "parquet-v2.parquet",
    "parquet-nested.parquet",
    "parquet-nested-v2.parquet",
    "parquet-flat.parquet",
    "sep-semicolon-comma.csv",
    "utf16-little.csv",
    "ragged-lengths.npz",
    "feather-pandas.feather",
    "feather-zstd.feather",
    "arrow-polars-lz4.arrow",
    "arrow-stream.arrow",
  ];

  test.each(subjects)("%s gives a Dataset or a DataError", async (subject) => {
    const whole = readFileSync(join(fixtures, "good", subject));
    const path = join(folder, subject);
    const isSound = async (bytes: Uint8Array): Promise<void> => {
      writeFileSync(path, bytes);
      const data = await readDataset([path], {}).catch((error) => {
        if (!(error instanceof DataError)) throw error;
      });
      if (!data) return;
      expect(data.values.every(Number.isFinite)).toBe(true);
      expect(data.values.length % (data.shape.timesteps * data.shape.features)).toBe(0);
      expect(data.features.length).toBe(data.shape.features);
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), (length) => isSound(whole.subarray(0, length))),
      { numRuns: 50, seed: 1 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(8 * whole.length - 1), fc.boolean()), { minLength: 1, maxLength: 5 }), (flips) => {
        const bytes = Uint8Array.from(whole);
        // Every other flip hits the first or last bytes, where headers and directories are.
        for (const [bit, isEdge] of flips) {
          const at = isEdge ? (bit % 2 ? bit % 1600 : 8 * whole.length - 1 - (bit % 1600)) : bit;
          bytes[at >> 3] ^= 1 << (at & 7);
        }
        return isSound(bytes);
      }),
      { numRuns: 150, seed: 2 },
    );
  });
});

describe("checkTrainable", () => {
  const data = (labels: number[] | null): Dataset => ({ source: "data.npz", labels: labels && Uint8Array.from(labels) }) as Dataset;
  const ofLength = (length: number, label: (n: number) => number): number[] => Array.from({ length }, (_, n) => label(n));

  test("takes 100 sequences of both labels", () => {
    expect(checkTrainable(data(ofLength(100, (n) => Number(n === 99)))).labels.length).toBe(100);
  });

  test.each([
    ["no labels", null, /^data\.npz: holds no labels/],
    ["99 sequences", ofLength(99, (n) => n % 2), "data.npz: holds 99 sequences, expected at least 100 to train on: bring more"],
    ["zeros only", ofLength(100, () => 0), "data.npz: holds only the label 0, expected both 0 and 1: there is nothing to tell apart"],
    ["ones only", ofLength(100, () => 1), "data.npz: holds only the label 1, expected both 0 and 1: there is nothing to tell apart"],
  ])("refuses %s", (_title, labels, message) => {
    expect(() => checkTrainable(data(labels))).toThrow(message);
  });
});

describe("several files are one set", () => {
  const good = (name: string): string => dataFile("good", name);

  test("of any formats, in their order, the shorter sequences padded in front", async () => {
    const bare = await readDataset([good("jsonl-bare")], {});
    const all = await readDataset([good("parquet-zstd"), good("packed-csv")], {});
    expect(Array.from(all.values)).toEqual([...bare.values, ...bare.values]);
    expect(Array.from(all.labels ?? [])).toEqual([1, 0, 1, 1, 0, 1]);
    expect(all.source).toBe(`${good("parquet-zstd")} and 1 more`);
    const mixed = await readDataset([good("jsonl-bare"), good("pair")], {});
    expect(mixed.values.length).toBe(2 * bare.values.length);
  });

  test("in a folder, part 2 before part 10, without what the writer notes of its own", async () => {
    const folder = mkdtempSync(join(tmpdir(), "quickstep-folder-"));
    const parts = [2, 10, 1].map((n) => [`part-${n}.csv`, `a_0,b_0,y\n${n},${n},${n % 2}\n`]);
    for (const [name, text] of [...parts, ["_SUCCESS", ""], [".part-1.csv.crc", "x"]]) writeFileSync(join(folder, name), text);
    const { values, labels, name } = await readDataset([folder], {});
    expect([[...values], [...(labels ?? [])], name]).toEqual([[1, 1, 2, 2, 10, 10], [1, 0, 0], folder.split("/").at(-1)]);
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    await expect(readDataset([folder], {})).rejects.toThrow(`${folder}: is a folder without a data file`);
    rmSync(folder, { recursive: true });
  });

  test("a series goes on from one to the next", async () => {
    const options = { key: "id", time: "at", features: ["a", "b"], label: "up", window: 3 };
    const once = await readDataset([good("long-csv")], options);
    const folder = mkdtempSync(join(tmpdir(), "quickstep-parts-"));
    const [header, ...lines] = readFileSync(good("long-csv"), "utf8").trimEnd().split("\n");
    const parts = [lines.slice(0, 4), lines.slice(4)].map((part, i) => {
      writeFileSync(join(folder, `${i}.csv`), `${[header, ...part].join("\n")}\n`);
      return join(folder, `${i}.csv`);
    });
    const { values, labels, timeline } = await readDataset(parts, options);
    rmSync(folder, { recursive: true });
    expect([values, labels, timeline]).toEqual([once.values, once.labels, once.timeline]);
  });

  test.each([
    [
      "other features",
      ["csv-grid", "csv-small"],
      /csv-small\.csv: has the features a, b, expected open, high, low, close, größe as in .*csv-grid\.csv: 2 instead of 5/,
    ],
    [
      "labels in one only",
      ["jsonl-objects", "jsonl-bare"],
      /jsonl-bare\.jsonl: has no labels, unlike what comes before: give all of them, or none/,
    ],
    ["two test parts", ["keras", "tested"], /hold a test part each: keep one of them, or name one file with --test/],
  ])("unless they have %s", async (_title, names, message) => {
    await expect(readDataset(names.map(good), {})).rejects.toThrow(message);
  });
});

test("rows hold more windows than memory is given for: every so-manieth is taken, and it is said", async () => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-most-"));
  writeFileSync(join(folder, "rows.csv"), `a\n${Array.from({ length: 1000 }, (_, n) => n + 2).join("\n")}\n`);
  const notes: string[] = [];
  const options = { window: 10, onNote: (note: ReadNote) => notes.push(describeNote(note)) };
  const { timeline } = await readDataset([join(folder, "rows.csv")], { ...options, maxWindows: 100 });
  expect(plain(timeline?.start.subarray(0, 3) ?? null)).toEqual([0, 10, 20]);
  expect(timeline?.start.length).toBe(100);
  expect(notes.join()).toBe("one window in 10 taken to fit into memory (100 of 991, --stride decides it)");
  const whole = await readDataset([join(folder, "rows.csv")], { ...options, maxWindows: 100, stride: 1 });
  expect(whole.timeline?.start.length).toBe(991);
  rmSync(folder, { recursive: true });
});

test("issues can be collected, and bad values are kept as NaN or as no label", async () => {
  const issues: string[] = [];
  const collect = { onIssue: (source: string, message: string) => issues.push(`${source}: ${message}`) };
  const gap = await readDataset([dataFile("bad", "csv-nan")], collect);
  expect(gap.values.filter(Number.isNaN).length).toBe(1);
  const odd = await readDataset([dataFile("bad", "parquet-label")], collect);
  expect(plain(odd.labels)).toEqual([0, 1, 255]);
  expect(issues.map((text) => text.replace(/^.*\/bad\//, ""))).toEqual([
    'csv-nan.csv: line 3: column "low_1" is "nan", expected a finite number',
    'parquet-label.parquet: row 3: column "label" is 2, expected a label 0 or 1',
  ]);
});

test("requireLabels refuses data without labels", async () => {
  const data = await readDataset([dataFile("good", "unlabelled")], {});
  expect(() => requireLabels(data)).toThrow("holds no labels: name their column with --label");
});
