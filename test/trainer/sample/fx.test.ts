import { expect, test } from "vitest";
import { isZeroRow } from "../../../shared/sequence.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";
import { meanEntropy } from "../../../trainer/statistics/log-loss.ts";
import { computeMetrics } from "../../../trainer/statistics/metrics.ts";

const N = 100_000;
const T = 10;
const F = 5;
const { values, labels, probability, features } = generateFx(N, 1);
const isRow = (n: number, t: number) => t >= 0 && !isZeroRow(values, (n * T + t) * F, { features: F });
const at = (n: number, t: number, f: number) => values[(n * T + t) * F + f];

/** The share of all cells (n,t) where `condition` holds. */
function share(condition: (n: number, t: number) => boolean): number {
  let count = 0;
  for (let n = 0; n < N; n++) for (let t = 0; t < T; t++) if (condition(n, t)) count++;
  return count / (N * T);
}

test("is shaped like the case: base-rate loss 0.563, best possible loss 0.42, a third padding", () => {
  expect(values.length).toBe(N * T * F);
  expect(features.length).toBe(F);
  expect(Math.abs(computeMetrics(labels, probability).baseRateLogLoss - 0.563)).toBeLessThan(0.005);
  expect(Math.abs(meanEntropy(probability) - 0.42)).toBeLessThan(0.01);
  expect(Math.abs(share((n, t) => !isRow(n, t)) - 1 / 3)).toBeLessThan(0.01);
  expect(Math.abs(share((n, t) => isRow(n, t) && at(n, t, 2) === 0) / share(isRow) - 1 / 3)).toBeLessThan(0.01);
});

test("labels are drawn from the probability it tells", () => {
  const { logLoss, auc, ece } = computeMetrics(labels, probability);
  expect(Math.abs(logLoss - meanEntropy(probability))).toBeLessThan(5 * 0.002); // five standard errors: a loss deviates by 0.6, √100,000 times less for the mean
  expect(auc).toBeGreaterThan(0.815);
  expect(ece).toBeLessThan(0.01);
});

test("padding is in front only, and every length from 1 to 10 occurs", () => {
  const lengths = new Set<number>();
  for (let n = 0; n < N; n++) {
    let length = 0;
    for (let t = 0; t < T; t++) {
      if (isRow(n, t)) length++;
      else if (length > 0) throw new Error(`sequence ${n} has a zero row at ${t}, after data`);
    }
    lengths.add(length);
  }
  expect([...lengths].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("feature 4 is feature 3 plus 0.00875 times feature 2, to the last bit", () => {
  expect(share((n, t) => at(n, t, 4) === at(n, t, 3) + 0.00875 * at(n, t, 2))).toBe(1);
});

test("prices stand on a large offset and move by 1e-5 to 1e-3 a step", () => {
  for (const [f, offset] of [1.25, 0.96].entries()) {
    expect(share((n, t) => isRow(n, t) && Math.abs(at(n, t, f) - offset) > 0.1)).toBe(0);
    const moved = share((n, t) => isRow(n, t) && isRow(n, t - 1));
    const typical = share((n, t) => {
      const movement = Math.abs(at(n, t, f) - at(n, t - 1, f));
      return isRow(n, t) && isRow(n, t - 1) && movement > 1e-6 && movement < 1e-3;
    });
    expect(typical / moved).toBeGreaterThan(0.98);
  }
});

test("a first row says nothing: sequences of one row all have the same probability", () => {
  const single = new Set(Array.from(probability).filter((_, n) => !isRow(n, T - 2)));
  expect(single.size).toBe(1);
});

test("the same seed gives the same data, another seed other data", () => {
  expect(generateFx(50, 9)).toEqual(generateFx(50, 9));
  expect(generateFx(50, 8).values).not.toEqual(generateFx(50, 9).values);
  expect(generateFx(100, 9).values.subarray(0, 50 * T * F)).toEqual(generateFx(50, 9).values);
});

/** AUC on the second half of a least-squares fit on the first. `columns` writes the D inputs of sequence n. */
function probeAuc(D: number, columns: (n: number, out: Float64Array) => void): number {
  const half = 40_000;
  const inputs = (n: number): Float64Array => {
    const out = new Float64Array(D + 1).fill(1);
    columns(n, out);
    return out;
  };
  const normal = Array.from({ length: D + 1 }, () => new Float64Array(D + 2)); // XᵀX | Xᵀy
  for (let n = 0; n < half; n++) {
    const x = inputs(n);
    for (let i = 0; i <= D; i++) {
      for (let j = 0; j <= D; j++) normal[i][j] += x[i] * x[j];
      normal[i][D + 1] += x[i] * labels[n];
    }
  }
  for (let i = 0; i <= D; i++) normal[i][i] += 1e-9 * normal[i][i] + 1e-12; // features 2, 3 and 4 depend on one another
  for (let k = 0; k <= D; k++)
    for (let i = 0; i <= D; i++) {
      if (i === k) continue;
      const factor = normal[i][k] / normal[k][k];
      for (let j = k; j <= D + 1; j++) normal[i][j] -= factor * normal[k][j];
    }
  const weights = normal.map((row, i) => row[D + 1] / row[i]);
  const scores = Float64Array.from({ length: half }, (_, n) => inputs(half + n).reduce((sum, x, i) => sum + x * weights[i], 0));
  return computeMetrics(labels.subarray(half, 2 * half), scores).auc ?? 0;
}

test("raw numbers say nearly nothing, movements say nearly all", () => {
  const raw = probeAuc(T * F, (n, out) => out.set(values.subarray(n * T * F, (n + 1) * T * F)));
  const movements = probeAuc(2 * (T - 1), (n, out) => {
    for (let t = 1; t < T; t++) for (const f of [0, 1]) out[2 * (t - 1) + f] = isRow(n, t - 1) ? 1e4 * (at(n, t, f) - at(n, t - 1, f)) : 0;
  });
  expect(raw).toBeLessThan(0.6);
  expect(movements).toBeGreaterThan(0.79);
});
