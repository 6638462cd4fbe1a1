// Training networks of layers: the same logits as the definition that serves, gradients as differences say, and steps that repeat.
import { afterAll, describe, expect, test } from "vitest";
import { layersLogit } from "../../../shared/networks/layers-definition.ts";
import { parseLayers } from "../../../trainer/layers/grammar.ts";
import { createLayersStepper } from "../../../trainer/layers/layers-stepper.ts";
import { initialParameters, layOut, toLayeredNetwork } from "../../../trainer/layers/parameters.ts";
import { logLossOfLogit } from "../../../trainer/statistics/log-loss.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { openNodeDevice } from "../../../trainer/tfjs/node.ts";

const [N, T, C] = [12, 6, 3];
const device = openNodeDevice({ threads: 2, warn() {} })!;
afterAll(() => device.dispose());

const random = createRandom(7);
const data = {
  channels: Float32Array.from({ length: N * T * C }, () => random.normal()),
  lengths: Int32Array.from({ length: N }, (_, n) => (n < 4 ? T : 1 + ((n * 5) % T))),
  labels: Float32Array.from({ length: N }, () => Math.round(random.uniform())),
};
const all = Int32Array.from({ length: N }, (_, n) => n);
const BASE = { channels: C, timesteps: T, units: 0, maxBatch: 8, clipNorm: 1e9, weightDecay: 0 } as const;

function open(text: string, optimizer: "adam" | "rmsprop" = "rmsprop", on = device) {
  const specs = parseLayers(text, "--layers");
  const layout = layOut(specs, C);
  const stepper = createLayersStepper(on, data, { ...BASE, optimizer, layers: { specs, seed: 3 } });
  const initial = initialParameters(layout, 0.4, createRandom(1, 2)).map((p) => p + 0.2 * random.normal());
  for (const { name, start, end } of layout.parts)
    if (name === "variance") for (let p = start; p < end; p++) initial[p] = 0.5 + Math.abs(initial[p]);
  stepper.setParameters(initial);
  return { stepper, layout, initial };
}

const NETWORKS = [
  "lstm:5",
  "gru:5,dense:4:relu",
  "rnn:5,dense:3:tanh",
  "bilstm:5,lstm:4,dense:3:elu",
  "bigru:4,max",
  "birnn:3,birnn:2",
  "lstm:4,mean,dense:3:selu,layernorm",
  "conv1d:5:3:relu,conv1d:4:2:silu,last",
  "dense:6:softsign,layernorm,gru:3,dense:3:softplus",
  "conv1d:4:3,batchnorm,mean,batchnorm,dense:3:sigmoid",
];

test.each(NETWORKS)("%s: training and the definition that serves say the same of every length", (text) => {
  const { stepper, layout, initial } = open(text);
  const network = toLayeredNetwork(layout, initial);
  const logits = stepper.logits(all);
  for (const n of all) {
    const expected = layersLogit(network, data.channels.subarray(n * T * C, (n + 1) * T * C), data.lengths[n]);
    expect(Math.abs(logits[n] - expected)).toBeLessThan(5e-6 * (1 + Math.abs(expected))); // float32 sums of up to 20 numbers, layer by layer
  }
  stepper.dispose();
});

test.each(NETWORKS)("%s: a step goes down the gradient that differences give", (text) => {
  const { stepper, layout, initial } = open(text);
  const batch = all.subarray(0, 8);
  const lossAt = (parameters: Float32Array): number => {
    const { stepper: other } = open(text);
    other.setParameters(parameters);
    try {
      return other.step(batch, 0); // of the batch as training sees it: batch normalisation takes its own statistics
    } finally {
      other.dispose();
    }
  };
  const loss = stepper.step(batch, 0);
  // RMSprop's second moment after one step is 0.1 g²
  const squares = stepper.getOptimizer().moments.subarray(layout.size);
  const signed = stepper.getOptimizer().moments.subarray(0, layout.size);
  const probe = createRandom(5);
  for (let k = 0; k < 12; k++) {
    const part = layout.parts[probe.integer(layout.parts.length)];
    if (part.role === "statistic") continue;
    const p = part.start + probe.integer(part.end - part.start);
    const step = 4e-3;
    const [up, down] = [step, -step].map((by) => lossAt(initial.map((value, i) => (i === p ? value + by : value))));
    const difference = (up - down) / (2 * step);
    const gradient = Math.sign(signed[p]) * Math.sqrt(squares[p] / 0.1);
    // the loss is float32: 1e-7 / 4e-3, and the step's own curvature
    expect(Math.abs(gradient - difference)).toBeLessThan(2e-4 + 0.02 * Math.abs(difference));
  }
  expect(loss).toBeGreaterThan(0);
  stepper.dispose();
});

