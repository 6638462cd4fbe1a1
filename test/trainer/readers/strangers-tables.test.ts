// Tables as other programs write them beside the plain forms: labels with holes, an index of dates, R's row names, dates of every kind.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type ReadOptions, readDataset } from "../../../trainer/readers/dataset.ts";
import { describeRead } from "../../../trainer/readers/describe.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { parseTimeFormat } from "../../../trainer/readers/time-format.ts";
import { createTimeReader } from "../../../trainer/readers/times.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-strangers-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const write = (bytes: string | Uint8Array, ending = "csv"): string => {
  const path = join(folder, `${files++}.${ending}`);
  writeFileSync(path, bytes);
  return path;
};
const read = (text: string, options: ReadOptions = {}, ending = "csv") => readDataset([write(text, ending)], options);
const line = async (text: string, options: ReadOptions = {}) => describeRead((await read(text, options)).facts);

describe("a label that is missing is called so, beside words, too", () => {
  const MISSING = "expected a label: fill it in or leave the record out";
  test.each(["", " ", "NA", "NULL", "nan", "\\N"])("%j in a CSV", async (cell) => {
    const word = cell.trim() === "" ? "" : "; where it is a class, write another word";
    await expect(read(`a_0,a_1,b_0,b_1,rise\n1,2,3,4,yes\n1,2,3,4,${cell}\n`, { label: "rise" })).rejects.toThrow(
      `line 3: column "rise" is ${JSON.stringify(cell.trim())}, ${MISSING}${word}`,
    );
  });
  test("in JSON lines and in an archive", async () => {
    const lines = (label: string) => `{"sequence": [[1]], "label": "yes"}\n{"sequence": [[2]], "label": ${label}}\n`;
    await expect(read(lines('""'), {}, "jsonl")).rejects.toThrow(`line 2: "label" is "", ${MISSING}`);
    await expect(read(lines("null"), {}, "jsonl")).rejects.toThrow(`line 2: "label" is null, ${MISSING}`);
    const arrays = { X: { shape: [2, 1, 1], data: Float64Array.of(1, 2) }, y: { shape: [2], data: ["yes", ""] } };
    await expect(readDataset([write(await encodeNpz(arrays), "npz")], {})).rejects.toThrow(`y[1] is "", ${MISSING}`);
  });
});

const ROWS = "for one row a line say --key, or --window where all rows are one series";
test("a plain table is asked about with the options that read it, and the columns that sound like a key, a time and a label", async () => {
  await expect(read("date,symbol,open,close,up\n2024-01-01,a,1,2,0\n")).rejects.toThrow(
    `${ROWS}; "date" may be the time (--time date), "symbol" may be the key (--key symbol), "up" may be the label (--label up)`,
  );
  await expect(read("a,b,c,d,e\n1,2,3,4,5\n")).rejects.toThrow(new RegExp(`${ROWS}$`));
  await expect(read(",a,b,label\n2024-01-01,1,2,0\n")).rejects.toThrow(
    `has 2 columns ("a", "b"), expected 50 numbers (10 × 5, step by step) and perhaps a label: for another shape name the columns <feature>_<step>, ${ROWS}; a first column without a name may be the time (--time "Unnamed: 0")`,
  );
});

test("a one-hot label in two columns is asked about, and never a feature", async () => {
  const table = (names: string) => `a_0,b_0,a_1,b_1,${names}\n1,2,3,4,0,1\n2,3,4,5,1,0\n`;
  await expect(read(table("label_0,label_1"))).rejects.toThrow(
    'has columns "label_0", "label_1", which may be a label, one-hot, or steps of a feature: for a label say --label label_1 --id label_0, for a feature rename it, as --rename "label_0=my_label_0,label_1=my_label_1"',
  );
  expect((await read(table("label_0,label_1"), { label: "label_1", id: ["label_0"] })).labels).toEqual(Uint8Array.of(1, 0));
  const rename = new Map([0, 1].map((t) => [`label_${t}`, `my_label_${t}`]));
  expect((await read(table("label_0,label_1"), { rename })).features).toEqual(["a", "b", "my_label"]);
  await expect(read(table("rises_no,rises_yes"))).rejects.toThrow(
    "beside the features: where they are one label, one-hot, say --label rises_yes --id rises_no; else name the label with --label",
  );
  expect((await read(table("rises_no,rises_yes"), { label: "rises_yes", id: ["rises_no"] })).labels).toEqual(Uint8Array.of(1, 0));
});

