import { expect, test } from "vitest";
import { makeSp500 } from "../../../trainer/sample/sp500.ts";

const { values, labels, features } = makeSp500();

test("holds every window of ten days from 2000 to 2020 that has a next day, in order", () => {
  expect(features).toEqual(["open", "high", "low", "close", "volume"]);
  expect(labels.length).toBe(5105 - 10); // 5,105 days
  expect(values.length).toBe(labels.length * 50);
  expect(values.every((value) => value > 0 && Number.isFinite(value))).toBe(true);
  expect(Array.from(values.subarray(0, 5))).toEqual([1469.25, 1478, 1438.359985, 1455.219971, 931800000]); // 2000-01-03
  expect(Array.from(values.subarray(-5))).toEqual([2799.340088, 2806.51001, 2764.320068, 2799.550049, 5179990000]); // 2020-04-16
  expect(values.subarray(50, 95)).toEqual(values.subarray(5, 50)); // the second window is a day later
});

test("labels say whether the next close is more than 1 % away", () => {
  // awk -F, 'NR > 11 { d = log($5 / last); if (d < 0) d = -d; n += d > 0.01 } { last = $5 } END { print n }' sp500-2000.csv
  const N = labels.length;
  expect(labels.reduce((sum, label) => sum + label, 0)).toBe(1388);
  for (let n = 0; n + 1 < N; n++) {
    const close = values[n * 50 + 48];
    const next = values[(n + 1) * 50 + 48];
    expect(labels[n]).toBe(Math.abs(Math.log(next / close)) > 0.01 ? 1 : 0);
  }
});
