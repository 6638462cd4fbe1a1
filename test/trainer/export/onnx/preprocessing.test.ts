// The graph with the recipe in it, on ONNX Runtime, against the kernel: raw sequences in, the same probabilities out.
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web/wasm";
import { describe, expect, test } from "vitest";
import { decodeArtifact } from "../../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../../shared/engine.ts";
import { type Model, score } from "../../../../shared/model.ts";
import { type Base, type Channel, VIEWS } from "../../../../shared/recipe/channel.ts";
import { encodeOnnx } from "../../../../trainer/export/onnx/export.ts";
import { readOnnx } from "../../../../trainer/import/onnx/read-onnx.ts";
import { irregularSequences, makeIrregularModel } from "../../../fixtures/irregular.ts";
import { kernel } from "../../../fixtures/kernel.ts";
import { INPUTS, makeModel, randomOf } from "../../../fixtures/model.ts";
import { FLOAT_CASES, parityModel, paritySequences } from "../../../fixtures/parity.ts";

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

test.each(FLOAT_CASES)("every base and view, all lengths, zero rows within: $units units, padding $padding", async (testCase) => {
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

describe("categories, and what is given once a sequence", () => {
  const channels: readonly Channel[] = [
    { base: "feature", a: 0, view: "delta" },
    { base: "feature", a: 2, view: "level" },
    { base: "feature", a: 4, view: "level" },
    { base: "feature", a: 5, view: "level" },
    { base: "difference", a: 0, b: 5, view: "centred" },
  ];

  /** (N,T,F) of texts one-hot: some rows of a category are 0; what is static stands in every row, of padding too where `everywhere`. */
  function given(N: number, T: number, F: number, { gaps = false, everywhere }: { gaps?: boolean; everywhere: boolean }): Float64Array {
    const random = randomOf(N + T);
    const values = new Float64Array(N * T * F);
    for (let n = 0; n < N; n++) {
      const plan = Math.floor(3 * random());
      const age = gaps && random() < 0.2 ? Number.NaN : random() - 0.5;
      let time = 1.7e9;
      for (let t = 0; t < T; t++) {
        const row = values.subarray((n * T + t) * F, (n * T + t + 1) * F);
        const isPadding = t < n % T;
        if (!isPadding || everywhere) row.set([plan === 0 ? 1 : 0, plan === 1 ? 1 : 0, age], 3);
        if (isPadding) continue;
        row[0] = gaps && random() < 0.2 ? Number.NaN : t % 3 === 1 ? 0 : 1.25 + random();
        const mode = Math.floor(3 * random());
        if (mode < 2) row[1 + mode] = 1;
        time += 100 * random();
        if (F === 7) row[6] = time;
      }
    }
    return values;
  }

  test.each([{ padding: "leading" }, { padding: "any" }, { padding: "none" }, { padding: "leading", gaps: [0, 5], clock: true }] as const)(
    "are the model's own numbers, the same in every row: %o",
    async (options) => {
      const clock = "clock" in options;
      const features = ["x", "mode=down", "mode=up", "plan=basic", "plan=pro", "age", ...(clock ? ["time"] : [])];
      const own: readonly Channel[] = clock ? [...channels, { base: "feature", a: 0, view: "rate" }] : channels;
      for (const everywhere of [false, true]) {
        const model = makeModel(kernel, { timesteps: 6, ...options, inputs: INPUTS, features, channels: own });
        const values = given(120, 6, features.length, { gaps: clock, everywhere });
        expectClose(model, values, await run(model, values));
      }
    },
  );

  test("are in the graph's description and metadata, so that an import takes them back", () => {
    const model = makeModel(kernel, { timesteps: 6, inputs: INPUTS, channels });
    const bytes = encodeOnnx(model);
    const { exportMetadata } = readOnnx(bytes, "mine.onnx", { timesteps: null, isChecked: false }, () => new Uint8Array());
    expect(exportMetadata?.recipe.inputs).toEqual(INPUTS);
    const text = new TextDecoder("latin1").decode(encodeOnnx(model, { preprocessing: true }));
    expect(text).toContain("plan=basic, plan=pro, age the same in every row, padded in front");
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