test.each([
  ["as psql aligns it", " a | label \n---+-------\n 1 | 0\n(1 row)\n"],
  ["as sqlite3 -markdown writes it", "| a | label |\n|---|---|\n| 1 | 0 |\n"],
  ["as sqlite3 -column writes it", "a    label\n---  -----\n1.5  0\n"],
])("a table that is drawn for reading, %s, is refused with the command that writes CSV", async (_, text) => {
  await expect(read(text, { window: 1 }, "txt")).rejects.toThrow(
    /line 2: draws a line, .* write the table as CSV, as sqlite3 -csv -header/,
  );
});

test("lines of separators and a title above the header are called so", async () => {
  await expect(read("a,b,label\n1,2,0\n2,3,1\n,,\n", { window: 1 })).rejects.toThrow(
    "line 4: is empty but for its separators: leave the line out",
  );
  await expect(read("My quotes,,,\nsymbol,a,b,label\nx,1,2,0\n", { key: "symbol" })).rejects.toThrow(
    'has no column "symbol": its first line is hardly a header; leave out what stands above the header',
  );
});

const INDEXED = ",open,close,label\n2024-01-03,3,2,0\n2024-01-01,1,2,1\n2024-01-02,2,2,1\n";
test("an index of dates without a name is left out, said, and taken by --time", async () => {
  expect(await line(INDEXED, { window: 2 })).toContain(
    'index column without a name left out (where it holds times, --time "Unnamed: 0" takes it)',
  );
  const { values, timeline } = await read(INDEXED, { window: 2, time: "Unnamed: 0" });
  expect(values).toEqual(Float64Array.of(2, 2, 3, 2, 1, 2, 2, 2));
  expect(timeline?.time).toEqual(Float64Array.of(Date.UTC(2024, 0, 3), Date.UTC(2024, 0, 2)));
  expect(await line(INDEXED.replace(/^/, "index"), { window: 2 })).toContain(
    'index "index" left out (where it holds times, --time index takes it)',
  );
  expect(await line(INDEXED.replaceAll(/2024-01-0/g, ""), { window: 2 })).toContain("index column without a name left out, series by file");
});

test("R's row names are left out after a subset, too, and never guessed without their quotes", async () => {
  const table = '"open" "close" "label"\n"3" 1.5 2 0\n"7" 1.7 3 1\n"12" 1.9 3 0\n';
  const { values, labels, facts } = await read(table, { window: 1 }, "txt");
  expect([values, labels]).toEqual([Float64Array.of(1.5, 2, 1.7, 3, 1.9, 3), Uint8Array.of(0, 1, 0)]);
  expect(describeRead(facts)).toContain("index column without a name left out");
  expect((await read(table.replace('"3"', '"AAPL"'), { window: 1 }, "txt")).values).toEqual(values);
  await expect(read(table.replaceAll('"', ""), { window: 1 }, "txt")).rejects.toThrow(
    "line 2: has 4 columns, expected 3 as in the first line: name each column there, also one of row names in front",
  );
});

test("of columns beside the features one that sounds like a time may be one", async () => {
  const table = (more: string): string => `a_0,a_1,b_0,b_1,${more},label\n1,2,3,4,2024-01-02,0\n`;
  await expect(read(table("day"), {})).rejects.toThrow(
    "--label day or --id day, or --static day where it is given once a sequence, or --time day where sequences follow each other by it",
  );
  await expect(read(table("shift"), {})).rejects.toThrow(/or --static shift where it is given once a sequence$/);
});

test.each(["rownames", "row.names", "row_names", "row_nr"])("a column %s is left out, and that is said", async (name) => {
  const { values, facts } = await read(`${name},open,label\n3,1.5,0\n7,1.7,1\n`, { window: 1 });
  expect(values).toEqual(Float64Array.of(1.5, 1.7));
  expect(describeRead(facts)).toContain(`index "${name}" left out`);
});

describe("a column that counts the rows", () => {
  const table = (first: number, rows: number): string =>
    `n,open,label\n${Array.from({ length: rows }, (_, r) => `${first + r},${r % 7},${r % 2}`).join("\n")}\n`;
  test.each([0, 1])("from %i on is asked about, unless features are named, or rows are few", async (first) => {
    await expect(read(table(first, 40), { window: 2 })).rejects.toThrow(
      `has the column "n", which counts the rows from ${first} on: say --id n to leave it out, --time n where it is the time, or name the features with --features`,
    );
    expect((await read(table(first, 40), { window: 2, features: ["n", "open"] })).features).toEqual(["n", "open"]);
    for (const options of [{ id: ["n"] }, { time: "n" }])
      expect((await read(table(first, 40), { window: 2, ...options })).features).toEqual(["open"]);
    expect((await read(table(first, 20), { window: 2 })).features).toEqual(["n", "open"]);
  });
  test("from elsewhere on is a feature", async () => {
    expect((await read(table(1990, 40), { window: 2 })).features).toEqual(["n", "open"]);
  });
});

