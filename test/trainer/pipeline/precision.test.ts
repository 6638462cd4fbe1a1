// At which precision a model's LSTMs are computed: what is measured, and what is decided.
import { expect, test } from "vitest";
import { createWasmEngine, type MemberEngine } from "../../../shared/engine.ts";
import { ofNetwork, type Predictor, withPrecision } from "../../../shared/members.ts";
import { choosePrecision } from "../../../trainer/pipeline/precision.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeNetwork, randomOf } from "../../fixtures/model.ts";

const [N, T, C, U] = [400, 10, 5, 32];
const random = randomOf(1);
const view = {
  channels: Float32Array.from({ length: N * T * C }, () => 6 * random() - 3),
  lengths: new Int32Array(N).fill(T),
  timesteps: T,
  names: ["a", "b", "c", "d", "e"],
};
const labels = Uint8Array.from({ length: N }, () => (random() < 0.5 ? 1 : 0));
const predictor = ofNetwork(makeNetwork(C, U, 2), { slope: 1, intercept: 0 });
const createEngine = (each: Predictor): MemberEngine => createWasmEngine(kernel, each);

test("auto takes 16 bits where answers hardly move, and says by how much", () => {
  const { predictor: chosen, facts } = choosePrecision(predictor, view, labels, undefined, { createEngine });
  expect(chosen).toEqual(withPrecision(predictor, "int16"));
  const [float, int16] = [predictor, chosen].map((each) => createEngine(each).probabilities(view));
  expect(facts).toEqual({
    precision: "int16",
    logLoss: expect.closeTo(meanLoss(int16) - meanLoss(float), 12),
    probability: Math.max(...int16.map((p, n) => Math.abs(p - float[n]))),
  });
  expect(facts!.probability).toBeGreaterThan(0);
});

function meanLoss(probabilities: Float32Array): number {
  return probabilities.reduce((sum, p, n) => sum - Math.log(labels[n] === 1 ? p : 1 - p), 0) / N;
}

/** An engine that answers otherwise with 16 bits. */
const movedBy = (delta: number) => (each: Predictor) => {
  const engine = createEngine(predictor);
  const isInt16 = each !== predictor;
  return {
    ...engine,
    probabilities: (inputs: typeof view) => engine.probabilities(inputs).map((p, n) => (isInt16 && n === 7 ? p + delta : p)),
  };
};

test.each([
  [0.0011, "float"],
  [0.0009, "int16"],
] as const)("a probability that moves by %d: %s", (delta, precision) => {
  const { predictor: chosen, facts } = choosePrecision(predictor, view, labels, "auto", { createEngine: movedBy(delta) });
  expect(facts).toMatchObject({ precision, probability: expect.closeTo(delta, 6) });
  expect(chosen).toEqual(withPrecision(predictor, precision));
});

test("a log loss that moves by more than 1e-5 keeps float32, unless int16 is asked for", () => {
  const everywhere = (each: Predictor) => {
    const engine = createEngine(predictor);
    return {
      ...engine,
      probabilities: (inputs: typeof view) => engine.probabilities(inputs).map((p) => (each === predictor ? p : p * 0.9999)),
    };
  };
  expect(choosePrecision(predictor, view, labels, "auto", { createEngine: everywhere }).facts).toMatchObject({ precision: "float" });
  expect(choosePrecision(predictor, view, labels, "int16", { createEngine: everywhere }).facts).toMatchObject({ precision: "int16" });
  expect(choosePrecision(predictor, view, labels, "float", { createEngine })).toEqual({ predictor });
});

test("nothing is decided on a model without LSTMs", () => {
  const layers: Predictor = { ...predictor, members: [] };
  expect(choosePrecision(layers, view, labels, "auto", { createEngine })).toEqual({ predictor: layers });
});
