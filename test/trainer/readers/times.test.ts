// What a column of times means, and what rows' times are told about.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, describe, expect, test } from "vitest";
import { readBatches } from "../../../trainer/readers/data-files.ts";
import { type ReadOptions, readDataset } from "../../../trainer/readers/dataset.ts";
import { describeNote } from "../../../trainer/readers/describe.ts";
import { parseMaxGap } from "../../../trainer/readers/max-gap.ts";
import { parseTimeFormat } from "../../../trainer/readers/time-format.ts";
import { createTimeReader } from "../../../trainer/readers/times.ts";

const read = (column: Float64Array | string[], format?: string) =>
  createTimeReader("day", "data.csv", format === undefined ? undefined : parseTimeFormat(format)).read(column);
const DAY = 86_400_000;

test.each<[string, string | undefined, number, number]>([
  ["1970-01-02", undefined, DAY, 0],
  ["1970-01-02T00:00", undefined, DAY, 0], // no zone is UTC, whatever the machine's own is
  ["1970-01-02 00:00:01.5", undefined, DAY + 1500, 0],
  ["1970-01-02T01:00:00+01:00", undefined, DAY, 0],
  ["1970-01-02 00:00:00.123456789Z", undefined, DAY + 123, 456_789],
  ["19700102T000001Z", undefined, DAY + 1000, 0],
  ["1970-01-02 00:00:00 UTC", undefined, DAY, 0],
  ["1970-02", undefined, 31 * DAY, 0],
  ["2024-02-29", undefined, Date.UTC(2024, 1, 29), 0],
  ["02/01/1970", "%d/%m/%Y", DAY, 0],
  ["1/2/70 1:05 PM", "%m/%d/%y %I:%M %p", DAY + 785 * 60_000, 0],
  ["2 Jan 1970", "%d %b %Y", DAY, 0],
  ["1970/01/02 00.00.01,250", "%Y/%m/%d %H.%M.%S,%f", DAY + 1250, 0],
  ["02.01.1970 02:00+0200", "%d.%m.%Y %H:%M%z", DAY, 0],
  ["19700102", "%Y%m%d", DAY, 0],
  ["86400", "s", DAY, 0],
  ["86400.5", "s", DAY + 500, 0],
  ["86400000001", "us", DAY, 1000],
  ["1769558400000000001", "ns", 1_769_558_400_000, 1],
  ["-1", "ns", -1, 999_999],
])("%s in the format %s", (written, format, ms, nanos) => {
  const { coarse, fine } = read([written], format);
  expect([coarse[0], fine?.[0] ?? 0]).toEqual([ms, nanos]);
});

test("numbers without a unit order rows as they are, whole numbers beyond 2^53 to the last digit", () => {
  expect(read(Float64Array.of(3, -1)).coarse).toEqual(Float64Array.of(3, -1));
  expect(read(["12", "-0.5"]).coarse).toEqual(Float64Array.of(12, -0.5));
  const { coarse, fine } = read(["1769558400000000002", "1769558400000000001"]);
  expect(coarse[0]).toBe(coarse[1]);
  expect(fine).toEqual(Int32Array.of(2, 1));
});

