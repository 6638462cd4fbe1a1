import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Padding } from "../../../shared/sequence.ts";
import { describeReason } from "../../../trainer/split/reason.ts";
import { type Split, type SplitInput, splitDataset } from "../../../trainer/split/split.ts";
import { createRandom, type Random } from "../../../trainer/statistics/random.ts";

const T = 10;
const F = 3;
const SIZE = T * F;
const HORIZON = 2;

/** Sequences with the truth about them: which series each was cut from, and where. */
interface Windows {
  readonly values: Float64Array;
  readonly series: Int32Array;
  readonly start: Int32Array;
}

type RowSource = (random: Random) => number[];
const continuous: RowSource = (random) => Array.from({ length: F }, () => random.normal());

/** All windows of T rows at `stride` from one series of rows. */
function cutWindows(rows: readonly number[][], stride: number, series = 0): Windows {
  const count = Math.floor((rows.length - T) / stride) + 1;
  const values = new Float64Array(count * SIZE);
  for (let n = 0; n < count; n++) values.set(rows.slice(n * stride, n * stride + T).flat(), n * SIZE);
  return { values, series: new Int32Array(count).fill(series), start: new Int32Array(count).map((_, n) => n * stride) };
}

function drawRows(count: number, random: Random, source: RowSource = continuous): number[][] {
  return Array.from({ length: count }, () => source(random));
}

function concatenate(...all: Windows[]): Windows {
  const join = <A extends Float64Array | Int32Array>(arrays: A[]) => arrays.flatMap((array) => Array.from(array));
  return {
    values: Float64Array.from(join(all.map(({ values }) => values))),
    series: Int32Array.from(join(all.map(({ series }) => series))),
    start: Int32Array.from(join(all.map(({ start }) => start))),
  };
}

function reorder({ values, series, start }: Windows, order: Int32Array): Windows {
  const moved = new Float64Array(values.length);
  order.forEach((n, i) => {
    moved.set(values.subarray(n * SIZE, (n + 1) * SIZE), i * SIZE);
  });
  return { values: moved, series: order.map((n) => series[n]), start: order.map((n) => start[n]) };
}

function shuffled(windows: Windows, random: Random): Windows {
  const order = new Int32Array(windows.start.length).map((_, n) => n);
  random.shuffle(order);
  return reorder(windows, order);
}

function split(values: Float64Array, options: Partial<SplitInput> = {}): Split {
  const N = values.length / SIZE;
  const draw = createRandom(99);
  return splitDataset({
    values,
    labels: new Uint8Array(N).map(() => (draw.uniform() < 0.25 ? 1 : 0)),
    shape: { timesteps: T, features: F },
    padding: "leading",
    method: "auto",
    horizon: HORIZON,
    hasTest: false,
    random: createRandom(1),
    ...options,
  });
}

const partsOf = ({ train, validation, calibration, test: held }: Split) => [train, validation, calibration, held];
const sizesOf = (result: Split) => partsOf(result).map((part) => part.length);

/** (N) 0 … 3, −1 where dropped; fails when a sequence is in two parts. */
function partNumbers(result: Split, N: number): Int32Array {
  const numbers = new Int32Array(N).fill(-1);
  partsOf(result).forEach((part, k) => {
    for (const n of part) {
      expect(numbers[n]).toBe(-1);
      numbers[n] = k;
    }
  });
  expect(numbers.filter((k) => k < 0).length).toBe(result.dropped);
  return numbers;
}

/** How many distinct rows (padding left out) are in more than one part. */
function sharedRows(values: Float64Array, result: Split): number {
  const parts = new Map<string, number>();
  partsOf(result).forEach((part, k) => {
    for (const n of part)
      for (let t = 0; t < T; t++) {
        const row = values.subarray(n * SIZE + t * F, n * SIZE + (t + 1) * F);
        if (row.every((x) => x === 0)) continue;
        parts.set(row.join(), (parts.get(row.join()) ?? 0) | (1 << k));
      }
  });
  return [...parts.values()].filter((mask) => (mask & (mask - 1)) !== 0).length;
}

