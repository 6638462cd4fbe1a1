// Windows beside a sample: together they are all windows, each once, whatever the rows' order.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ReadOptions, readDataset } from "../../../trainer/readers/dataset.ts";
import { describeNote } from "../../../trainer/readers/describe.ts";
import { parseMaxGap } from "../../../trainer/readers/max-gap.ts";
import type { ReadNote } from "../../../trainer/readers/notes.ts";

/** Rows of three series, one of them shorter than a window, in turn; the value names the row. `shuffled`: not in the order of time. */
function rows(shuffled: boolean, label: (series: number, at: number) => string | number): string {
  const lines: string[] = [];
  for (let at = 0; at < 60; at++)
    for (const [series, length] of [60, 47, 3].entries())
      if (at < length)
        lines.push(`s${series},${at < 30 ? at : at + 10},${1 + 100 * series + at},${at % 3 === 0 ? "" : at % 7},${label(series, at)}`);
  if (shuffled) lines.sort((a, b) => a.split(",")[2].localeCompare(b.split(",")[2]));
  return `key,at,x,gap,up\n${lines.join("\n")}\n`;
}

async function read(text: string, options: Partial<ReadOptions>) {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-further-"));
  writeFileSync(join(folder, "rows.csv"), text);
  const common = { key: "key", time: "at", label: "up", window: 5, horizon: 2, gaps: true };
  try {
    return await readDataset([join(folder, "rows.csv")], { ...common, ...options });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Each window as text: its numbers and its label. */
function list(values: Float64Array, labels: ArrayLike<number>, size: number): string[] {
  return Array.from(labels, (label, n) => `${[...values.subarray(n * size, (n + 1) * size)].join()}:${label}`);
}

const byDigit = (series: number, at: number): number => Number((series + at) % 4 === 0);
const byWord = (series: number, at: number): string => (byDigit(series, at) ? "yes" : "no");

test.each([
  ["in order of time", false, byDigit, {}],
  ["out of order", true, byDigit, {}],
  ["with runs that a gap ends", false, byDigit, { maxGap: parseMaxGap("5") }],
  ["with labels as words", false, byWord, {}],
  ["with their times", false, byDigit, { clock: true }],
  ["with a stride of their own", false, byDigit, { stride: 3 }],
  ["with a category", false, byDigit, { category: ["gap"] }],
] as const)("rows %s: the sample and the further windows are all windows, each once", async (_title, shuffled, label, more) => {
  const all = await read(rows(shuffled, label), more);
  const sample = await read(rows(shuffled, label), { ...more, maxWindows: 10, further: true });
  const size = all.shape.timesteps * all.shape.features;
  const { further } = sample;
  expect(sample.labels!.length).toBeLessThanOrEqual(14); // 10, and a first one of each run
  expect(sample.shape).toEqual(all.shape);
  const others = list(further!.read(further!.first), further!.labels, size);
  const together = [...list(sample.values, sample.labels!, size), ...others].sort();
  expect(together).toEqual(list(all.values, all.labels!, size).sort());
  expect([...further!.first]).toEqual([...further!.first].sort((a, b) => a - b));
  const { series, start } = sample.timeline!;
  const rowOf = (n: number): number => further!.seriesFirst[series[n]] + start[n];
  const whole = Int32Array.from(series.keys()).filter((n) => series[n] !== 2); // the short series is padded
  expect(
    list(
      further!.read(whole.map(rowOf)),
      Array.from(whole, (n) => sample.labels![n]),
      size,
    ),
  ).toEqual(list(sample.values, sample.labels!, size).filter((_, n) => series[n] !== 2));
});

test("what is sampled is said, and without need nothing is sampled", async () => {
  const notes: ReadNote[] = [];
  await read(rows(false, byDigit), { maxWindows: 10, further: true, onNote: (note) => notes.push(note) });
  const sampled = notes.find(({ code }) => code === "windows-sampled")!;
  expect(describeNote(sampled)).toBe("a sample of 96 windows, evenly spread; networks learn from the others, too");
  expect((await read(rows(false, byDigit), { maxWindows: 96, further: true })).further).toBeUndefined();
});
