import { describe, expect, test } from "vitest";
import { meanEntropy } from "../../../trainer/statistics/log-loss.ts";
import { recoveredInformation } from "../../../trainer/statistics/metrics.ts";
import { fillByMean, removeNumbers } from "./gaps.ts";
import {
  bursts,
  counts,
  differenceHidden,
  differenceOnly,
  F,
  heavyTails,
  lengthTells,
  mixedScales,
  orderOnly,
  owners,
  T,
} from "./generators.ts";
import { meanMovements } from "./movements.ts";
import { cutAtOrigins, labelDirection, logRange, ORIGINS } from "./prices.ts";

const SIZE = T * F;
const GENERATORS = { orderOnly, differenceOnly, differenceHidden, counts, mixedScales, heavyTails, lengthTells };

describe.each(Object.entries(GENERATORS))("%s", (_, make) => {
  const N = 8000;
  const { values, labels, probability } = make(N, 101);

  test("has one 1 in four and a best possible loss of 0.42 nats", () => {
    // Standard errors at 8,000 sequences: 0.005 and at most 0.003.
    expect(Math.abs(probability.reduce((sum, p) => sum + p, 0) / N - 0.25)).toBeLessThan(0.015);
    expect(Math.abs(meanEntropy(probability) - 0.42)).toBeLessThan(0.012);
  });

  test("draws labels from the probability", () => {
    const variance = probability.reduce((sum, p) => sum + p * (1 - p), 0);
    const excess = labels.reduce((sum, y, n) => sum + y - probability[n], 0);
    expect(Math.abs(excess)).toBeLessThan(4 * Math.sqrt(variance));
    expect(recoveredInformation(probability, probability)).toBe(1);
  });

  test("is the same for the same seed, and another for another", () => {
    expect(make(50, 101).values).toEqual(values.subarray(0, 50 * SIZE));
    expect(make(50, 102).values).not.toEqual(values.subarray(0, 50 * SIZE));
  });

  test("holds finite numbers, and no sequence is empty", () => {
    expect(values.every(Number.isFinite)).toBe(true);
    for (let n = 0; n < N; n++) expect(values.subarray(n * SIZE, (n + 1) * SIZE).some((x) => x !== 0)).toBe(true);
  });
});

const rowOf = (values: Float64Array, n: number, t: number) => values.subarray((n * T + t) * F, (n * T + t + 1) * F);
const isZero = (row: Float64Array) => row.every((x) => x === 0);

test("orderOnly: the probability follows from where the two peaks are", () => {
  const { values, probability } = orderOnly(500, 101);
  const peakOf = (n: number, f: number) => Array.from({ length: T }, (_, t) => rowOf(values, n, t)[f]).findIndex((x) => x > 3.5);
  for (let n = 0; n < 500; n++) {
    const lead = peakOf(n, 1) - peakOf(n, 0);
    if (lead >= 1 && lead <= 3) expect(probability[n]).toBeGreaterThan(0.6);
    else expect(probability[n]).toBeLessThan(0.1);
  }
});

test("differenceOnly and differenceHidden: the two features differ by no more than a hundredth of their level", () => {
  for (const [make, most] of [
    [differenceOnly, 10],
    [differenceHidden, 0.5],
  ] as const) {
    const { values } = make(500, 101);
    for (let n = 0; n < 500; n++)
      for (let t = 0; t < T; t++) {
        const [near, far] = rowOf(values, n, t);
        expect(Math.abs(far - near)).toBeLessThan(most);
        if (!isZero(rowOf(values, n, t))) expect(near).toBeGreaterThan(100 * Math.abs(far - near));
      }
  }
});

test("counts: whole numbers, with zero rows in front, inside and at the end", () => {
  const { values } = counts(500, 101);
  expect(values.every((x) => Number.isInteger(x) && x >= 0)).toBe(true);
  const zeroRows = Array.from({ length: 500 }, (_, n) => Array.from({ length: T }, (_, t) => isZero(rowOf(values, n, t))));
  expect(zeroRows.filter((rows) => rows[0]).length).toBeGreaterThan(100);
  expect(zeroRows.filter((rows) => rows[T - 1]).length).toBeGreaterThan(100);
  expect(
    zeroRows.filter((rows) => rows.some((zero, t) => zero && rows.indexOf(false) < t && t < rows.lastIndexOf(false))).length,
  ).toBeGreaterThan(100);
});

test("lengthTells: among sequences of one length the probability is the same", () => {
  const { values, probability } = lengthTells(500, 101);
  const byLength = new Map<number, Set<number>>();
  for (let n = 0; n < 500; n++) {
    const length = Array.from({ length: T }, (_, t) => rowOf(values, n, t)).filter((row) => !isZero(row)).length;
    byLength.set(length, (byLength.get(length) ?? new Set()).add(probability[n]));
  }
  expect([...byLength.values()].map((set) => set.size)).toEqual(new Array(10).fill(1));
});