/** The least distance in steps between starts of one series in different parts. */
function leastGap({ series, start }: Windows, result: Split): number {
  const parts = partNumbers(result, start.length);
  const order = Array.from(start.keys()).filter((n) => parts[n] >= 0);
  order.sort((i, j) => series[i] - series[j] || start[i] - start[j]);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 1; i < order.length; i++)
    if (series[order[i]] === series[order[i - 1]] && parts[order[i]] !== parts[order[i - 1]])
      least = Math.min(least, start[order[i]] - start[order[i - 1]]);
  return least;
}

describe("windows of one series", () => {
  const strides = Array.from({ length: T - 1 }, (_, i) => i + 1);
  const cases = strides.flatMap((stride) => [false, true].map((isShuffled) => ({ stride, isShuffled })));

  test.each(cases)("at stride $stride, shuffled $isShuffled: parts share no row, labels included, and follow in time", (given) => {
    const random = createRandom(given.stride);
    const inOrder = cutWindows(drawRows(T + 1999 * given.stride, random), given.stride);
    const windows = given.isShuffled ? shuffled(inOrder, random) : inOrder;
    const result = split(windows.values);
    expect(result.by).toBe("time");
    expect(describeReason(result.reason)).toContain("2,000 of 2,000 sequences share rows, in one series");
    expect(sharedRows(windows.values, result)).toBe(0);
    // The label of a window that starts at s is known at s + T − 1 + horizon: the next part starts after that, and not much later.
    expect(leastGap(windows, result)).toBeGreaterThan(T - 1 + HORIZON);
    expect(leastGap(windows, result)).toBeLessThanOrEqual(T - 1 + HORIZON + given.stride);
    const starts = partsOf(result).flatMap((part) => Array.from(part, (n) => windows.start[n]));
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(result.dropped).toBe(3 * Math.floor((T - 1 + HORIZON) / given.stride));
    const kept = 2000 - result.dropped;
    expect(sizesOf(result)).toEqual([Math.round(0.65 * kept), Math.round(0.1 * kept), Math.round(0.1 * kept), expect.any(Number)]);
  });

  test("the newest first are split by time all the same", () => {
    const inOrder = cutWindows(drawRows(2009, createRandom(1)), 1);
    const windows = reorder(
      inOrder,
      inOrder.start.map((_, i) => 1999 - i),
    );
    const result = split(windows.values);
    expect(windows.start[result.train[0]]).toBe(0);
    expect(sharedRows(windows.values, result)).toBe(0);
  });

  test("that begin with padding, as the first windows of a series do, share no row either", () => {
    const random = createRandom(2);
    const padded = [...Array.from({ length: T - 1 }, () => new Array<number>(F).fill(0)), ...drawRows(2500, random)];
    const windows = shuffled(cutWindows(padded, 1), random);
    const result = split(windows.values);
    expect(result.by).toBe("time");
    expect(sharedRows(windows.values, result)).toBe(0);
    expect(result.train.some((n) => windows.start[n] === 0)).toBe(true);
  });

  test("whose first row holds differences and whose last one was not over are still one series", () => {
    const random = createRandom(3);
    const windows = cutWindows(drawRows(2509, random), 1);
    for (let n = 0; n < windows.start.length; n++) {
      windows.values.set(continuous(random), n * SIZE);
      windows.values.set(continuous(random), n * SIZE + SIZE - F);
    }
    const result = split(shuffled(windows, random).values);
    expect(result.by).toBe("time");
    expect(describeReason(result.reason)).toContain("in one series");
  });

  test.each([0.5, 0.95])("in which a row stays the same with probability %f: parts share no row", (stay) => {
    const random = createRandom(4);
    let row = continuous(random);
    const standing: RowSource = () => (random.uniform() < stay ? row : (row = continuous(random)));
    const windows = shuffled(cutWindows(drawRows(5009, random, standing), 1), random);
    const result = split(windows.values);
    expect(result.by).toBe("time");
    expect(sharedRows(windows.values, result)).toBe(0);
    expect(leastGap(windows, result)).toBeGreaterThan(T - 1 + HORIZON);
  });

  test("in which one row in ten is the same filler: only the filler is shared", () => {
    const random = createRandom(5);
    const filled: RowSource = () => (random.uniform() < 0.1 ? [1, 0, 0] : continuous(random));
    const windows = shuffled(cutWindows(drawRows(5009, random, filled), 1), random);
    const result = split(windows.values);
    expect(result.by).toBe("time");
    expect(sharedRows(windows.values, result)).toBe(1);
    expect(leastGap(windows, result)).toBeGreaterThan(T - 1 + HORIZON);
  });

  test("of which a few share a chance row far apart in time are still in the order of time", () => {
    const random = createRandom(18);
    const windows = shuffled(cutWindows(drawRows(3009, random), 1), random);
    for (let n = 0; n < 60; n += 2) {
      const row = continuous(random);
      windows.values.set(row, n * SIZE);
      windows.values.set(row, (n + 1) * SIZE + SIZE - F);
    }
    const result = split(windows.values);
    expect(result.by).toBe("time");
    expect(leastGap(windows, result)).toBe(T + HORIZON);
  });

  test("of the S&P 500's days, in the file's order and shuffled", () => {
    const csv = readFileSync(new URL("../../../node_modules/vega-datasets/data/sp500-2000.csv", import.meta.url), "utf8");
    const days = csv
      .trim()
      .split("\n")
      .slice(1)
      .map((line) =>
        line
          .split(",")
          .slice(2, 2 + F)
          .map(Number),
      ); // high, low, close
    const windows = cutWindows(days, 1);
    for (const given of [windows, shuffled(windows, createRandom(6))]) {
      const result = split(given.values);
      expect(result.by).toBe("time");
      expect(sharedRows(given.values, result)).toBe(0);
      expect(leastGap(given, result)).toBe(T + HORIZON);
      expect(result.dropped).toBe(3 * (T - 1 + HORIZON));
    }
  });
});

