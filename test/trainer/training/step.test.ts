// A whole training step: against PyTorch and a plain float64 step, on any number of threads, resumed, and when numbers blow up.
import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { FitError } from "../../../shared/errors.ts";
import { flattenNetwork, unflattenNetwork } from "../../../trainer/training/parameters.ts";
import { createTrainingStep, type StepOptions, type TrainingStep } from "../../../trainer/training/step.ts";
import type { StepperData } from "../../../trainer/training/stepper.ts";
import { drawNetwork, drawSequences, generator, relativeDifference } from "../../fixtures/sequences.ts";
import { logit, lossGradients, meanLoss, type Sequences, toWeights, type Weights } from "./lstm-reference.ts";

const open: TrainingStep[] = [];
afterEach(() => {
  for (const step of open.splice(0)) step.dispose();
});

function start(data: StepperData, parameters: Float32Array, options: StepOptions): TrainingStep {
  const step = createTrainingStep(data, { threads: 1, ...options });
  step.setParameters(parameters);
  open.push(step);
  return step;
}

/** N ragged sequences, a random network's flat parameters, and the options that fit them. */
function setUp(N: number, T: number, C: number, U: number, seed = 1) {
  const random = generator(seed);
  const parameters = flattenNetwork(drawNetwork(C, U, 0.7, random));
  const { x, lengths, labels } = drawSequences(N, T, C, random);
  return { data: { channels: x, lengths, labels }, parameters, shape: { channels: C, timesteps: T, units: U }, random };
}

function range(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to - from }, (_, n) => from + n);
}

interface Case {
  optimizer: "adam" | "rmsprop";
  rate: number;
  clip: number | null;
  decay: number;
  losses: number[];
}
const cases: Case[] = JSON.parse(readFileSync(new URL("../../fixtures/training.json", import.meta.url), "utf8"));

test.each(cases)(
  "ten steps of $optimizer, clip $clip, decay $decay, follow PyTorch's losses",
  ({ optimizer, rate, clip, decay, losses }) => {
    // the draws of test/fixtures/training.py, in its order
    const [N, B, T, C, U] = [320, 64, 10, 5, 32];
    const random = generator(20);
    const draw = (size: number, scale = 1) => Float32Array.from({ length: size }, () => scale * (2 * random() - 1));
    const channels = draw(N * T * C);
    const lengths = Int32Array.from({ length: N }, () => 1 + Math.floor(T * random()));
    const labels = Uint8Array.from(lengths, (length, n) =>
      Math.fround(channels[n * T * C] + channels[(n * T + length - 1) * C + 1]) > 0.5 ? 1 : 0,
    );
    const parts = [draw(C * 4 * U, 0.5), draw(U * 4 * U, 0.25), draw(4 * U, 0.5), draw(U, 0.5), draw(1, 0.5)];
    const step = start({ channels, lengths, labels }, Float32Array.from(parts.flatMap((part) => [...part])), {
      channels: C,
      timesteps: T,
      units: U,
      maxBatch: B,
      optimizer,
      clipNorm: clip ?? undefined,
      weightDecay: decay,
      threads: 2,
    });
    losses.forEach((expected, k) => {
      const indices = Int32Array.from({ length: B }, (_, b) => (k * B + 7 * b) % N);
      // Two float32 implementations part slowly: 1e-6 is seen after ten steps.
      expect(Math.abs(step.step(indices, rate) - expected), `step ${k}`).toBeLessThan(2e-5);
    });
  },
);

