// Windows cut from rows whose series and times are known: a split keeps each row, and where series tick together each moment, in
// one part.
import { describe, expect, test } from "vitest";
import { describeReason } from "../../../trainer/split/reason.ts";
import { type SplitMethod, splitDataset } from "../../../trainer/split/split.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const T = 4;
const PARTS = ["train", "validation", "calibration", "test"] as const;

/** Windows of series that are `lengths` rows long, `stride` apart; series s has its row r at time `clock(s, r)`. */
function makeWindows(lengths: number[], clock: (s: number, r: number) => number, stride = 1) {
  const windows = lengths.flatMap((length, s) =>
    Array.from({ length: Math.floor((length - T) / stride) + 1 }, (_, i) => ({ s, start: i * stride, time: clock(s, i * stride + T - 1) })),
  );
  return { windows, N: windows.length };
}

function split({ windows, N }: ReturnType<typeof makeWindows>, method: SplitMethod, horizon = 1, isTimed = true) {
  const random = createRandom(1, 1);
  return splitDataset({
    values: Float64Array.from({ length: N * T }, (_, i) => 1 + (i % 3)), // rows that tell nothing, and would mislead
    labels: Uint8Array.from({ length: N }, (_, n) => (n % 3 === 0 ? 1 : 0)),
    shape: { timesteps: T, features: 1 },
    padding: "none",
    method,
    horizon,
    timeline: {
      series: Int32Array.from(windows, ({ s }) => s),
      start: Int32Array.from(windows, ({ start }) => start),
      time: isTimed ? Float64Array.from(windows, ({ time }) => time) : null,
    },
    hasTest: false,
    random,
  });
}

/** For each row that a part's windows hold, which parts hold it; and the label's row. */
function straddling(made: ReturnType<typeof makeWindows>, parts: ReturnType<typeof split>, horizon: number): number {
  const owner = new Map<string, string>();
  let straddling = 0;
  for (const part of PARTS)
    for (const n of parts[part]) {
      const { s, start } = made.windows[n];
      for (let r = start; r < start + T + horizon; r++) {
        const row = `${s},${r}`;
        if ((owner.get(row) ?? part) !== part) straddling++;
        owner.set(row, part);
      }
    }
  return straddling;
}

describe("no row, nor the row of a label, is in two parts", () => {
  type Clock = (s: number, r: number) => number;
  test.each<[title: string, lengths: number[], clock: Clock, method: SplitMethod, by: string, horizon: number, stride?: number]>([
    ["one long series, by time", [3000], (_s, r) => r, "auto", "time", 1],
    ["many short series, whole", Array.from({ length: 300 }, (_, s) => 8 + (s % 5)), (_s, r) => r, "auto", "group", 1],
    ["many long series, by time", Array.from({ length: 30 }, () => 500), (_s, r) => r, "auto", "time", 1],
    ["three series that tick together", [1000, 1000, 900], (_s, r) => r, "auto", "time", 1],
    ["three series, each after the other", [1000, 1000, 1000], (s, r) => 1000 * s + r, "time", "time", 1],
    ["long series, but whole as asked", [400, 300, 300, 300, 300, 300, 300, 300], (_s, r) => r, "group", "group", 1],
    ["a long horizon", [3000], (_s, r) => r, "time", "time", 20],
    ["a stride", [30_000, 30_000], (_s, r) => r, "time", "time", 1, 10],
  ])("%s", (_title, lengths, clock, method, by, horizon, stride = 1) => {
    const made = makeWindows(lengths, clock, stride);
    const parts = split(made, method, horizon);
    expect(parts.by).toBe(by);
    expect(straddling(made, parts, horizon)).toBe(0);
    const used = PARTS.reduce((sum, part) => sum + parts[part].length, 0);
    expect(used + parts.dropped).toBe(made.N);
    expect(used).toBeGreaterThan(0.9 * made.N);
  });
});

test("by time, each part lies after the one before", () => {
  const made = makeWindows([1000, 800, 900], (s, r) => 3 * r + s); // they tick in turn
  const parts = split(made, "time");
  const times = PARTS.map((part) => Array.from(parts[part], (n) => made.windows[n].time));
  for (let k = 1; k < 4; k++) expect(Math.min(...times[k])).toBeGreaterThan(Math.max(...times[k - 1]));
});

test("of series that tick together, windows that overlap in time are in one part, whatever their series", () => {
  const made = makeWindows([1000, 1000, 1000], (_s, r) => r);
  const parts = split(made, "time", 2);
  const times = PARTS.map((part) => Array.from(parts[part], (n) => made.windows[n].time));
  for (let k = 1; k < 4; k++) expect(Math.min(...times[k]) - Math.max(...times[k - 1])).toBeGreaterThan(T - 1 + 2);
});

test("without times a series is cut in the order of its rows", () => {
  const parts = split(
    makeWindows([3000], () => 0),
    "auto",
    1,
    false,
  );
  expect(parts.by).toBe("time");
  expect(describeReason(parts.reason)).toContain("2,997 windows of one series");
  expect(Math.max(...parts.train)).toBeLessThan(Math.min(...parts.validation));
});