const ISO = "expected a number or ISO 8601 such as 2024-05-31T12:00Z";
test.each<[Float64Array | string[], string | undefined, string]>([
  [["2024-01-01", ""], undefined, 'day[1] is "", expected a time: fill it in, or leave the row out'],
  [["1", ""], undefined, 'day[1] is "", expected a time'], // and not 0
  [["1769558400000000001", " "], undefined, 'day[1] is " ", expected a time'],
  [["2024-01-01", ""], "%Y-%m-%d", 'day[1] is "", expected a time'],
  [["tomorrow"], undefined, `day[0] is "tomorrow", ${ISO}`],
  [Float64Array.of(Number.NaN), undefined, "day[0] is NaN, expected a time"],
  [["28/01/2026"], undefined, `day[0] is "28/01/2026", ${ISO}: say --time-format %d/%m/%Y`],
  [["01/28/2026"], undefined, `day[0] is "01/28/2026", ${ISO}: say --time-format %m/%d/%Y`],
  [["05.04.2026 14:30"], undefined, `day[0] is "05.04.2026 14:30", ${ISO}: say --time-format "%d.%m.%Y %H:%M", or "%m.%d.%Y %H:%M"`],
  [["2026/04/05"], undefined, `day[0] is "2026/04/05", ${ISO}: say --time-format %Y/%m/%d`],
  [["2026-02-30"], undefined, 'day[0] is "2026-02-30", which is no date of the calendar'],
  [["2023-02-29T12:00Z"], undefined, 'day[0] is "2023-02-29T12:00Z", which is no date of the calendar'],
  [["2026-02-03 24:01"], undefined, 'day[0] is "2026-02-03 24:01", which is no time of a day'],
  [["31/02/2026"], "%d/%m/%Y", 'day[0] is "31/02/2026", which is no date of the calendar'],
  [["2026-01-28"], "%d/%m/%Y", 'day[0] is "2026-01-28", expected a time as --time-format %d/%m/%Y has it'],
  [["1", "2026-01-28"], undefined, 'day[1] is "2026-01-28", while entries before are numbers: write all times alike'],
  [["2026-01-28", "1"], undefined, 'day[1] is "1", while entries before are dates: write all times alike'],
  [
    ["1", "1769558400000000001"],
    undefined,
    'day[1] is "1769558400000000001", while entries before are numbers: say their unit with --time-format s, ms, us or ns',
  ],
])("refuses %j in the format %s", (column, format, message) => {
  expect(() => read(column, format)).toThrow(`data.csv: ${message}`);
});

test("a format that cannot be one is refused", () => {
  for (const text of ["", "%d/%m", "%Q %Y", "%Y %Y", "min"])
    expect(() => parseTimeFormat(text)).toThrow("--time-format must be s, ms, us, ns");
  for (const text of ["", "0", "2 weeks", "-1s"]) expect(() => parseMaxGap(text)).toThrow("--max-gap must be a number above 0");
});

describe("rows of series", () => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-times-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const readRows = async (times: readonly string[], options: ReadOptions = {}) => {
    const path = join(folder, "rows.csv");
    writeFileSync(path, `at,x\n${times.map((time, i) => `${time},${i + 1}\n`).join("")}`);
    const notes: string[] = [];
    const onNote: ReadOptions["onNote"] = (note) => notes.push(describeNote(note));
    const { values, timeline } = await readDataset([path], { time: "at", window: 2, onNote, ...options });
    return { values: Array.from(values), start: Array.from(timeline?.start ?? []), notes };
  };

  test("nanoseconds order them", async () => {
    const rows = ["1769558400000000002", "1769558400000000001", "1769558400000000003"];
    const { values, notes } = await readRows(rows);
    expect(values).toEqual([2, 1, 1, 3]);
    expect(notes).toEqual(["1 row behind a later row of the same series put in order of time"]);
    expect((await readRows(rows, { timeFormat: parseTimeFormat("ns") })).values).toEqual(values);
  });

  test("equal times are counted and stay in the order of the file", async () => {
    const { values, notes } = await readRows(["2026-01-01", "2026-01-01", "2026-01-02"]);
    expect(values).toEqual([1, 2, 2, 3]);
    expect(notes).toEqual([
      "1 row with the time of the row before in the same series (rows of several things are told apart by the column that --key names)",
    ]);
  });

  const steps = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-03-01", "2026-03-02"];

  test("gaps far beyond the usual step are counted, and --max-gap begins a new series there", async () => {
    const whole = await readRows(steps);
    expect(whole.values).toEqual([1, 2, 2, 3, 3, 4, 4, 5]);
    expect(whole.notes).toEqual([
      "1 row more than 10 times the usual step of 1 day after the row before (--max-gap begins a new series there)",
    ]);
    const cut = await readRows(steps, { maxGap: parseMaxGap("2d") });
    expect(cut.values).toEqual([1, 2, 2, 3, 4, 5]); // no window from row 3 to row 4
    expect(cut.start).toEqual([0, 1, 3]);
    expect(cut.notes).toEqual(["a new series begun at 1 row more than 2d after the row before"]);
    const shuffled = await readRows(
      [3, 0, 4, 2, 1].map((i) => steps[i]),
      { maxGap: parseMaxGap("36h") },
    );
    expect(shuffled.start.toSorted()).toEqual([0, 1, 3]);
  });

  test("a gap in a unit that the times do not have is refused", async () => {
    await expect(readRows(steps, { maxGap: parseMaxGap("2") })).rejects.toThrow("has dates in at: say --max-gap with a unit, as 2s or 2d");
    await expect(readRows(["1", "2", "3"], { maxGap: parseMaxGap("2s") })).rejects.toThrow(
      "has numbers in at: say their unit with --time-format",
    );
    expect((await readRows(["1", "2", "30", "31"], { maxGap: parseMaxGap("5") })).values).toEqual([1, 2, 3, 4]);
    await expect(readRows(steps, { time: undefined, features: ["x"], maxGap: parseMaxGap("2d") })).rejects.toThrow(
      "--max-gap needs the rows' times",
    );
  });
});

