// Of windows cut from one series, those that share no row.
import { expect, test } from "vitest";
import { pickApart } from "../../../trainer/split/apart.ts";
import { randomOf } from "../../fixtures/model.ts";

const T = 4;
const F = 2;

/** Windows of T rows of one series, one a step. */
function windows(N: number): Float64Array {
  const random = randomOf(3);
  const series = Float64Array.from({ length: (N + T) * F }, () => random() + 1);
  return Float64Array.from({ length: N * T * F }, (_, i) => series[Math.floor(i / (T * F)) * F + (i % (T * F))]);
}

test("every T-th of windows that go on by one row", () => {
  expect(Array.from(pickApart(windows(20), { timesteps: T, features: F }, "none"))).toEqual([0, 4, 8, 12, 16]);
});

test("all sequences, where none share a row", () => {
  const random = randomOf(5);
  const values = Float64Array.from({ length: 6 * T * F }, () => random() + 1);
  expect(Array.from(pickApart(values, { timesteps: T, features: F }, "none"))).toEqual([0, 1, 2, 3, 4, 5]);
});