describe("windows of several series", () => {
  const random = createRandom(7);
  const two = concatenate(cutWindows(drawRows(1809, random), 1, 0), cutWindows(drawRows(1209, random), 1, 1));

  test("one after the other in the file are cut in the file's order", () => {
    const result = split(two.values);
    expect(result.by).toBe("time");
    expect(describeReason(result.reason)).toContain("3,000 of 3,000 sequences share rows, in 2 series of up to 1,800");
    expect(sharedRows(two.values, result)).toBe(0);
    expect(result.train[0]).toBe(0);
    expect(result.test.every((n) => two.series[n] === 1)).toBe(true);
  });

  test("shuffled, each gives every part its share and shares no row", () => {
    const windows = shuffled(two, random);
    const result = split(windows.values);
    expect(result.by).toBe("time");
    expect(sharedRows(windows.values, result)).toBe(0);
    expect(leastGap(windows, result)).toBe(T + HORIZON);
    for (const part of partsOf(result)) expect(part.filter((n) => windows.series[n] === 0).length / part.length).toBeCloseTo(0.6, 1);
  });

  test("taken in turn, as a table of many shares by day, are cut at one day", () => {
    const panel = Array.from({ length: 5 }, (_, s) => cutWindows(drawRows(609, random), 1, s));
    const all = concatenate(...panel);
    const windows = reorder(
      all,
      all.start.map((_, i) => (i % 5) * 600 + Math.floor(i / 5)),
    );
    const result = split(windows.values);
    expect(result.by).toBe("time");
    expect(sharedRows(windows.values, result)).toBe(0);
    const last = Math.max(...Array.from(result.train, (n) => windows.start[n]));
    expect(Math.min(...Array.from(result.validation, (n) => windows.start[n]))).toBeGreaterThan(last);
  });

  test("taken in turn by day, each too short to cut when shuffled, are cut at one day when time is asked for", () => {
    const all = concatenate(...Array.from({ length: 30 }, (_, s) => cutWindows(drawRows(109, random), 1, s)));
    const windows = reorder(
      all,
      all.start.map((_, i) => (i % 30) * 100 + Math.floor(i / 30)),
    );
    const result = split(windows.values, { method: "time" });
    expect(leastGap(windows, result)).toBe(T + HORIZON);
    const last = Math.max(...Array.from(result.train, (n) => windows.start[n]));
    expect(Math.min(...Array.from(result.test, (n) => windows.start[n]))).toBeGreaterThan(last);
  });

  test("one long and many short, shuffled: the short ones are not lost to the cuts", () => {
    const short = Array.from({ length: 150 }, (_, s) => cutWindows(drawRows(19, random), 1, s + 1));
    const windows = shuffled(concatenate(cutWindows(drawRows(1509, random), 1, 0), ...short), random);
    const result = split(windows.values);
    expect(result.by).toBe("time");
    expect(sharedRows(windows.values, result)).toBe(0);
    expect(result.dropped).toBeLessThanOrEqual(3 * (T - 1 + HORIZON + T)); // in the long one and in one short one a cut
  });

  test("hardly longer than the gaps go whole into one part, also when few", () => {
    const windows = concatenate(...Array.from({ length: 9 }, (_, s) => cutWindows(drawRows(52, random), 1, s)));
    const result = split(windows.values);
    expect(result).toMatchObject({ by: "group", dropped: 0 });
    expect(leastGap(windows, result)).toBe(Number.POSITIVE_INFINITY);
  });

  test("that are short go whole into one part, every label with its share", () => {
    const windows = shuffled(concatenate(...Array.from({ length: 300 }, (_, s) => cutWindows(drawRows(19, random), 1, s))), random);
    const result = split(windows.values);
    expect(result.by).toBe("group");
    expect(describeReason(result.reason)).toContain("3,000 of 3,000 sequences share rows, in 300 series of up to 10");
    expect(result.dropped).toBe(0);
    expect(leastGap(windows, result)).toBe(Number.POSITIVE_INFINITY);
    const shares = sizesOf(result).map((size) => size / 3000);
    [0.65, 0.1, 0.1, 0.15].forEach((share, k) => {
      expect(Math.abs(shares[k] - share)).toBeLessThan(10 / 3000);
    });
  });
});

