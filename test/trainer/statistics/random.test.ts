import { expect, test } from "vitest";
import { createRandom } from "../../../trainer/statistics/random.ts";

test("draws what the published generators draw", () => {
  // python3: M = 2**64 - 1
  // def mix(z): z &= M; z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9 & M; z = (z ^ (z >> 27)) * 0x94d049bb133111eb & M; return z ^ (z >> 31)
  // G = 0x9e3779b97f4a7c15; s = mix(42 + G) + stream; words = [mix(s + G), mix(s + 2 * G)], each as high and low 32 bits,
  // are the state of xoshiro128**; uniform = ((next >> 5) * 2**26 + (next >> 6)) / 2**53
  const expected = [
    [0.9453944186944626, 0.6454165293170884, 0.3080261321205593, 0.17629867238742747],
    [0.3865814872299175, 0.36831581810990877, 0.016802752418311417, 0.2742394065102308],
  ];
  for (const [stream, uniforms] of expected.entries()) {
    const random = createRandom(42, stream);
    expect(uniforms.map(() => random.uniform())).toEqual(uniforms);
  }
});

test("seeds and streams are unrelated, and zero is a seed like any other", () => {
  const draw = (seed: number, stream?: number) => createRandom(seed, stream).uniform();
  const draws = [draw(0), draw(1), draw(2), draw(2 ** 32), draw(2 ** 53 - 1), draw(0, 1), draw(0, 2), draw(1, 1)];
  expect(new Set(draws).size).toBe(draws.length);
  expect(draw(1, 0)).toBe(draw(1));
});

// Bounds below are five standard errors of N draws, so that a right generator passes for any seed but one in a million.
const N = 200_000;
const moment = (draw: () => number, power: number) => {
  let sum = 0;
  for (let i = 0; i < N; i++) sum += draw() ** power;
  return sum / N;
};

test("normal has the moments and tails of the normal distribution", () => {
  const { normal } = createRandom(1);
  expect(Math.abs(moment(normal, 1))).toBeLessThan(5 * Math.sqrt(1 / N));
  expect(Math.abs(moment(normal, 2) - 1)).toBeLessThan(5 * Math.sqrt(2 / N));
  expect(Math.abs(moment(normal, 3))).toBeLessThan(5 * Math.sqrt(15 / N));
  expect(Math.abs(moment(normal, 4) - 3)).toBeLessThan(5 * Math.sqrt(96 / N));
  // scipy.stats.norm.cdf([0.25, 0.75, 1.5, 2.5, 3.5])
  for (const [x, below] of [
    [0.25, 0.5987063256829237],
    [0.75, 0.7733726476231317],
    [1.5, 0.9331927987311419],
    [2.5, 0.9937903346742238],
    [3.5, 0.9997673709209645],
  ]) {
    const share = moment(() => (normal() < x ? 1 : 0), 1);
    expect(Math.abs(share - below)).toBeLessThan(5 * Math.sqrt((below * (1 - below)) / N));
  }
});

test("uniform and integer fill their range evenly", () => {
  const { uniform, integer } = createRandom(2);
  expect(Math.abs(moment(uniform, 1) - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / N));
  expect(Math.abs(moment(uniform, 2) - 1 / 3)).toBeLessThan(5 * Math.sqrt(4 / 45 / N));
  const counts = new Float64Array(7);
  for (let i = 0; i < N; i++) counts[integer(7)]++;
  for (const count of counts) expect(Math.abs(count / N - 1 / 7)).toBeLessThan(5 * Math.sqrt(6 / 49 / N));
});

test("shuffle keeps every value and makes every order as likely", () => {
  const { shuffle } = createRandom(3);
  const counts = new Map<string, number>();
  const rounds = 24_000;
  for (let i = 0; i < rounds; i++) {
    const values = Int32Array.of(0, 1, 2, 3);
    shuffle(values);
    counts.set(values.join(), (counts.get(values.join()) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  for (const count of counts.values()) expect(Math.abs(count - rounds / 24)).toBeLessThan(5 * Math.sqrt(rounds / 24));
});
