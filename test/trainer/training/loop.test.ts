import { describe, expect, it } from "vitest";
import { FitError } from "../../../shared/errors.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { type FitState, fitNetwork } from "../../../trainer/training/loop.ts";
import type { Stepper } from "../../../trainer/training/stepper.ts";

/** A stepper whose only parameter counts epochs, and whose validation logits follow a script. */
function scripted(validationLogits: readonly number[]): Stepper & { readonly seen: number[][]; readonly rates: number[] } {
  let steps = 0;
  let parameters = new Float32Array(1);
  const seen: number[][] = [];
  const rates: number[] = [];
  return {
    simdPath: "scripted",
    seen,
    rates,
    step(indices, learningRate) {
      seen.push(Array.from(indices));
      rates.push(learningRate);
      parameters = Float32Array.of(++steps);
      return 0.5;
    },
    logits: (indices) => new Float32Array(indices.length).fill(validationLogits[Math.min(steps, validationLogits.length - 1)]),
    getParameters: () => parameters.slice(),
    setParameters: (to) => {
      parameters = Float32Array.from(to);
    },
    getOptimizer: () => ({ steps, moments: new Float32Array(0) }),
    setOptimizer: (state) => {
      steps = state.steps;
    },
    dispose() {},
  };
}

const options = (overrides: object) => ({
  train: Int32Array.of(0, 1, 2, 3),
  validation: Int32Array.of(4, 5),
  labels: Uint8Array.of(0, 1, 0, 1, 1, 1),
  epochs: 20,
  batch: 4,
  learningRate: 1,
  schedule: "constant" as "constant" | "cosine",
  gap: 0,
  learningRatePatience: 2,
  patience: 5,
  shuffle: (order: Int32Array, epoch: number) => createRandom(1, epoch).shuffle(order),
  ...overrides,
});

describe("fitNetwork", () => {
  it("keeps the weights of the best epoch, not the last, and stops after `patience` epochs without a better one", async () => {
    const stepper = scripted([0, 1, 3, 2, 2, 2, 2, 2, 2, 2]); // labels are 1: the higher the logit, the lower the loss
    const { parameters, bestEpoch, history } = await fitNetwork(stepper, options({}));
    expect(bestEpoch).toBe(2);
    expect(Array.from(parameters)).toEqual([2]);
    expect(history.length).toBe(7);
  });

  it("halves the learning rate every `learningRatePatience` epochs without a better loss", async () => {
    const stepper = scripted([0, 1, 0.5, 0.5, 0.5, 0.5, 0.5]);
    await fitNetwork(stepper, options({}));
    expect(stepper.rates).toEqual([1, 1, 1, 0.5, 0.5, 0.25]);
  });

  it("shows every sequence once an epoch, in another order each time", async () => {
    const stepper = scripted([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    await fitNetwork(
      stepper,
      options({ train: Int32Array.from({ length: 50 }, (_, i) => i), labels: new Uint8Array(50).fill(1), epochs: 3, batch: 50 }),
    );
    for (const epoch of stepper.seen) expect(epoch.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(stepper.seen[0]).not.toEqual(stepper.seen[1]);
  });

  it("weighs a short last batch by its size", async () => {
    let trainLoss = 0;
    const stepper = { ...scripted([0, 1]), step: (indices: Int32Array) => (indices.length === 3 ? 1 : 5) };
    await fitNetwork(
      stepper,
      options({
        epochs: 1,
        batch: 3,
        onProgress: (p: { isEpochEnd: boolean; trainLoss: number }) => p.isEpochEnd && (trainLoss = p.trainLoss),
      }),
    );
    expect(trainLoss).toBe((3 * 1 + 1 * 5) / 4);
  });

  it("hands over the last good weights when a step fails, before the error leaves", async () => {
    const stepper = scripted([0, 1]);
    const failing = {
      ...stepper,
      step(indices: Int32Array, rate: number): number {
        if (stepper.rates.length === 2) throw new FitError("the loss is NaN");
        return stepper.step(indices, rate);
      },
    };
    const saved: FitState[] = [];
    await expect(fitNetwork(failing, options({ batch: 3, onFailure: (state: FitState) => saved.push(state) }))).rejects.toThrow(
      "the loss is NaN",
    );
    expect(saved.map(({ epoch, seen, parameters }) => [epoch, seen, ...parameters])).toEqual([[2, 0, 2]]);
  });

  it("answers with the initial weights when nothing better was found", async () => {
    const { bestEpoch, parameters } = await fitNetwork(scripted([3, 1]), options({}));
    expect([bestEpoch, parameters[0]]).toEqual([0, 0]);
  });
});

describe("with a falling learning rate", () => {
  const falling = { schedule: "cosine" as const, patience: 100, learningRatePatience: 100 };

  it("keeps the latest epoch that is not worse than the best beyond noise", async () => {
    // Labels 1 and 1, equal logits: a difference without noise is always beyond it, so only equals count as not worse.
    const { bestEpoch, lowestEpoch } = await fitNetwork(scripted([0, 1, 3, 2, 3, 2.5]), options({ ...falling, epochs: 5 }));
    expect([bestEpoch, lowestEpoch]).toEqual([4, 2]);
  });

  it("starts low, peaks, and ends near zero", async () => {
    const stepper = scripted([0, 1]);
    await fitNetwork(stepper, options({ ...falling, epochs: 40 }));
    const { rates } = stepper;
    expect(rates[0]).toBeLessThan(0.1);
    expect(Math.max(...rates)).toBeGreaterThan(0.95);
    expect(rates[39]).toBeLessThan(0.01);
  });
});