describe("rows that recur by coincidence", () => {
  const counts: RowSource = (random) => Array.from({ length: F }, () => 1 + random.integer(4));
  const rareEvents: RowSource = (random) => Array.from({ length: F }, () => (random.uniform() < 0.8 ? 0 : 1 + random.integer(4)));

  test.each([
    ["counts", 5000, counts],
    ["rare events", 20_000, rareEvents],
    ["one in a thousand values", 5000, (random: Random) => [random.integer(1000), 1, 1]],
  ])("%s, drawn independently: split at random, not one giant group", (_, N, source) => {
    const random = createRandom(1);
    const values = new Float64Array(N * SIZE);
    for (let row = 0; row < N * T; row++) values.set(source(random), row * F);
    const result = split(values, { padding: "none" });
    expect(result.by).toBe("random");
    expect(describeReason(result.reason)).toMatch(
      /^equal rows stand in different sequences, (9[5-9]|100) % of them between other rows, so the sequences are no windows of one series/,
    );
    expect(Math.abs(result.test.length - (N < 20_000 ? 0.15 : 0.1) * N)).toBeLessThanOrEqual(2); // one of each label
  });

  test.each([
    ["counts", counts],
    ["rare events", rareEvents],
    ["one flag", (random: Random) => [random.integer(2), 0, 0]],
  ])("windows over %s in the file's order are split by time", (_, source) => {
    const windows = cutWindows(drawRows(5009, createRandom(9), source), 1);
    const result = split(windows.values, { padding: "none" });
    expect(result.by).toBe("time");
    expect(leastGap(windows, result)).toBe(T + HORIZON);
  });

  test("windows over counts are found in a shuffled file", () => {
    const random = createRandom(10);
    const windows = shuffled(cutWindows(drawRows(5009, random, counts), 1), random);
    const result = split(windows.values);
    expect(result.by).toBe("time");
    expect(leastGap(windows, result)).toBe(T + HORIZON);
  });

  test("sequences in pairs, each beginning with the other's last row, contradict each other", () => {
    const random = createRandom(17);
    const pairs = cutWindows(drawRows(3000 * T, random), T);
    for (let n = 0; n < 3000; n++) pairs.values.copyWithin(n * SIZE, (n ^ 1) * SIZE + SIZE - F, (n ^ 1) * SIZE + SIZE);
    const result = split(shuffled(pairs, random).values);
    expect(result.by).toBe("random");
    expect(describeReason(result.reason)).toContain("50 % of them between other rows");
  });

  test("a filler between rows that recur is no evidence", () => {
    const random = createRandom(19);
    const values = new Float64Array(3000 * SIZE).map((_, i) => (i % F === 0 ? 1 : 0));
    for (let n = 0; n < 3000; n++) for (const t of [1, 4, 8]) values[n * SIZE + (t - random.integer(2)) * F] = 2 + random.integer(6000);
    expect(split(values).by).toBe("random");
  });

  test("sequences that mostly stand still are not taken for shifted windows", () => {
    const random = createRandom(20);
    const values = new Float64Array(3000 * SIZE).fill(1);
    for (let n = 0; n < 3000; n += 7) for (let i = 0; i < SIZE; i++) values[n * SIZE + i] = random.integer(3);
    expect(split(values).by).toBe("random");
  });

  test("a constant row in every sequence links nothing", () => {
    const random = createRandom(11);
    const values = Float64Array.from(drawRows(3000 * T, random).flat());
    for (let n = 0; n < 3000; n++) values.set([1, 2, 3], n * SIZE + random.integer(T) * F);
    expect(split(values).by).toBe("random");
  });
});

