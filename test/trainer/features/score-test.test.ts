import { describe, expect, it } from "vitest";
import { prepareTeacher, teacherColumns } from "../../../trainer/features/logistic-teacher.ts";
import { BLOCKS, blocksOf, scoreGain } from "../../../trainer/features/score-test.ts";
import { logLossOfLogit } from "../../../trainer/statistics/log-loss.ts";
import { fitLogistic } from "../../../trainer/statistics/logistic.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const N = 4000;
const T = 10;
const random = createRandom(9);
const draw = (): Float32Array => Float32Array.from({ length: N * T }, () => random.normal());
const lengths = new Int32Array(N).fill(T);
const [mover, gate] = [draw(), draw()];
const blocks = (channels: Float32Array): Float64Array => blocksOf({ channels, lengths }, T, 0);
const label = (logit: number): number => (random.uniform() < 1 / (1 + Math.exp(-logit)) ? 1 : 0);
const last = (channels: Float32Array, n: number): number => channels[n * T + T - 1];
const half = new Float64Array(N).fill(0.5);

describe("scoreGain", () => {
  it("comes close to what fitting the columns gains, less chance", () => {
    const labels = Array.from({ length: N }, (_, n) => label(0.4 * last(mover, n)));
    const x = blocks(mover);
    const fitted = fitLogistic(x, labels, { l2: 1e-6 }).predict(x);
    const fall = labels.reduce((sum, y, n) => sum + Math.log(y === 1 ? fitted[n] : 1 - fitted[n]) + Math.LN2, 0) / N;
    const { gain, noise } = scoreGain(x, [], labels, half);
    expect(Math.abs(gain - (fall - BLOCKS / (2 * N)))).toBeLessThan(3 * noise);
    expect(gain).toBeGreaterThan(5 * noise);
  });

  it("sees what shows only beside a channel already chosen", () => {
    const labels = Array.from({ length: N }, (_, n) => label(1.2 * last(mover, n) * Math.sign(last(gate, n))));
    const alone = scoreGain(blocks(gate), [], labels, half);
    const beside = scoreGain(blocks(gate), [blocks(mover)], labels, half);
    expect(alone.gain).toBeLessThan(3 * alone.noise);
    expect(beside.gain).toBeGreaterThan(10 * beside.noise);
  });

  it("claims nothing from noise: within 3 of its standard deviations in 98 of 100 draws", () => {
    const x = blocks(mover);
    let claims = 0;
    for (let k = 0; k < 100; k++) {
      const { gain, noise } = scoreGain(
        x,
        [],
        Array.from({ length: N }, () => label(0)),
        half,
      );
      if (gain > 3 * noise) claims++;
    }
    expect(claims).toBeLessThanOrEqual(2); // χ²(20) exceeds its mean by 3 deviations once in 170 draws
  });
});

describe("blocksOf", () => {
  it("counts steps from the end and pools the old", () => {
    const channels = Float32Array.from({ length: 12 }, (_, t) => t + 1);
    expect(Array.from(blocksOf({ channels, lengths: Int32Array.of(12) }, 12, 0))).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 2]); // 2 is the mean of 1, 2, 3
    expect(Array.from(blocksOf({ channels, lengths: Int32Array.of(2) }, 12, 0)).slice(0, 3)).toEqual([2, 1, 0]);
  });
});

describe("prepareTeacher", () => {
  it("learns a product of two channels that no linear model sees", () => {
    const channels = new Float32Array(N * T * 2).map((_, i) => (i % 2 === 0 ? mover : gate)[i >> 1]);
    const labels = Array.from({ length: N }, (_, n) => label(1.5 * last(mover, n) * last(gate, n)));
    const columns = teacherColumns({ channels, lengths }, T);
    const [quick, exact] = (["few steps", "Newton"] as const).map((solver) => {
      const logits = prepareTeacher(columns, labels, solver)(Int32Array.from(labels.keys()));
      return labels.reduce((sum, y, n) => sum + logLossOfLogit(y, logits[n]), 0) / N;
    });
    expect(quick).toBeLessThan(0.6); // ln 2 without the products
    expect(Math.abs(quick - exact)).toBeLessThan(1e-4);
  });

  it("weighs its columns as scikit-learn's LogisticRegression with C = 1/l2, whatever it has to choose from", () => {
    const columns = Float64Array.from(mover); // (N,T) as columns
    const labels = Array.from({ length: N }, (_, n) => label(0.7 * last(mover, n)));
    const logits = prepareTeacher(columns, labels, "few steps")(Int32Array.from(labels.keys()));
    const distances = [3, 30, 300].map((l2) => {
      const { predict } = fitLogistic(mover, labels, { l2 });
      return Math.max(...predict(mover).map((p, n) => Math.abs(p - 1 / (1 + Math.exp(-logits[n])))));
    });
    expect(Math.min(...distances)).toBeLessThan(1e-3);
  });

  it("asks for both labels, and takes the strongest penalty where there is nothing to choose it by", () => {
    const columns = Float64Array.from(mover);
    const first = Int32Array.from({ length: 30 }, (_, n) => n);
    expect(() => prepareTeacher(columns, new Uint8Array(N), "few steps")(first)).toThrow("both labels");
    const labels = new Uint8Array(N);
    labels[29] = 1; // in the last third alone
    expect(prepareTeacher(columns, labels, "few steps")(first).every(Number.isFinite)).toBe(true);
  });
});