describe("prices", () => {
  test("no origin trains on a row or a label of its test part, and tuning ends where reporting begins", () => {
    for (const origins of Object.values(ORIGINS)) {
      const cuts = cutAtOrigins(5095, origins);
      expect(cuts.length).toBe(5);
      // Window n holds days n … n + 9, and its label day n + 10.
      for (const { before, test: part } of cuts) expect(before[before.length - 1] + T).toBeLessThan(part[0]);
      for (let i = 1; i < cuts.length; i++) expect(cuts[i].test[0]).toBe(cuts[i - 1].test[cuts[i - 1].test.length - 1] + 1);
    }
    expect(ORIGINS.tuning[ORIGINS.tuning.length - 1]).toBe(ORIGINS.reporting[0]);
  });

  // Days with close 1, 2, … and one fall; the range is e^0.01 but on the last day of the first window, where it is e^0.04.
  const days = Array.from({ length: 12 }, (_, d) => [1, Math.exp(d === 9 ? 0.04 : 0.01), 1, d === 11 ? 0 : d + 1, 5]);
  const values = Float64Array.from([0, 1, 2].flatMap((n) => days.slice(n, n + T).flat()));

  test("direction says whether the next day closes higher", () => {
    expect([...labelDirection(values)]).toEqual([1, 0]);
  });

  test("log range is that of the last day, of five and of ten", () => {
    const expected = [Math.log(0.04), (4 * Math.log(0.01) + Math.log(0.04)) / 5, (9 * Math.log(0.01) + Math.log(0.04)) / 10];
    for (const [i, x] of expected.entries()) expect(logRange(values)[i]).toBeCloseTo(x, 10);
  });
});

test("owners: what is static is the same in all rows of a sequence, and neither it nor the trend tells anything alone", () => {
  const { values, labels, inputs } = owners(20_000, 101);
  expect(inputs?.filter((input) => input.static).map(({ name }) => name)).toEqual(["kind", "age"]);
  const rates = [0, 0];
  const counts = [0, 0];
  for (let n = 0; n < 20_000; n++) {
    const rows = Array.from({ length: T }, (_, t) => rowOf(values, n, t)).filter((row) => !isZero(row));
    if (n < 500) expect(new Set(rows.map((row) => row.slice(2).join())).size).toBe(1);
    const isLong = rows[0][2];
    expect(rows[0][3]).toBe(1 - isLong);
    rates[isLong] += labels[n];
    counts[isLong]++;
  }
  expect(Math.abs(rates[0] / counts[0] - rates[1] / counts[1])).toBeLessThan(0.02);
});

test("bursts: 1.3 % are positive, and no row is far from the one before", () => {
  const { values, probability } = bursts(20_000, 101);
  expect(Math.abs(probability.reduce((sum, p) => sum + p, 0) / 20_000 - 0.013)).toBeLessThan(0.002);
  for (let n = 0; n < 500; n++)
    for (let t = 1; t < T; t++)
      if (!isZero(rowOf(values, n, t - 1))) expect(Math.abs(rowOf(values, n, t)[0] - rowOf(values, n, t - 1)[0])).toBeLessThan(0.01);
});

describe("numbers removed", () => {
  const made = orderOnly(4000, 101);

  test("are the share asked for, of data rows alone, whatever the label", () => {
    const { values, labels } = removeNumbers(made, { share: 0.3 }, 1);
    const numbers = made.values.filter((_, i) => !isZero(made.values.subarray(i - (i % F), i - (i % F) + F))).length;
    expect(values.filter(Number.isNaN).length / numbers).toBeCloseTo(0.3, 2);
    expect(
      values.some((x, i) => Number.isNaN(x) && made.values[i] === 0 && isZero(made.values.subarray(i - (i % F), i - (i % F) + F))),
    ).toBe(false);
    expect(labels).toBe(made.labels);
  });

  test("are more of label 1 where the label shows in them", () => {
    const { values, labels } = removeNumbers(made, { share: 0.3, dependsOnLabel: true }, 1);
    const missing = [0, 0];
    const all = [0, 0];
    for (let i = 0; i < values.length; i++) {
      const label = labels[Math.floor(i / SIZE)];
      all[label] += made.values[i] === 0 ? 0 : 1;
      missing[label] += Number.isNaN(values[i]) ? 1 : 0;
    }
    expect(missing[1] / all[1] / (missing[0] / all[0])).toBeCloseTo(3, 0);
  });

  test("leave the probability where they depend on nothing, and are reckoned in where the label shows in them", () => {
    expect(removeNumbers(made, { share: 0.3 }, 1).probability).toEqual(made.probability);
    const { probability, labels } = removeNumbers(made, { share: 0.1, dependsOnLabel: true }, 1);
    const variance = probability.reduce((sum, p) => sum + p * (1 - p), 0);
    const excess = labels.reduce((sum, y, n) => sum + y - probability[n], 0);
    expect(Math.abs(excess)).toBeLessThan(4 * Math.sqrt(variance));
    expect(meanEntropy(probability)).toBeLessThan(0.8 * meanEntropy(made.probability));
  });

  test("filled by the mean leave none", () => {
    expect(fillByMean(removeNumbers(made, { share: 0.3 }, 1)).values.every(Number.isFinite)).toBe(true);
  });
});

test("mean movements are in units of what is usual, over rows that are not padding", () => {
  const values = new Float64Array(2 * SIZE);
  values.set([1, 1, 1, 1, 1, 2, 4, 1, 1, 1, 4, 4, 1, 1, 1], SIZE - 3 * F); // three rows: feature 0 moves by 1 and 2, feature 1 by 3 and 0
  values.set([1, 1, 1, 1, 1, 1.5, 1, 1, 1, 1], 2 * SIZE - 2 * F);
  expect(Array.from(meanMovements(values).filter((_, i) => i % F === 0))).toEqual([1.5, 0.5]);
});
