// The feature search on networks that answer what the test wants.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { instantiateKernel } from "../../../shared/engine.ts";
import { createCandidateEvaluator } from "../../../trainer/features/candidate-evaluation.ts";
import { studyFeatures } from "../../../trainer/features/facts.ts";
import { searchChannels } from "../../../trainer/features/search.ts";
import type { SearchProgress, SearchStep } from "../../../trainer/features/search-state.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import type { CreateStepper } from "../../../trainer/training/stepper.ts";

const [N, T, F] = [600, 4, 2];
const { log } = instantiateKernel(new WebAssembly.Module(readFileSync(new URL("../../../shared/kernel/inference.wasm", import.meta.url))));

/** What all searches here have alike. */
const INPUT = { padding: "leading", gap: 0, areStrangers: true, log, seed: 1, yieldToEventLoop: async () => {} } as const;

/** Answers one half to all, whatever it is trained on. */
const createIgnorant: CreateStepper = () => ({
  simdPath: "stub",
  step: () => Math.LN2,
  logits: (indices) => new Float32Array(indices.length),
  getParameters: () => new Float32Array(0),
  setParameters: () => {},
  getOptimizer: () => ({ steps: 0, moments: new Float32Array(0) }),
  setOptimizer: () => {},
  dispose: () => {},
});

test("where nothing betters the base rate, levels and deltas stand in, and nothing is promised", async () => {
  const random = createRandom(44);
  const values = Float64Array.from({ length: N * T * F }, () => random.normal());
  const labels = Uint8Array.from({ length: N }, () => random.integer(2));
  const shape = { timesteps: T, features: F };
  const order = Int32Array.from({ length: N }, (_, n) => n);
  const [train, validation] = [order.subarray(0, 500), order.subarray(500)];
  const seen: SearchProgress[] = [];
  const input = { ...INPUT, values, labels, shape, features: ["a", "b"], train, validation, createStepper: createIgnorant };
  const steps: SearchStep[] = [];
  const result = await searchChannels(input, studyFeatures(values, shape, train, "leading"), {
    onStep: (step) => steps.push(step),
    onProgress: (progress) => seen.push(progress),
  });
  expect(result.isSignificant).toBe(false);
  expect(steps[0]).toEqual({ code: "nothing-found" });
  expect(result.channels.length).toBeGreaterThan(0);
  for (const { base, view } of result.channels) expect([base, view]).toEqual(["feature", expect.stringMatching(/^(level|delta)$/)]);
  expect(seen.map(({ stage }) => stage)).toEqual(expect.arrayContaining(["adding", "comparing", "teachers"]));
  const shares = seen.map(({ share }) => share);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
});

test("leaves where it is asked to", async () => {
  const values = Float64Array.from({ length: N * T * F }, (_, at) => Math.sin(at * at));
  const order = Int32Array.from({ length: N }, (_, n) => n);
  const shape = { timesteps: T, features: F };
  const search = searchChannels(
    {
      ...INPUT,
      values,
      labels: Uint8Array.from(order, (n) => n % 2),
      shape,
      features: ["a", "b"],
      train: order.subarray(0, 500),
      validation: order.subarray(500),
      createStepper: createIgnorant,
      yieldToEventLoop: () => Promise.reject(new Error("Ctrl-C")),
    },
    studyFeatures(values, shape, order, "leading"),
  );
  await expect(search).rejects.toThrow("Ctrl-C");
});

/** Work of a search on noise of so many features, counted in channels of the steps that its short runs take, and what it says. */
async function searchNoise(features: number): Promise<{ work: number; steps: SearchStep[] }> {
  const random = createRandom(45);
  const shape = { timesteps: T, features };
  const order = Int32Array.from({ length: 150 }, (_, n) => n);
  const values = Float64Array.from({ length: order.length * T * features }, () => random.normal());
  let work = 0;
  const createCounting: CreateStepper = (data, options) => ({
    ...createIgnorant(data, options),
    step: () => {
      work += options.channels;
      return Math.LN2;
    },
  });
  const train = order.subarray(0, 100);
  const steps: SearchStep[] = [];
  const input = {
    ...INPUT,
    values,
    labels: Uint8Array.from(order, () => random.integer(2)),
    shape,
    features: Array.from({ length: features }, (_, f) => `f${f}`),
    train,
    validation: order.subarray(100),
    createStepper: createCounting,
  };
  await searchChannels(input, studyFeatures(values, shape, train, "leading"), { onStep: (step) => steps.push(step) });
  return { work, steps };
}

test("the work of a search grows no faster than the features, and what is left untried is said", async () => {
  const [few, many] = [await searchNoise(12), await searchNoise(36)];
  expect(many.work / few.work).toBeLessThan(4); // three times the features; groups that halve do not come out even. Quadratic were 9
  expect(many.steps).toContainEqual({
    code: "left-untried",
    pairs: (36 * 35) / 2 - 60,
    views: 0,
    candidates: 5 * 36 + 120 - 100,
    channels: 0,
  });
  expect((await searchNoise(8)).steps.map(({ code }) => code)).not.toContain("left-untried");
});

