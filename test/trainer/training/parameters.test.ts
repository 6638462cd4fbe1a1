import { describe, expect, it } from "vitest";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { flattenNetwork, initialNetwork, unflattenNetwork } from "../../../trainer/training/parameters.ts";

describe("initialNetwork", () => {
  const network = initialNetwork(8, 100, 0.25, createRandom(7));

  it("has orthonormal recurrent rows", () => {
    const row = (u: number) => network.recurrent.subarray(u * 400, (u + 1) * 400);
    for (const [i, j] of [
      [0, 0],
      [99, 99],
      [0, 1],
      [3, 98],
    ]) {
      const dot = row(i).reduce((sum, x, k) => sum + x * row(j)[k], 0);
      expect(dot).toBeCloseTo(i === j ? 1 : 0, 5); // float32 rounding of 400 products
    }
  });

  it("stays within Glorot's bound and uses it", () => {
    const bound = Math.sqrt(6 / (8 + 400));
    const largest = network.kernel.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(0.98 * bound);
  });

  it("starts at the base rate, forget gates open", () => {
    expect(1 / (1 + Math.exp(-network.headBias[0]))).toBeCloseTo(0.25, 6);
    expect(Array.from(network.bias.subarray(100, 200))).toEqual(new Array(100).fill(1));
    expect(network.bias.reduce((sum, x) => sum + x, 0)).toBe(100);
  });

  it("comes from its seed alone", () => {
    expect(initialNetwork(8, 100, 0.25, createRandom(7))).toEqual(network);
    expect(initialNetwork(8, 100, 0.25, createRandom(8)).kernel).not.toEqual(network.kernel);
  });

  it("survives the flat buffer", () => {
    expect(unflattenNetwork(8, 100, flattenNetwork(network))).toEqual(network);
  });
});
