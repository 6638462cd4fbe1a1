// How far a stack may leave the base rate.
import { expect, test } from "vitest";
import { measureKept } from "../../../trainer/pipeline/kept.ts";

const N = 400;
const labels = Uint8Array.from({ length: N }, (_, n) => n % 2);
const alone = Int32Array.from({ length: N }, (_, n) => n);
/** Right by `size` for all but every `wrong`-th sequence. */
const logits = (size: number, wrong: number): Float64Array =>
  Float64Array.from(labels, (label, n) => (label === 1 ? 1 : -1) * (n % wrong === 0 ? -size : size));

test("a model that is right four times of five keeps what it learnt", () => {
  const { share, gain, baseRate } = measureKept(logits(1.2, 5), labels, alone, []);
  expect(baseRate).toBeCloseTo(0, 12);
  expect(gain).toBeGreaterThan(0.15);
  expect(share).toBeGreaterThan(0.99);
});

test("a model that is worse than the base rate keeps next to nothing", () => {
  expect(measureKept(logits(1.2, 2), labels, alone, []).share).toBe(0.05);
});

test("a gain that stands in one stretch of time alone is doubted; the same gain everywhere is not", () => {
  const folds = Array.from({ length: 5 }, () => ({ heldOut: new Int32Array(N / 5) }));
  const everywhere = logits(0.6, 4);
  const inOne = everywhere.map((z, n) => (n < N / 5 ? Math.sign(labels[n] - 0.5) * 1.2 : 0 * z));
  const kept = (z: Float64Array, by: typeof folds | []): number => measureKept(z, labels, alone, by).share;
  expect(kept(everywhere, folds)).toBeCloseTo(kept(everywhere, []), 10);
  expect(kept(inOne, [])).toBeGreaterThan(0.95);
  expect(kept(inOne, folds)).toBe(0.05);
});

test("sequences of one cluster count once: what one person alone tells is no gain", () => {
  const { share, standardError } = measureKept(logits(1.2, 5), labels, new Int32Array(N), []);
  expect(standardError).toBe(Number.POSITIVE_INFINITY);
  expect(share).toBe(0.05);
});