describe("a date is refused with the format that reads it", () => {
  const times = (written: string, format?: string) =>
    createTimeReader("day", "data.csv", format === undefined ? undefined : parseTimeFormat(format)).read([written]).coarse[0];
  const THIRD = Date.UTC(2024, 0, 3);
  const LAST = Date.UTC(2024, 0, 31);
  const HOUR = 3_600_000;
  test.each<[written: string, format: string, ms: number]>([
    ["03 Jan 2024 09:00 AM", "%d %b %Y %I:%M %p", THIRD + 9 * HOUR],
    ["01/31/2024", "%m/%d/%Y", LAST],
    ["01/31/2024 9:05:07 PM", "%m/%d/%Y %I:%M:%S %p", LAST + 21 * HOUR + 307_000],
    ["2024-01-31 09:00:00 PM", "%Y-%m-%d %I:%M:%S %p", LAST + 21 * HOUR],
    ["2024-1-31", "%Y-%m-%d", LAST],
    ["Jan 3, 2024", "%b %d, %Y", THIRD],
    ["January 3, 2024 14:00", "%B %d, %Y %H:%M", THIRD + 14 * HOUR],
    ["03-JAN-24", "%d-%b-%y", THIRD],
    ["Wed, 03 Jan 2024 09:00:00 GMT", "%a, %d %b %Y %H:%M:%S %Z", THIRD + 9 * HOUR],
    ["Wed Jan 31 09:00:00 2024", "%a %b %d %H:%M:%S %Y", LAST + 9 * HOUR],
    ["31/Jan/2024:09:00:00 +0100", "%d/%b/%Y:%H:%M:%S %z", LAST + 8 * HOUR],
    ["Jan 31 2024 9:00AM", "%b %d %Y %I:%M%p", LAST + 9 * HOUR],
    ["3. Januar 2024", "%d. %B %Y", THIRD],
    ["31. März 2024, 14:05", "%d. %b %Y, %H:%M", Date.UTC(2024, 2, 31, 14, 5)],
    ["03 janv. 2024", "%d %b %Y", THIRD],
    ["31 déc. 2024", "%d %b %Y", Date.UTC(2024, 11, 31)],
    ["14 juillet 2024", "%d %B %Y", Date.UTC(2024, 6, 14)],
    ["12 août 2024", "%d %b %Y", Date.UTC(2024, 7, 12)],
    ["2 mayo 2024", "%d %b %Y", Date.UTC(2024, 4, 2)],
    ["3 dicembre 2024", "%d %B %Y", Date.UTC(2024, 11, 3)],
    ["31.01.2024, 09:05", "%d.%m.%Y, %H:%M", LAST + 9 * HOUR + 300_000],
  ])("%s", (written, format, ms) => {
    const said = format.includes(" ") ? `"${format}"` : format;
    expect(() => times(written)).toThrow(new RegExp(`: say --time-format ${said.replace(/[.*+?^$()|[\]\\]/g, "\\$&")}$`));
    expect(times(written, format)).toBe(ms);
  });
  test.each([
    ["20240131", "%Y%m%d", LAST],
    ["202401310905", "%Y%m%d%H%M", LAST + 9 * HOUR + 300_000],
    ["20240131090500", "%Y%m%d%H%M%S", LAST + 9 * HOUR + 300_000],
  ])("%s, which may be a number", (written, format, ms) => {
    expect(() => times(written)).toThrow(
      `day[0] is "${written}", which may be a date or a number: say --time-format ${format} for dates, or`,
    );
    expect(times(written, format)).toBe(ms);
    expect(times(written, "s")).toBe(Number(written) * 1000);
  });
  test.each(["4 Foo 2024", "31/01/2024 noon", "13/13/2024"])("%s, which nothing reads, is refused without one", (written) => {
    expect(() => times(written)).toThrow(/such as 2024-05-31T12:00Z$/);
  });
  test("digits that are no date are numbers", () => {
    for (const digits of ["20241331", "1706659200", "12345678"]) expect(times(digits)).toBe(Number(digits));
  });
});
