// The times of rows as a last feature of windows, in seconds, from dates and from numbers of any unit.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isIrregular, withoutClock } from "../../../trainer/data/clock.ts";
import { readDataset } from "../../../trainer/readers/dataset.ts";
import { fillFrom } from "../../../trainer/readers/options.ts";
import { parseTimeFormat } from "../../../trainer/readers/time-format.ts";

const folder = mkdtempSync(join(tmpdir(), "clock-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SECONDS = [1_767_600_000, 1_767_600_010, 1_767_600_700];

test.each([
  ["dates", SECONDS.map((s) => new Date(s * 1000).toISOString())],
  ["seconds", SECONDS],
  ["milliseconds", SECONDS.map((s) => s * 1000)],
  ["microseconds", SECONDS.map((s) => s * 1e6)],
])("%s", async (name, times) => {
  const path = join(folder, `${name}.csv`);
  writeFileSync(path, `at,x,label\n${times.map((time, i) => `${time},${i + 1},${i % 2}`).join("\n")}\n`);
  const options = { window: 2, time: "at", label: "label" };
  const data = await readDataset([path], { ...options, clock: true });
  expect(data.features).toEqual(["x", "at"]);
  expect(data.shape).toEqual({ timesteps: 2, features: 2, clock: true });
  expect(data.facts).toMatchObject({ shape: { timesteps: 2, features: 1 }, features: ["x"] }); // what is said of the data counts the time beside the row
  expect(Array.from(data.values)).toEqual([1, SECONDS[0], 2, SECONDS[1], 2, SECONDS[1], 3, SECONDS[2]]);
  expect(isIrregular(data.values, data.shape)).toBe(true);
  const { values, features, shape } = withoutClock(data);
  const plain = await readDataset([path], options);
  expect({ values, features, shape }).toEqual({ values: plain.values, features: plain.features, shape: plain.shape });
});

test("days as spreadsheets count them are asked about, and read with the option that the question names", async () => {
  const path = join(folder, "excel.csv");
  writeFileSync(path, "at,x,label\n45291.5,1,0\n45292,2,1\n45293.25,3,0\n");
  const options = { window: 2, time: "at", label: "label" };
  await expect(readDataset([path], { ...options, clock: true })).rejects.toThrow(
    'has the times "at" from 45291.5 on, which may be days as Excel counts them or seconds: say --time-format excel for days, or --time-format s for seconds',
  );
  expect((await readDataset([path], options)).labels?.length).toBe(2); // numbers order rows, whatever their unit
  const { values } = await readDataset([path], { ...options, clock: true, timeFormat: parseTimeFormat("excel") });
  const noon = Date.UTC(2023, 11, 31, 12) / 1000; // as LibreOffice and Excel show 45291.5
  expect(Array.from(values)).toEqual([1, noon, 2, noon + 43_200, 2, noon + 43_200, 3, noon + 151_200]);
  const seconds = await readDataset([path], { ...options, clock: true, timeFormat: parseTimeFormat("s") });
  expect(Array.from(seconds.values)).toEqual([1, 45291.5, 2, 45292, 2, 45292, 3, 45293.25]);
});

test("rows a second apart are regular", () => {
  expect(isIrregular(Float64Array.of(1, 10, 2, 11, 5, 20, 4, 21), { timesteps: 2, features: 2, clock: true })).toBe(false);
});

test("rows for a model with a clock need the name of their times", () => {
  const model = { timesteps: 2, features: ["x", "at"], clock: true } as const;
  expect(() => fillFrom({ key: "k" }, model)).toThrow("--time (in training it was at)");
  expect(fillFrom({ key: "k", time: "when" }, model)).toMatchObject({ clock: true, features: ["x"], window: 2 });
  expect(fillFrom({}, model).clock).toBeUndefined(); // whole sequences hold seconds in their rows
});
