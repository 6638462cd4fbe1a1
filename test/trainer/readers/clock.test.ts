// The times of rows as a last feature of windows, in seconds, from dates and from numbers of any unit.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isIrregular, withoutClock } from "../../../trainer/data/clock.ts";
import { readDataset } from "../../../trainer/readers/dataset.ts";
import { fillFrom } from "../../../trainer/readers/options.ts";

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

test("rows a second apart are regular", () => {
  expect(isIrregular(Float64Array.of(1, 10, 2, 11, 5, 20, 4, 21), { timesteps: 2, features: 2, clock: true })).toBe(false);
});

test("rows for a model with a clock need the name of their times", () => {
  const model = { timesteps: 2, features: ["x", "at"], clock: true } as const;
  expect(() => fillFrom({ key: "k" }, model)).toThrow("--time (in training it was at)");
  expect(fillFrom({ key: "k", time: "when" }, model)).toMatchObject({ clock: true, features: ["x"], window: 2 });
  expect(fillFrom({}, model).clock).toBeUndefined(); // whole sequences hold seconds in their rows
});
