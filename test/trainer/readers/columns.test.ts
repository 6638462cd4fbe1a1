import { expect, test } from "vitest";
import { DataError } from "../../../shared/errors.ts";
import { sortByTime, toGroups, toTimes } from "../../../trainer/readers/columns.ts";

test("groups are numbered in the order they appear", () => {
  expect(toGroups(["b", "a", "b", "1"])).toEqual(Int32Array.of(0, 1, 0, 2));
  expect(toGroups(Float64Array.of(0.5, -3, 0.5))).toEqual(Int32Array.of(0, 1, 0));
});

test("times are numbers or ISO dates", () => {
  expect(toTimes(Float64Array.of(3, -1), "day", "data.npz")).toEqual(Float64Array.of(3, -1));
  expect(toTimes(["12", "-0.5"], "day", "data.csv")).toEqual(Float64Array.of(12, -0.5));
  expect(toTimes(["1970-01-02", "1970-01-01T00:00:01Z"], "day", "data.csv")).toEqual(Float64Array.of(86_400_000, 1000));
  for (const [column, message] of [
    [["2024-01-01", ""], 'day[1] is "", expected a number or an ISO date such as 2024-05-31T12:00Z'],
    [["tomorrow"], 'day[0] is "tomorrow", expected a number or an ISO date such as 2024-05-31T12:00Z'],
    [Float64Array.of(Number.NaN), "day[0] is NaN, expected a number or an ISO date such as 2024-05-31T12:00Z"],
  ] as const)
    expect(() => toTimes(column, "day", "data.csv")).toThrow(new DataError("data.csv", message));
});

test("sorting moves everything of a sequence together and keeps the order of equal times", () => {
  const N = 100;
  const each = Float64Array.from({ length: N }, (_, n) => n);
  const part = {
    values: Float64Array.from({ length: 2 * N }, (_, i) => i),
    labels: Uint8Array.from(each, (n) => n % 2),
    probability: each.map((n) => n / N),
    groups: Int32Array.from(each),
  };
  const sorted = sortByTime(
    part,
    each.map((n) => -Math.floor(n / 10)),
  );
  const order = Array.from(each, (n) => 10 * (9 - Math.floor(n / 10)) + (n % 10));
  expect(Array.from(sorted.groups ?? [])).toEqual(order);
  expect(Array.from(sorted.values)).toEqual(order.flatMap((n) => [2 * n, 2 * n + 1]));
  expect(Array.from(sorted.labels ?? [])).toEqual(order.map((n) => n % 2));
  expect(Array.from(sorted.probability ?? [])).toEqual(order.map((n) => n / N));
});
