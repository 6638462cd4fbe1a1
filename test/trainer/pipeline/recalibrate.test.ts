// Calibration, operating points, figures and drift reference of a model that is finished, from labelled sequences.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { checkGolden, type MeasuredCard, type Model, score } from "../../../shared/model.ts";
import { recalibrate } from "../../../trainer/pipeline/recalibrate.ts";
import { describeNote } from "../../../trainer/pipeline/sentences.ts";
import type { LabelledDataset } from "../../../trainer/readers/dataset.ts";
import { countOnes } from "../../../trainer/statistics/labels.ts";
import { computeMetrics } from "../../../trainer/statistics/metrics.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { engines, importBytes } from "../../fixtures/import/importing.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { makeStack } from "../../fixtures/stack.ts";

const [N, T, F] = [4000, 10, 5];
const OPTIONS = { seed: 1, split: "random", horizon: 1 } as const;
const file = readFileSync(new URL("../../fixtures/import/good/torch.safetensors", import.meta.url));

/** Labels drawn from a distortion of what the model says: 4 · logit − 1. Features far from 0. */
function labelled(model: Model): LabelledDataset {
  const random = createRandom(3);
  const values = Float64Array.from({ length: N * T * F }, (_, at) => (at % F) + 2 * random.normal());
  const engine = engines.createEngine(model);
  const { probabilities } = score(model, engine, engines.kernel.log, values);
  const labels = Uint8Array.from(probabilities, (p) => Number(random.uniform() < 1 / (1 + Math.exp(1 - 4 * Math.log(p / (1 - p))))));
  return {
    source: "labelled.npz",
    name: "labelled",
    sha256: "1".repeat(64),
    shape: { timesteps: T, features: F },
    features: [],
    float32: false,
    test: null,
    values,
    labels,
    probability: null,
  };
}

describe("an imported model", () => {
  let before: Model;
  let data: LabelledDataset;
  let after: Model & { readonly card: MeasuredCard };
  let bytes: Uint8Array;
  const notes: string[] = [];
  beforeAll(async () => {
    before = (await importBytes(file)).model;
    data = labelled(before);
    ({ model: after, bytes } = recalibrate(before, data, OPTIONS, engines, (note) => notes.push(describeNote(note, []))));
  });

  test("gets the calibration that the labels were drawn with", () => {
    // 2,600 sequences know the slope of 4 to some 0.2 and the intercept of −1 to 0.05.
    expect(Math.abs(after.calibration.slope - 4)).toBeLessThan(0.8);
    expect(Math.abs(after.calibration.intercept + 1)).toBeLessThan(0.25);
    const engine = engines.createEngine(before);
    const { logLoss } = computeMetrics(data.labels, score(before, engine, engines.kernel.log, data.values).probabilities);
    expect(after.card.test.logLoss).toBeLessThan(logLoss - 0.1);
    expect(after.card.test.logLoss).toBeLessThan(after.card.test.baseRateLogLoss);
    expect(after.card.test.ece).toBeLessThan(0.06);
  });

  test("keeps its network, its channels and where it came from", () => {
    expect(after.members).toEqual(before.members);
    const { mean, scale, clip, channels, padding } = after.recipe;
    expect({ mean, scale, clip, channels, padding }).toMatchObject({
      mean: before.recipe.mean,
      scale: before.recipe.scale,
      clip: before.recipe.clip,
    });
    expect(after.card.imported).toEqual(before.card.imported);
    expect(after.card.warnings.join()).not.toContain("not calibrated");
  });

  test("gets operating points with figures, the data's base rate, and a drift reference of all but the test part", () => {
    expect(after.operatingPoints.map(({ name }) => name)).toEqual(expect.arrayContaining(["default", "best-f1", "balanced-accuracy"]));
    expect(after.operatingPoints[0].figures?.recall).toBeDefined();
    const rate = countOnes(data.labels) / N;
    expect(Math.abs(after.positiveRate - rate)).toBeLessThan(0.02);
    const examples = after.card.calibrated!.examples;
    expect(examples.calibration + examples.validation + examples.test).toBe(N);
    const held = N - examples.test;
    expect(after.reference.scoreCounts.reduce((sum, count) => sum + count, 0)).toBe(held);
    expect(after.reference.channelCounts.subarray(0, 10).reduce((sum, count) => sum + count, 0)).toBe(held * T);
    expect(Math.abs(after.recipe.featureMean[4] - 4)).toBeLessThan(0.1);
  });

  test("is an artifact whose golden vectors hold, and the same bytes again", () => {
    const decoded = decodeArtifact(bytes);
    checkGolden(decoded, engines.createEngine(decoded), engines.kernel.log);
    expect(decoded).toEqual(after);
    expect(recalibrate(before, data, OPTIONS, engines, () => {}).bytes).toEqual(bytes);
  });

  test("changes nothing where it is calibrated already", () => {
    const again = recalibrate(after, data, OPTIONS, engines, () => {}).model;
    expect(again.calibration).toEqual(after.calibration);
  });

  test("labels that are all alike in a part are refused, naming the file", () => {
    const labels = new Uint8Array(N);
    labels[0] = 1;
    expect(() => recalibrate(before, { ...data, labels }, OPTIONS, engines, () => {})).toThrow(
      /labelled\.npz: the \w+ part \(\d+ sequences\) has one class only/,
    );
  });

  test("features that the model does not take are refused", () => {
    const wide = { ...data, shape: { timesteps: T, features: 6 }, values: new Float64Array(N * T * 6) };
    expect(() => recalibrate(before, wide, OPTIONS, engines, () => {})).toThrow("has 6 features a row, but the model takes 5");
  });
});