test("a step is Keras' update on the clipped gradient, biases without decay", () => {
  const [N, T, C, U] = [40, 4, 3, 6];
  const { data, parameters, shape } = setUp(N, T, C, U);
  const [clipNorm, weightDecay, rate] = [0.01, 0.3, 0.05];
  const weights = toWeights(unflattenNetwork(C, U, parameters));
  const sequences = { x: data.channels, lengths: data.lengths, timesteps: T };
  const { kernel, recurrent, bias, headKernel, headBias } = lossGradients(weights, sequences, data.labels);
  const gradient = [kernel, recurrent, bias, headKernel, headBias].flatMap((part) => [...part]);
  const norm = Math.hypot(...gradient);
  expect(norm).toBeGreaterThan(clipNorm);
  const isBias = [kernel, recurrent, bias, headKernel, headBias].flatMap((part, k) => Array.from(part, () => k === 2 || k === 4));
  for (const optimizer of ["adam", "rmsprop"] as const) {
    const step = start(data, parameters, { ...shape, maxBatch: N, optimizer, clipNorm, weightDecay });
    expect(step.step(range(0, N), rate)).toBeCloseTo(meanLoss(weights, sequences, data.labels), 6);
    const expected = gradient.map((raw, n) => {
      const g = (raw * clipNorm) / norm;
      const decayed = parameters[n] * (isBias[n] ? 1 : 1 - rate * weightDecay);
      if (optimizer === "rmsprop") return decayed - (rate * g) / Math.sqrt(0.1 * g * g + 1e-7);
      const alpha = (rate * Math.sqrt(1 - 0.999)) / (1 - 0.9);
      return decayed - (alpha * 0.1 * g) / (Math.sqrt(0.001 * g * g) + 1e-7);
    });
    // the update divides by gradients of 1e-6 and less, known to 1e-9: compare where that is not amplified
    const clear = expected.map((_, n) => n).filter((n) => Math.abs(gradient[n]) > 1e-3 * Math.max(...gradient.map(Math.abs)));
    expect(clear.length).toBeGreaterThan(expected.length / 2);
    const updated = step.getParameters();
    expect(
      relativeDifference(
        clear.map((n) => updated[n]),
        clear.map((n) => expected[n]),
      ),
    ).toBeLessThan(1e-4);
  }
});

/** Gradient of the mean cross-entropy by central differences of the float64 definition, in the parameters' order. */
function differences(weights: Weights, sequences: Sequences, labels: ArrayLike<number>): number[] {
  const h = 1e-5;
  return (["kernel", "recurrent", "bias", "headKernel", "headBias"] as const).flatMap((part) =>
    Array.from(weights[part], (value, k) => {
      const [above, below] = [h, -h].map((move) => {
        weights[part][k] = value + move;
        return meanLoss(weights, sequences, labels);
      });
      weights[part][k] = value;
      return (above - below) / (2 * h);
    }),
  );
}

test("of soft labels the loss is the cross-entropy, and its gradient that of finite differences", () => {
  const [N, T, C, U] = [40, 4, 3, 6];
  const { data, parameters, shape, random } = setUp(N, T, C, U);
  const labels = Float64Array.from({ length: N }, (_, n) => (n % 5 === 0 ? n % 2 : random()));
  const weights = toWeights(unflattenNetwork(C, U, parameters));
  const sequences = { x: data.channels, lengths: data.lengths, timesteps: T };
  for (const threads of [1, 2]) {
    const step = start({ ...data, labels }, parameters, { ...shape, maxBatch: N, threads });
    expect(step.step(range(0, N), 0.05)).toBeCloseTo(meanLoss(weights, sequences, labels), 6);
    // After one step Adam's first moment is a tenth of the gradient.
    const gradient = Array.from(step.getOptimizer().moments.subarray(0, parameters.length), (moment) => 10 * moment);
    expect(relativeDifference(gradient, differences(weights, sequences, labels))).toBeLessThan(1e-5);
    const cut = labels.map((label) => Math.round(label));
    expect(relativeDifference(gradient, differences(weights, sequences, cut))).toBeGreaterThan(0.1);
  }
});

