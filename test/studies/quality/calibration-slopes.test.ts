import { expect, test } from "vitest";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { calibrationSlopes, labelSlope } from "./calibration-slopes.ts";

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const random = createRandom(1);
const logits = Array.from({ length: 20_000 }, () => 2 * random.normal() - 1);
const p = logits.map(sigmoid);

test("all are 1 where the predictions are the truth, but for the averages of neighbours", () => {
  const { plain, cox, calibrated } = calibrationSlopes(p, p);
  expect(plain).toBeCloseTo(1, 12);
  expect(cox).toBeCloseTo(1, 9);
  expect(calibrated).toBeCloseTo(1, 2);
});

test("predictions twice as far out have half the slope, moved ones the same", () => {
  const far = calibrationSlopes(
    p,
    logits.map((z) => sigmoid(2 * z + 0.5)),
  );
  expect(far.plain).toBeCloseTo(0.5, 9);
  expect(far.cox).toBeCloseTo(0.5, 9);
});

test("of honest predictions that know less than the truth, Cox's slope is 1 and that of least squares is above", () => {
  // A second normal that the predictions do not know: sigmoid(z + u) averaged over u is about sigmoid(z / √(1 + π/8)).
  const known = Array.from({ length: 20_000 }, () => random.normal());
  const truth = known.map((z) => sigmoid(z + random.normal()));
  const { plain, cox, calibrated } = calibrationSlopes(
    truth,
    known.map((z) => sigmoid(z / Math.sqrt(1 + Math.PI / 8))),
  );
  expect(cox).toBeCloseTo(1, 1);
  expect(plain).toBeGreaterThan(1.1);
  expect(Math.abs(calibrated - plain)).toBeLessThan(0.1);
});

test("labels as often 1 as their probabilities say have the slope 1, surer ones one above", () => {
  const often = [0.2, 0.5, 0.8];
  const groups = (rates: readonly number[]): number[] =>
    rates.flatMap((rate) => Array.from({ length: 20 }, (_, n) => (n < 20 * rate ? 1 : 0)));
  const probabilities = often.flatMap((rate) => new Array(20).fill(rate));
  expect(labelSlope(probabilities, groups(often))).toBeCloseTo(1, 9);
  expect(labelSlope(probabilities, groups([0.1, 0.5, 0.9]))).toBeCloseTo(Math.log(9) / Math.log(4), 9);
});
