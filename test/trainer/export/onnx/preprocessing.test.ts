// The graph with the recipe in it, on ONNX Runtime, against the kernel: raw sequences in, the same probabilities out.
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web/wasm";
import { describe, expect, test } from "vitest";
import { decodeArtifact } from "../../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../../shared/engine.ts";
import { type Model, score } from "../../../../shared/model.ts";
import { type Base, type Channel, VIEWS } from "../../../../shared/recipe/channel.ts";
import { encodeOnnx } from "../../../../trainer/export/onnx/export.ts";
import { irregularSequences, makeIrregularModel } from "../../../fixtures/irregular.ts";
import { kernel } from "../../../fixtures/kernel.ts";
import { makeModel } from "../../../fixtures/model.ts";
import { PARITY_CASES, parityModel, paritySequences } from "../../../fixtures/parity.ts";

ort.env.wasm.numThreads = 1;
/** ONNX Runtime's LSTM computes in float32 with its own exp, which strays a few 1e-7 over 10 steps; its Log differs in the last bit. */
const TOLERANCE = 2e-6;

const deployed = decodeArtifact(readFileSync(new URL("../../../../edge/model.safetensors", import.meta.url)));

async function run(model: Model, values: Float64Array): Promise<Float32Array> {
  const { timesteps, features } = model.recipe;
  const session = await ort.InferenceSession.create(encodeOnnx(model, { preprocessing: true }));
  const size = timesteps * features.length;
  const { probability } = await session.run({
    sequences: new ort.Tensor("float64", values, [values.length / size, timesteps, features.length]),
  });
  await session.release();
  return probability.data as Float32Array;
}

function expectClose(model: Model, values: Float64Array, got: Float32Array): void {
  const engine = createWasmEngine(kernel, model);
  const { probabilities } = score(model, engine, instantiateKernel(kernel).log, values);
  expect(new Set(probabilities).size).toBeGreaterThan(probabilities.length / 2);
  let worst = 0;
  for (let n = 0; n < probabilities.length; n++) {
    const difference = Math.abs(probabilities[n] - got[n]);
    if (!(difference <= worst)) worst = difference; // NaN counts as the largest
  }
  expect(worst).toBeLessThanOrEqual(TOLERANCE);
}

test.each(PARITY_CASES)("every base and view, all lengths, zero rows within: $units units, padding $padding", async (testCase) => {
  const model = parityModel(kernel, testCase);
  const values = paritySequences(testCase);
  expectClose(model, values, await run(model, values));
});

test("golden vectors: clipping, floors under logarithms, numbers of every size", async () => {
  for (const model of [
    deployed,
    makeModel(kernel),
    makeModel(kernel, { standardise: false, channels: [{ base: "feature", a: 1, view: "level" }] }),
  ])
    expectClose(model, model.golden.inputs, await run(model, model.golden.inputs));
});

test("one step a sequence", async () => {
  const model = makeModel(kernel, { timesteps: 1 });
  expectClose(model, model.golden.inputs, await run(model, model.golden.inputs));
});

describe("missing numbers and times", () => {
  /** Every base and view, over filled values and over what is observed alone. */
  const bases: readonly Base[] = [
    { base: "feature", a: 0 },
    { base: "difference", a: 1, b: 3 },
    { base: "logRatio", a: 1, b: 2 },
    { base: "observed", a: 0 },
    { base: "sinceObserved", a: 2 },
  ];
  const channels = bases.flatMap((base) =>
    VIEWS.flatMap((view): Channel[] => [
      { ...base, view },
      { ...base, view, whereObserved: true },
      { ...base, view, medianFilled: true },
    ]),
  );

  test.each([
    { timesteps: 10, gaps: [0, 1, 3], clock: true, padding: "leading" },
    { timesteps: 10, gaps: [0, 1, 2, 3], padding: "any" },
    { timesteps: 7, clock: true, padding: "none" },
    { timesteps: 65, gaps: [1], clock: true, padding: "leading" },
    { timesteps: 1, gaps: [0, 2], clock: true, padding: "leading" },
  ] as const)("are filled and counted as everywhere: $timesteps steps, gaps in $gaps, a clock $clock, padding $padding", async (given) => {
    const own = "clock" in given ? channels : channels.filter(({ view }) => view !== "rate");
    const model = makeIrregularModel(kernel, { ...given, channels: own });
    const values = irregularSequences(200, given, 7);
    expectClose(model, values, await run(model, values));
  });
});

test("a sequence of nothing but padding is no score, and leaves the others theirs", async () => {
  const model = makeModel(kernel);
  const values = model.golden.inputs.slice();
  values.fill(0, 50, 100);
  const [alone, among] = [await run(model, model.golden.inputs), await run(model, values)];
  expect(among[1]).toBeNaN();
  for (const [n, p] of among.entries()) if (n !== 1) expect(p).toBe(alone[n]);
});