describe("at random", () => {
  const random = createRandom(12);
  const values = Float64Array.from(drawRows(4000 * T, random).flat());
  const labels = new Uint8Array(4000).map((_, n) => (n < 900 ? 1 : 0)); // sorted by label

  test("every part has its share of each label, to within one sequence", () => {
    const result = split(values, { labels });
    expect(result).toMatchObject({ by: "random", dropped: 0 });
    expect(describeReason(result.reason)).toBe("no row is in two different sequences, so at random, stratified by label");
    partNumbers(result, 4000);
    [0.65, 0.1, 0.1, 0.15].forEach((share, k) => {
      const positives = partsOf(result)[k].reduce((sum, n) => sum + labels[n], 0);
      expect(Math.abs(positives - share * 900)).toBeLessThanOrEqual(1);
      expect(Math.abs(partsOf(result)[k].length - positives - share * 3100)).toBeLessThanOrEqual(1);
    });
  });

  test("the seed decides, and nothing else", () => {
    expect(split(values, { labels, random: createRandom(5) })).toEqual(split(values, { labels, random: createRandom(5) }));
    expect(split(values, { labels, random: createRandom(5) }).test).not.toEqual(split(values, { labels, random: createRandom(6) }).test);
  });

  test("parts are drawn from the whole file", () => {
    for (const part of partsOf(split(values, { labels }))) {
      const mean = part.reduce((sum, n) => sum + n, 0) / part.length;
      expect(Math.abs(mean - 2000)).toBeLessThan((4 * 4000) / Math.sqrt(12 * part.length)); // four standard errors
    }
  });

  test("exact copies stay with their originals", () => {
    const copied = values.slice();
    for (let n = 0; n < 1000; n++) copied.copyWithin((3999 - n) * SIZE, n * SIZE, (n + 1) * SIZE);
    const result = split(copied, { labels });
    expect(result.by).toBe("random");
    expect(describeReason(result.reason)).toContain("exact copies (1,000) with their originals");
    const parts = partNumbers(result, 4000);
    for (let n = 0; n < 1000; n++) expect(parts[3999 - n]).toBe(parts[n]);
  });

  test("as asked although windows overlap, and says that this flatters", () => {
    const windows = cutWindows(drawRows(3009, random), 1);
    const result = split(windows.values, { method: "random" });
    expect(result.by).toBe("random");
    expect(describeReason(result.reason)).toContain("3,000 of 3,000 sequences share rows with another part, which flatters the scores");
    expect(sharedRows(windows.values, result)).toBeGreaterThan(1000);
  });
});

describe("by group", () => {
  const random = createRandom(13);
  const values = Float64Array.from(drawRows(3000 * T, random).flat());
  const groups = new Int32Array(3000).map(() => -7 * random.integer(200)); // any numbers

  test("given groups go whole into one part, also when nothing is asked for", () => {
    for (const method of ["group", "auto"] as const) {
      const result = split(values, { method, groups });
      expect(result).toMatchObject({ by: "group" });
      expect(describeReason(result.reason)).toBe("as asked, 200 groups, each in one part");
      const parts = partNumbers(result, 3000);
      const partOf = new Map(Array.from(groups, (group, n) => [group, parts[n]]));
      for (let n = 0; n < 3000; n++) expect(parts[n]).toBe(partOf.get(groups[n]));
    }
  });

  test("a large group leaves the others to the other parts", () => {
    const result = split(values, { groups: groups.map((_, n) => (n < 1800 ? 0 : n)) });
    expect(sizesOf(result).map((size) => Math.round(size / 10))).toEqual([195, 30, 30, 45]);
  });

  test("sequences that share rows across groups are counted", () => {
    const windows = cutWindows(drawRows(3009, random), 1);
    expect(describeReason(split(windows.values, { method: "group", groups }).reason)).toContain(
      "share rows with another part, which flatters the scores",
    );
  });

  test("without groups is a usage error", () => {
    expect(() => split(values, { method: "group" })).toThrow("name them with --group");
  });
});

