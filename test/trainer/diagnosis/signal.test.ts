import { expect, test } from "vitest";
import { findSignal } from "../../../trainer/diagnosis/signal.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const M = 800;

/** One column that tells the label as much as `strength` says, and nineteen that tell nothing. */
function draw(seed: number, strength: number): { columns: Float64Array; labels: Uint8Array } {
  const random = createRandom(seed);
  const columns = Float64Array.from({ length: M * 20 }, () => random.normal());
  const labels = Uint8Array.from({ length: M }, (_, n) => (random.uniform() < 1 / (1 + Math.exp(-strength * columns[n * 20])) ? 1 : 0));
  return { columns, labels };
}

test("what is there is found, and an AUC that would be found four times in five is named", () => {
  const { columns, labels } = draw(1, 1);
  const signal = findSignal([{ name: "all", columns }], labels, 0, createRandom(2));
  expect(signal).toMatchObject({ isFound: true, probe: "all", p: 0.001 });
  expect(signal.auc).toBeGreaterThan(0.65); // the logit's own: 0.74
  // by the Mann-Whitney variance of 400 sequences, half of them positive, at 1 % and 80 %: 0.5 + 3.168 · 0.0289
  expect(signal.smallest).toBeCloseTo(0.5916, 2);
});

test("among 100 data sets without any, a signal is claimed in one, give or take", () => {
  const claims = Array.from({ length: 100 }, (_, seed) => {
    const { columns, labels } = draw(100 + seed, 0);
    return findSignal([{ name: "all", columns }], labels, 0, createRandom(seed)).isFound;
  });
  expect(claims.filter(Boolean).length).toBeLessThanOrEqual(4); // one is expected, and more than four in 0.4 % of all such hundreds
});

test("columns and labels that both move slowly are no signal where labels are shifted, and often one where they are shuffled", () => {
  const random = createRandom(7);
  const slow = (): Float64Array => {
    let x = 0;
    return Float64Array.from({ length: M }, () => (x = 0.9 * x + 0.44 * random.normal()));
  };
  const claims = Array.from({ length: 30 }, (_, k) => {
    const columns = slow();
    const labels = Uint8Array.from(slow(), (x) => (x > 0 ? 1 : 0));
    return [0, 30].map((gap) => findSignal([{ name: "slow", columns }], labels, gap, createRandom(k)).isFound);
  });
  expect(claims.filter(([shuffled]) => shuffled).length).toBeGreaterThanOrEqual(5);
  expect(claims.filter(([, shifted]) => shifted).length).toBeLessThanOrEqual(2);
});