test("a step's candidates are screened, and two of them at most are evaluated in whole runs", async () => {
  const random = createRandom(46);
  const [count, shape] = [7000, { timesteps: T, features: 3 }];
  const values = Float64Array.from({ length: count * T * 3 }, () => random.normal());
  const tells = (n: number): boolean => values[n * T * 3] + values[n * T * 3 + 1] + values[n * T * 3 + 2] > 0;
  const labels = Uint8Array.from({ length: count }, (_, n) => Number(tells(n) !== random.uniform() < 0.3));
  const order = Int32Array.from({ length: count }, (_, n) => n);
  const runs: { readonly channels: number; readonly timesteps: number; sequences: number }[] = [];
  const createCounting: CreateStepper = (data, options) => {
    const run = { channels: options.channels, timesteps: options.timesteps, sequences: 0 };
    runs.push(run);
    return {
      ...createIgnorant(data, options),
      step: (indices) => {
        run.sequences += indices.length;
        return Math.LN2;
      },
    };
  };
  const [train, validation] = [order.subarray(0, 4000), order.subarray(4000)];
  await searchChannels(
    { ...INPUT, values, labels, shape, features: ["a", "b", "c"], train, validation, createStepper: createCounting },
    studyFeatures(values, shape, train, "leading"),
  );
  const ofOne = runs.filter(({ channels, timesteps }) => channels === 1 && timesteps === T).map(({ sequences }) => sequences);
  const whole = Math.max(...ofOne);
  expect(whole).toBeGreaterThanOrEqual(24_000);
  expect(ofOne.filter((sequences) => sequences === whole)).toHaveLength(2);
  expect(ofOne.filter((sequences) => sequences < 0.3 * whole).length).toBeGreaterThanOrEqual(3);
});

test("where parts are held out in turn, a screening hears all of them, as an evaluation does", async () => {
  const random = createRandom(47);
  const values = Float64Array.from({ length: N * T * F }, () => random.normal());
  const order = Int32Array.from({ length: N }, (_, n) => n);
  const labels = Uint8Array.from(order, () => random.integer(2));
  const shape = { timesteps: T, features: F };
  const parts = { train: order.subarray(0, 500), validation: order.subarray(500) };
  const evaluator = createCandidateEvaluator(
    { ...INPUT, values, labels, shape, features: ["a", "b"], ...parts, createStepper: createIgnorant },
    [{ base: "feature", a: 0, view: "level" }],
  );
  expect(evaluator.isFolded).toBe(true);
  expect((await evaluator.screen([0], "LSTM")).losses).toHaveLength(N);
  expect((await evaluator.evaluate([0])).losses).toHaveLength(N);
});

test("a set that falls behind on the first of three folds is not run on the others", async () => {
  const random = createRandom(47);
  const order = Int32Array.from({ length: N }, (_, n) => n);
  const labels = Uint8Array.from(order, () => random.integer(2));
  // The first feature says the label, the second nothing.
  const values = Float64Array.from({ length: N * T * F }, (_, at) =>
    at % F === 0 ? 2 * labels[Math.floor(at / (T * F))] + 1 : 1 + random.uniform(),
  );
  let runs = 0;
  const createReader: CreateStepper = (data, { channels: C }) => ({
    ...createIgnorant(data, {} as never),
    setParameters: () => void runs++,
    logits: (indices) => Float32Array.from(indices, (n) => data.channels[n * T * C]),
  });
  const input = { ...INPUT, values, labels, shape: { timesteps: T, features: F }, features: ["a", "b"], createStepper: createReader };
  const parts = { train: order.subarray(0, 500), validation: order.subarray(500) };
  const evaluator = createCandidateEvaluator({ ...input, ...parts }, [
    { base: "feature", a: 0, view: "level" },
    { base: "feature", a: 1, view: "level" },
  ]);
  const [telling, silent] = [[0], [1]];
  const rival = await evaluator.screen(telling, "LSTM");
  expect(runs).toBe(3);
  expect(await evaluator.race(silent, "LSTM", rival)).toBeUndefined();
  expect(runs).toBe(4);
  const whole = await evaluator.screen(silent, "LSTM");
  expect(runs).toBe(6); // the first fold is known
  expect(whole.losses).toHaveLength(N);
  expect(await evaluator.race(telling, "LSTM", whole)).toEqual(rival);
  const overlapping = createCandidateEvaluator({ ...input, ...parts, gap: 10 }, [{ base: "feature", a: 1, view: "level" }]);
  expect((await overlapping.race([0], "LSTM", rival))?.losses).toHaveLength(N); // ten blocks say too little
});