test("losses, parameters and moments are the same bytes for 1, 2 and 4 threads", () => {
  const { data, parameters, shape } = setUp(1500, 10, 5, 20);
  const run = (threads: number) => {
    const step = start(data, parameters, { ...shape, maxBatch: 1000, threads, clipNorm: 1, weightDecay: 0.01 });
    expect(step.threads).toBe(threads);
    const losses = [0, 1, 2, 3, 4].map((k) => step.step(range(100 * k, 100 * k + 1000 - 7 * k), 1e-2));
    return { losses, parameters: step.getParameters(), optimizer: step.getOptimizer(), logits: step.logits(range(0, 1500)) };
  };
  const one = run(1);
  expect(run(2)).toEqual(one);
  expect(run(4)).toEqual(one);
});

test("training falls to a loss that the base rate cannot explain", () => {
  const [N, T, C] = [600, 6, 2];
  const { data, parameters, shape } = setUp(N, T, C, 12);
  data.labels.forEach((_, n) => {
    data.labels[n] = data.channels[n * T * C] > 0.5 && data.lengths[n] > 0 ? 1 : 0;
  });
  const step = start(data, parameters, { ...shape, maxBatch: N });
  let loss = 0;
  for (let k = 0; k < 150; k++) loss = step.step(range(0, N), 2e-2);
  expect(loss).toBeLessThan(0.05);
});

test("a step resumed from saved parameters and moments goes on with the same bytes", () => {
  const { data, parameters, shape } = setUp(200, 5, 3, 9);
  const options = { ...shape, maxBatch: 50 };
  const straight = start(data, parameters, options);
  const steps = [0, 1, 2, 3, 4, 5].map((k) => range(30 * k, 30 * k + 50));
  for (const indices of steps.slice(0, 3)) straight.step(indices, 1e-2);
  const resumed = start(data, straight.getParameters(), options);
  resumed.setOptimizer(structuredClone(straight.getOptimizer()));
  for (const indices of steps.slice(3)) expect(resumed.step(indices, 1e-2)).toBe(straight.step(indices, 1e-2));
  expect(resumed.getParameters()).toEqual(straight.getParameters());
  expect(resumed.getOptimizer()).toEqual(straight.getOptimizer());
  expect(straight.getOptimizer().steps).toBe(6);
});

test("logits are right, and the same bits in any company and number", () => {
  const [N, T, C, U] = [150, 10, 5, 33];
  const { data, parameters, shape } = setUp(N, T, C, U);
  const step = start(data, parameters, { ...shape, maxBatch: 64, threads: 2 });
  const all = step.logits(range(0, N));
  const weights = toWeights(unflattenNetwork(C, U, parameters));
  const expected = Array.from(all, (_, n) => logit(weights, { x: data.channels, lengths: data.lengths, timesteps: T }, n));
  expect(relativeDifference(all, expected)).toBeLessThan(2e-6);
  expect(step.logits(range(0, N).reverse()).reverse()).toEqual(all);
  for (const n of [0, 17, 149]) expect(step.logits(Int32Array.of(n))[0]).toBe(all[n]);
  expect(step.logits(new Int32Array(0))).toEqual(new Float32Array(0));
});

test("a sequence without rows has the head's bias as its logit", () => {
  const { data, parameters, shape } = setUp(8, 4, 2, 5);
  data.lengths.fill(0, 2, 8);
  const step = start(data, parameters, { ...shape, maxBatch: 8 });
  expect([...step.logits(range(2, 8))]).toEqual(Array(6).fill(parameters[parameters.length - 1]));
  expect(Number.isFinite(step.step(range(2, 8), 1e-3))).toBe(true);
  expect(step.getParameters().slice(0, -1)).toEqual(parameters.slice(0, -1));
  expect(step.getParameters().at(-1)).not.toBe(parameters.at(-1));
});