describe("by time as asked, where no row is shared", () => {
  const random = createRandom(14);
  const values = Float64Array.from(drawRows(3000 * T, random).flat());

  test("takes the file's order, a place a step", () => {
    const told = describeReason({ code: "file-order", gap: 1, dropped: 0 });
    expect(told).toBe("as asked, in the order of the file, with a gap of 1 step between parts");
    expect(describeReason({ code: "file-order", gap: 9, dropped: 1 })).toContain("a gap of 9 steps, for which 1 sequence is left out");
    const result = split(values, { method: "time" });
    expect(result).toMatchObject({ by: "time", dropped: 3 * (T - 1 + HORIZON) });
    expect(describeReason(result.reason)).toContain("in the order of the file, with a gap of 11 steps");
    const sorted = split(values, { method: "time", orderedBy: "at" }); // by the reader, for --time at
    expect(describeReason(sorted.reason)).toContain("as asked, in the order of at, with a gap");
    const kept = partsOf(result).flatMap((part) => Array.from(part));
    expect(kept).toEqual(kept.toSorted((a, b) => a - b));
    expect(result.validation[0] - result.train.at(-1)!).toBe(T + HORIZON);
  });

  test("leaves out later copies of a sequence in an earlier part", () => {
    const copied = values.slice();
    copied.copyWithin(2990 * SIZE, 0, SIZE);
    const result = split(copied, { method: "time" });
    expect(result.dropped).toBe(3 * (T - 1 + HORIZON) + 1);
    expect(result.test).not.toContain(2990);
  });
});

describe("shares", () => {
  const random = createRandom(15);
  const values = Float64Array.from(drawRows(24_000 * T, random).flat());

  test.each([
    [1999, [1499, 200, 0, 300]],
    [2000, [1300, 200, 200, 300]],
    [8000, [5200, 800, 800, 1200]],
    [15_000, [10_250, 1500, 1000, 2250]],
    [24_000, [18_200, 2400, 1000, 2400]],
  ])("of %i sequences are %j", (N, expected) => {
    const sizes = sizesOf(split(values.subarray(0, N * SIZE)));
    expected.forEach((size, k) => {
      expect(Math.abs(sizes[k] - size)).toBeLessThanOrEqual(2); // one of each label
    });
  });

  test("of data that bring a test part hold no test", () => {
    const sizes = sizesOf(split(values, { hasTest: true }));
    expect(sizes[3]).toBe(0);
    expect(Math.abs(sizes[0] - (0.9 * 24_000 - 1000))).toBeLessThanOrEqual(2);
    const windows = cutWindows(drawRows(3009, random), 1);
    expect(split(windows.values, { hasTest: true })).toMatchObject({ by: "time", test: new Int32Array(0), dropped: 2 * (T - 1 + HORIZON) });
  });

  test("too few sequences to leave every part one are an error that says so", () => {
    expect(() => split(cutWindows(drawRows(20, random), 1).values, { method: "time" })).toThrow(
      /a split by time of 11 sequences leaves the (validation|test) part empty/,
    );
    expect(() => split(values.subarray(0, 2 * SIZE))).toThrow("of 2 sequences leaves the");
  });
});

test.each(["leading", "any", "none"] as Padding[])("padding %s: all-zero rows in front are shared with nobody", (padding) => {
  const random = createRandom(16);
  const values = Float64Array.from(drawRows(3000 * T, random).flat());
  for (let n = 0; n < 3000; n++) values.fill(0, n * SIZE, n * SIZE + random.integer(T) * F);
  expect(split(values, { padding })).toMatchObject({ by: "random", dropped: 0 });
});
