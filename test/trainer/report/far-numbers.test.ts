// Numbers that stand alone: one slipped decimal point is found, heavy tails and small samples are not.
import { expect, test } from "vitest";
import { findFarNumbers } from "../../../trainer/report/far-numbers.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const random = createRandom(5);
const numbers = Float64Array.from({ length: 2000 }, () => 10 + random.normal());
const [min, max] = [Math.min(...numbers), Math.max(...numbers)];

test("one number a thousand times as far as the others stands alone, on either side", () => {
  expect(findFarNumbers(numbers.with(7, 1e9))).toEqual({ count: 1, farthest: 1e9, min, max });
  expect(findFarNumbers(numbers.with(7, -9999))).toEqual({ count: 1, farthest: -9999, min, max });
});

test("two that differ among each other are both found, and more than one in a thousand are a distribution", () => {
  expect(findFarNumbers(numbers.with(7, 1e12).with(9, -1e9))).toEqual({ count: 2, farthest: 1e12, min, max });
  expect(findFarNumbers(numbers.map((x, i) => (i < 3 ? 1e9 : x)))).toBeNull();
});

test("nothing stands alone in heavy tails, in rare ones among zeros, or in few numbers", () => {
  expect(findFarNumbers(numbers)).toBeNull();
  for (let seed = 1; seed <= 50; seed++) {
    const own = createRandom(seed);
    const tails = Float64Array.from({ length: 500 }, () => own.normal() / Math.sqrt((own.normal() ** 2 + own.normal() ** 2) / 2));
    expect(findFarNumbers(tails)).toBeNull();
  }
  expect(findFarNumbers(new Float64Array(2000).with(3, 1))).toBeNull();
  expect(findFarNumbers(Float64Array.of(1, 2, 3, 1e9))).toBeNull();
});