test.each([
  [
    "an input that is NaN",
    (data: StepperData) => data.channels.fill(NaN, 7 * 12 + 7, 7 * 12 + 8),
    1,
    "the loss is NaN at optimizer step 2",
  ],
  ["weights of 1e38", (data: StepperData) => data.channels.fill(5, 7 * 12 + 7, 7 * 12 + 8), 1e38, "the loss is NaN at optimizer step 2"],
  // gates that do not look at their inputs yet, so that they are not saturated
  ["inputs of 1e38", (data: StepperData) => data.channels.fill(1e38).fill(3e38, 7 * 12 + 7, 7 * 12 + 8), 0, "the gradient of kernel is"],
])("%s: the error names the largest input and the learning rate, and nothing is changed", (_, spoil, scale, message) => {
  const { data, parameters, shape } = setUp(60, 4, 3, 8);
  data.lengths.fill(4);
  const labels = data.labels.fill(1);
  const step = start(data, parameters, { ...shape, maxBatch: 60, threads: 2 });
  step.step(range(8, 60), 0.125);
  const spoilt = { ...data, labels, channels: data.channels.slice() };
  spoil(spoilt);
  step.kernel.data.set(spoilt.channels);
  const kernelSize = 3 * 4 * 8;
  step.setParameters(step.getParameters().map((value, n) => (n < kernelSize || scale > 1 ? value * 3 * scale : value)));
  const before = { parameters: step.getParameters(), optimizer: step.getOptimizer() };
  let error: unknown;
  try {
    step.step(range(0, 60), 0.125);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(FitError);
  expect((error as FitError).message).toContain(message);
  expect((error as FitError).message).toContain("the learning rate is 0.125");
  expect((error as FitError).message).toContain("channel 1, step 2 of sequence 7");
  expect({ parameters: step.getParameters(), optimizer: step.getOptimizer() }).toEqual(before);
});

test("a strict step and one on a poorer host agree: strict to the byte, fused to 1e-5", () => {
  const { data, parameters, shape } = setUp(300, 10, 5, 24);
  const run = (options: Partial<StepOptions>) => {
    const warnings: string[] = [];
    const step = start(data, parameters, { ...shape, maxBatch: 300, threads: 2, warn: (message) => warnings.push(message), ...options });
    const losses = Array.from({ length: 10 }, () => step.step(range(0, 300), 1e-2));
    return { losses, warnings, simdPath: step.simdPath, threads: step.threads };
  };
  const fused = run({});
  const strict = run({ strict: true });
  const plain = run({ host: { relaxedSimd: false } });
  const single = run({ host: { sharedMemory: false } });
  expect(plain.losses).toEqual(strict.losses);
  expect(single.losses).toEqual(strict.losses);
  expect([strict.warnings.length, plain.warnings.length, single.warnings.length]).toEqual([0, 1, 1]);
  fused.losses.forEach((loss, k) => {
    expect(Math.abs(loss - strict.losses[k])).toBeLessThan(1e-5);
  });
  expect(fused.losses).not.toEqual(strict.losses);
});

test("data and indices that do not fit are named", () => {
  const { data, parameters, shape } = setUp(30, 4, 3, 8);
  const options = { ...shape, maxBatch: 20 };
  expect(() => start({ ...data, channels: new Float32Array(5) }, parameters, options)).toThrow(
    "channels must hold 30 × 4 × 3 numbers, got 5",
  );
  expect(() => start({ ...data, labels: new Uint8Array(5) }, parameters, options)).toThrow("labels must be 30, as many as lengths, got 5");
  expect(() => start({ ...data, lengths: new Int32Array(30).fill(5) }, parameters, options)).toThrow("lengths must be between 0 and 4");
  expect(() => start(data, new Float32Array(3), options)).toThrow(/parameters must be \d+ numbers, got 3/);
  const step = start(data, parameters, options);
  expect(() => step.step(Int32Array.of(30), 1)).toThrow("indices must be between 0 and 29, got 30");
  expect(() => step.step(new Int32Array(0), 1)).toThrow("a step takes 1 to 20 sequences, got 0");
  expect(() => step.step(range(0, 21), 1)).toThrow("a step takes 1 to 20 sequences, got 21");
});