describe("the time of a window's last row is as the file has it", () => {
  const own = mkdtempSync(join(tmpdir(), "quickstep-written-times-"));
  afterAll(() => rmSync(own, { recursive: true }));
  const x = [1, 3, 2, 5];
  const write = (form: string, times: readonly string[]): string => {
    const path = join(own, `rows.${form}`);
    const files: Record<string, () => string | Uint8Array> = {
      csv: () => ["t,x", ...times.map((t, i) => `${t},${x[i]}`)].join("\n"),
      jsonl: () => times.map((t, i) => JSON.stringify({ t, x: x[i] })).join("\n"),
      parquet: () =>
        new Uint8Array(
          parquetWriteBuffer({
            columnData: [
              { name: "t", data: [...times], type: "STRING" },
              { name: "x", data: x.slice(0, times.length), type: "DOUBLE" },
            ],
          }),
        ),
      arrow: () => tableToIPC(tableFromArrays({ t: [...times], x: Float64Array.from(x.slice(0, times.length)) }), "file"),
    };
    writeFileSync(path, files[form]());
    return path;
  };
  const timesOf = async (path: string, options: ReadOptions): Promise<unknown[]> => {
    const times: unknown[] = [];
    for await (const { columns } of readBatches([path], { window: 2, time: "t", features: ["x"], keepTimes: true, ...options }))
      times.push(...columns.t);
    return times;
  };

  test.each(["csv", "jsonl", "parquet", "arrow"])("%s", async (form) => {
    const german = ["31.12.2023 23:00", "1.1.2024 0:00", "01.01.2024 01:00", "1.1.2024 2:00"];
    const timeFormat = parseTimeFormat("%d.%m.%Y %H:%M");
    expect(await timesOf(write(form, german), { timeFormat })).toEqual(german.slice(1));
    const zoned = ["2024-01-01T00:00+02:00", "2024-01-01T01:00:00.123456789+02:00", "2024-01-01 02:00+02:00", "2024-01-01T03+02:00"];
    expect(await timesOf(write(form, zoned.slice(0, 3)), {})).toEqual(zoned.slice(1, 3));
    const long = ["1769558400000000001", "1769558400000000002", "1769558400000000003"];
    expect(await timesOf(write(form, long), {})).toEqual(long.slice(1));
  });

  test("numbers that are instants, out of order, stay the numbers they are", async () => {
    expect(await timesOf(write("csv", ["1704067260", "1704067200", "1704067320"]), { timeFormat: parseTimeFormat("s") })).toEqual([
      "1704067260",
      "1704067320",
    ]);
  });
});
