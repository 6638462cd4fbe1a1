// The kernel's layers against their definition: random networks over all that layers can be.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createWasmEngine } from "../../../shared/engine.ts";
import type { LayeredNetwork } from "../../../shared/networks/layers.ts";
import { layersLogit } from "../../../shared/networks/layers-definition.ts";
import { createDraw, drawNetwork, makeLayers } from "../../fixtures/draw-layers.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { randomLayers } from "../../fixtures/random-layers.ts";

const C = 3;
const T = 7;

/** Logits of N sequences of the given lengths. */
function logitsOf(network: LayeredNetwork, channels: Float32Array, lengths: readonly number[]): Float64Array {
  const engine = createWasmEngine(kernel, { members: [{ kind: "layers", networks: [network] }], calibration: { slope: 1, intercept: 0 } });
  return engine.memberLogits({ channels, lengths: Int32Array.from(lengths) });
}

function definitions(network: LayeredNetwork, channels: Float32Array, lengths: readonly number[]): number[] {
  const size = channels.length / lengths.length;
  return lengths.map((length, n) => layersLogit(network, channels.subarray(n * size, (n + 1) * size), length));
}

/** 19 sequences: two groups of eight, one of equal and one of several lengths, and three alone. */
function lengthsOf(isFixed: boolean): number[] {
  return Array.from({ length: 19 }, (_, n) => (isFixed || n < 8 ? T : 1 + ((n * 5) % T)));
}

test("a member of several networks says the mean of their logits", () => {
  const networks = [1, 2, 3].map((seed) => makeLayers(C, seed));
  const lengths = lengthsOf(false);
  const channels = createDraw(9)(lengths.length, T, C);
  const engine = createWasmEngine(kernel, { members: [{ kind: "layers", networks }], calibration: { slope: 1, intercept: 0 } });
  const logits = engine.memberLogits({ channels, lengths: Int32Array.from(lengths) });
  const [a, b, c] = networks.map((network) => logitsOf(network, channels, lengths));
  expect(Array.from(logits)).toEqual(Array.from(a, (z, n) => (z + b[n] + c[n]) / 3));
});

describe.each([{ isFixed: false }, { isFixed: true }])("sequences of one length alone: $isFixed", ({ isFixed }) => {
  test("random networks compute what their definition says, with the same bits alone as in a batch", () => {
    fc.assert(
      fc.property(randomLayers(T, isFixed, C), fc.nat(1e6), (layers, seed) => {
        const draw = createDraw(seed);
        const network = drawNetwork(layers, C, draw);
        const lengths = lengthsOf(isFixed);
        const channels = draw(lengths.length, T, C);
        const logits = logitsOf(network, channels, lengths);
        const expected = definitions(network, channels, lengths);
        lengths.forEach((length, n) => {
          // Float32 rounds each sum of up to 40 numbers below some tens by 2e-6, and layers in a row add up
          expect(Math.abs(logits[n] - expected[n])).toBeLessThan(2e-5 * (1 + Math.abs(expected[n])));
          const alone = logitsOf(network, channels.slice(n * T * C, (n + 1) * T * C), [length]);
          expect(alone[0]).toBe(logits[n]);
        });
      }),
      { numRuns: 150, seed: 1 },
    );
  });
});