test("a trained model keeps what calibrate does not say anything about", () => {
  const bytes = readFileSync(new URL("../../../edge/model.safetensors", import.meta.url));
  const model = decodeArtifact(bytes);
  const random = createRandom(5);
  const size = model.recipe.timesteps * model.recipe.features.length;
  const count = 300;
  const values = Float64Array.from({ length: count * size }, (_, at) => {
    const f = at % model.recipe.features.length;
    return Math.abs(model.recipe.featureMean[f] + 0.1 * model.recipe.featureScale[f] * random.normal());
  });
  const data = { ...labelledAtRandom(count), shape: { timesteps: model.recipe.timesteps, features: model.recipe.features.length }, values };
  const after = recalibrate(model, data, OPTIONS, engines, () => {}).model;
  expect(after.recipe).toEqual(model.recipe);
  expect(after.card.training).toEqual(model.card.training);
  expect(encodeArtifact(after).length).toBeGreaterThan(0);
});

function labelledAtRandom(count: number): LabelledDataset {
  const random = createRandom(6);
  const labels = Uint8Array.from({ length: count }, () => Number(random.uniform() < 0.5));
  return {
    source: "d",
    name: "d",
    sha256: "2".repeat(64),
    shape: { timesteps: T, features: F },
    features: [],
    float32: false,
    test: null,
    values: new Float64Array(),
    labels,
    probability: null,
  };
}

test("a stack of members keeps its members and view, and gets the calibration that the labels were drawn with", () => {
  const before = makeStack(kernel, { name: "stack" });
  const { model: after, bytes } = recalibrate(before, labelled(before), OPTIONS, engines, () => {});
  const decoded = decodeArtifact(bytes);
  checkGolden(decoded, engines.createEngine(decoded), engines.kernel.log);
  expect([after.members, after.stack, after.view]).toEqual([before.members, before.stack, before.view]);
  expect(Math.abs(after.calibration.slope / before.calibration.slope - 4)).toBeLessThan(0.8);
});

test("a sequence of padding alone is left out, whatever is given once a sequence", () => {
  const inputs = [{ name: "a" }, { name: "b" }, { name: "age", static: true }] as const;
  const channels = [
    { base: "feature", a: 0, view: "level" },
    { base: "feature", a: 2, view: "level" },
  ] as const;
  const model = makeModel(kernel, { inputs, channels });
  const random = createRandom(8);
  const values = Float64Array.from({ length: 600 * T * 3 }, () => 1 + random.normal() / 8);
  for (let t = 0; t < T; t++) values.fill(0, t * 3, t * 3 + 2); // of the first nothing but its age is left
  const labels = Uint8Array.from({ length: 600 }, () => random.integer(2));
  const data: LabelledDataset = {
    ...{ source: "padded.npz", name: "padded", sha256: "1".repeat(64), features: [], float32: false, test: null, probability: null },
    ...{ values, labels, shape: { timesteps: T, features: 3, statics: 1 } },
  };
  const notes: string[] = [];
  recalibrate(model, data, OPTIONS, engines, (note) => notes.push(describeNote(note, [])));
  expect(notes.join("\n")).toContain("one sequence without a valid row left out");
});