describe("training", () => {
  const text = "bilstm:6,dropout:0.3,gru:4,batchnorm,dense:4:relu";
  const train = (steps: number, on = device) => {
    const { stepper, layout } = open(text, "adam", on);
    stepper.setParameters(initialParameters(layout, 0.4, createRandom(1, 2)));
    const losses: number[] = [];
    for (let s = 0; s < steps; s++) losses.push(stepper.step(all.subarray(0, 8), 0.02));
    return { stepper, losses };
  };

  test("learns a batch by heart, and repeats to the bit on any number of threads", () => {
    const { stepper, losses } = train(60);
    expect(losses[59]).toBeLessThan(0.5 * losses[0]);
    const single = openNodeDevice({ threads: 1, warn() {} })!;
    const other = train(60, single);
    expect(other.losses).toEqual(losses);
    expect(other.stepper.getParameters()).toEqual(stepper.getParameters());
    single.dispose();
  });

  test("goes on from its state to the same bits, dropout and statistics of batch normalisation with it", () => {
    const { stepper: whole } = train(9);
    const { stepper: half } = train(5);
    const { stepper: rest } = train(0);
    rest.setParameters(half.getParameters());
    rest.setOptimizer(half.getOptimizer());
    for (let s = 5; s < 9; s++) rest.step(all.subarray(0, 8), 0.02);
    expect(rest.getParameters()).toEqual(whole.getParameters());
    expect(rest.getOptimizer()).toEqual(whole.getOptimizer());
  });

  test("drops other numbers in each step, and none where it scores", () => {
    const { stepper } = open("lstm:6,dropout:0.5", "adam");
    expect(stepper.step(all.subarray(0, 8), 0)).not.toBe(stepper.step(all.subarray(0, 8), 0));
    expect(stepper.logits(all)).toEqual(stepper.logits(all));
  });

  test("a network that is served after training answers as it did in training", () => {
    const { stepper } = train(30);
    const network = toLayeredNetwork(layOut(parseLayers(text, ""), C), stepper.getParameters());
    const logits = stepper.logits(all);
    for (const n of all) {
      const served = layersLogit(network, data.channels.subarray(n * T * C, (n + 1) * T * C), data.lengths[n]);
      expect(Math.abs(logits[n] - served)).toBeLessThan(1e-5 * (1 + Math.abs(served)));
    }
  });

  test("an input that is not finite is an error that names step and learning rate, and changes nothing", () => {
    const { stepper, initial } = open("lstm:4");
    stepper.setParameters(initial.fill(Number.NaN, 0, 1));
    const before = stepper.getParameters();
    expect(() => stepper.step(all.subarray(0, 8), 0.01)).toThrow("the loss is NaN at optimizer step 1: the learning rate is 0.01");
    expect(stepper.getParameters()).toEqual(before);
  });
});

test("sizes that do not fit are refused in the words of the kernel's stepper", () => {
  const { stepper, layout } = open("lstm:4");
  expect(() => stepper.step(all, 0)).toThrow("a step takes 1 to 8 sequences, got 12");
  expect(() => stepper.setParameters(new Float32Array(1))).toThrow(`parameters must be ${layout.size} numbers, got 1`);
  expect(() => stepper.setOptimizer({ steps: 1, moments: new Float32Array(1) })).toThrow(
    `moments must be ${2 * layout.size} numbers, got 1`,
  );
  const layers = { specs: parseLayers("lstm:4", ""), seed: 3 };
  expect(() => createLayersStepper(device, { ...data, labels: [1] }, { ...BASE, optimizer: "adam", layers })).toThrow("labels must be 12");
});

test("a loss says labels on both sides", () => {
  const { stepper } = open("lstm:4");
  const batch = all.subarray(0, 8);
  const logits = stepper.logits(batch);
  const expected = batch.reduce((sum, n) => sum + logLossOfLogit(data.labels[n], logits[n]) / batch.length, 0);
  expect(stepper.step(batch, 0)).toBeCloseTo(expected, 6);
});
