// ONNX Runtime for Python, as Spark, Triton, databases and notebooks have it, runs what `export --onnx` writes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { decodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { withPrecision } from "../../../shared/members.ts";
import { type Model, score } from "../../../shared/model.ts";
import { encodeNpy } from "../../../shared/npy.ts";
import { applyRecipe } from "../../../shared/recipe/apply.ts";
import { encodeOnnx } from "../../../trainer/export/onnx/export.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { FLOAT_CASES, parityModel, paritySequences, STACK_CASES, stackSequences } from "../../fixtures/parity.ts";
import { makeStack } from "../../fixtures/stack.ts";
import { describeOutside, execute } from "../environment.ts";

/** As parity.test.ts argues. */
const TOLERANCE = 2e-6;
const EXAMPLE = fileURLToPath(new URL("../../../docs/examples/score_with_onnxruntime.py", import.meta.url));
const SAMPLE = new URL("../../../edge/model.safetensors", import.meta.url);
const { log } = instantiateKernel(kernel);

interface Case {
  readonly name: string;
  readonly model: Model;
  /** (N,T,F) */
  readonly values: Float64Array;
}

const sample = decodeArtifact(readFileSync(SAMPLE));
const networks: Case[] = FLOAT_CASES.map((ofCase) => ({
  name: `${ofCase.units} units, padding ${ofCase.padding}`,
  model: parityModel(kernel, ofCase),
  values: paritySequences(ofCase),
}));
const stacks: Case[] = STACK_CASES.map((ofCase) => ({
  name: `a stack of ${ofCase.kinds!.join(", ")}`,
  model: makeStack(kernel, ofCase),
  values: stackSequences(ofCase),
}));
const deployed: Case = { name: "the deployed sample", model: sample, values: sample.golden.inputs };

describeOutside("onnxruntime", (python) => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-onnxruntime-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  let files = 0;
  const write = (bytes: Uint8Array): string => {
    const path = join(folder, `${files++}`);
    writeFileSync(path, bytes);
    return path;
  };
  const sequencesOf = ({ model, values }: Case): string => {
    const { timesteps, features } = model.recipe;
    return write(encodeNpy(values, [values.length / (timesteps * features.length), timesteps, features.length]));
  };
  /** Exports are of networks in float32. */
  const expectedOf = ({ model, values }: Case) =>
    score(model, createWasmEngine(kernel, withPrecision(model, "float")), log, values).probabilities;
  const expectEqual = (got: readonly number[], expected: ArrayLike<number>): void => {
    expect(got).toHaveLength(expected.length);
    for (const [n, p] of got.entries()) expect(Math.abs(p - expected[n]), `sequence ${n}`).toBeLessThanOrEqual(TOLERANCE);
  };

  test("networks on channels: valid ONNX, the kernel's probabilities within 2e-6", async () => {
    const graphs = networks.map(({ name, model, values }) => {
      const { channels, lengths } = applyRecipe(model.recipe, values, log);
      const [N, T, C] = [lengths.length, model.recipe.timesteps, model.recipe.channels.length];
      const inputs = { channels: write(encodeNpy(channels, [N, T, C])), lengths: write(encodeNpy(Float64Array.from(lengths), [N])) };
      return [name, { file: write(encodeOnnx(model)), inputs }] as const;
    });
    const got = JSON.parse(await python.run("score.py", [], { graphs: Object.fromEntries(graphs) }));
    for (const ofCase of networks) expectEqual(got[ofCase.name], expectedOf(ofCase));
  });

  test("networks, stacks and the deployed sample with preprocessing, on raw sequences: valid ONNX, within 2e-6", async () => {
    const cases = [...networks, ...stacks, deployed];
    const graphs = cases.map((ofCase) => {
      const file = write(encodeOnnx(ofCase.model, { preprocessing: true }));
      return [ofCase.name, { file, inputs: { sequences: sequencesOf(ofCase) } }] as const;
    });
    const got = JSON.parse(await python.run("score.py", [], { graphs: Object.fromEntries(graphs) }));
    for (const ofCase of cases) expectEqual(got[ofCase.name], expectedOf(ofCase));
  });

  test("docs/examples/score_with_onnxruntime.py runs as it is", async () => {
    const onnx = write(encodeOnnx(sample, { preprocessing: true }));
    const printed = await execute(python.python, [EXAMPLE, onnx, sequencesOf(deployed)]);
    expectEqual(printed.trim().split("\n").map(Number), expectedOf(deployed));
  });
});
