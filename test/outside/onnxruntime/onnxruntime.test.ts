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
import { importBytes, scoreBytes } from "../../fixtures/import/importing.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeLayeredModel } from "../../fixtures/layered-model.ts";
import { makeSequences } from "../../fixtures/model.ts";
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
  /** A graph's file, and the files of its inputs. */
  const writeGraph = (ofCase: Case, preprocessing: boolean) => {
    const { model, values } = ofCase;
    const file = write(encodeOnnx(model, { preprocessing }));
    if (preprocessing) return { file, inputs: { sequences: sequencesOf(ofCase) } };
    const { channels, lengths } = applyRecipe(model.recipe, values, log);
    const [N, T, C] = [lengths.length, model.recipe.timesteps, model.recipe.channels.length];
    return {
      file,
      inputs: { channels: write(encodeNpy(channels, [N, T, C])), lengths: write(encodeNpy(Float64Array.from(lengths), [N])) },
    };
  };
  const expectEqual = (got: readonly number[], expected: ArrayLike<number>): void => {
    expect(got).toHaveLength(expected.length);
    for (const [n, p] of got.entries()) expect(Math.abs(p - expected[n]), `sequence ${n}`).toBeLessThanOrEqual(TOLERANCE);
  };

  test("networks on channels: valid ONNX, the kernel's probabilities within 2e-6", async () => {
    const graphs = networks.map((ofCase) => [ofCase.name, writeGraph(ofCase, false)] as const);
    const got = JSON.parse(await python.run("score.py", [], { graphs: Object.fromEntries(graphs) }));
    for (const ofCase of networks) expectEqual(got[ofCase.name], expectedOf(ofCase));
  });

  test("networks of layers: valid ONNX, of which ONNX Runtime and the artifact that `import` makes give the kernel's probabilities", async () => {
    const cases = [1, 2, 3].map(
      (seed): Case => ({ name: `layers ${seed}`, model: makeLayeredModel(kernel, { seed }), values: makeSequences(40, 10, 5, seed) }),
    );
    const graphs = cases.flatMap((ofCase) =>
      [false, true].map((preprocessing) => [`${ofCase.name}${preprocessing ? ", whole" : ""}`, writeGraph(ofCase, preprocessing)] as const),
    );
    const got = JSON.parse(await python.run("score.py", [], { graphs: Object.fromEntries(graphs) }));
    for (const ofCase of cases) {
      const expected = expectedOf(ofCase);
      for (const name of [ofCase.name, `${ofCase.name}, whole`]) {
        expectEqual(got[name], expected);
        const { file } = Object.fromEntries(graphs)[name];
        expect(scoreBytes((await importBytes(readFileSync(file))).bytes, ofCase.values)).toEqual([...expected]);
      }
    }
  });

  test("networks, stacks and the deployed sample with preprocessing, on raw sequences: valid ONNX, within 2e-6", async () => {
    const cases = [...networks, ...stacks, deployed];
    const graphs = cases.map((ofCase) => [ofCase.name, writeGraph(ofCase, true)] as const);
    const got = JSON.parse(await python.run("score.py", [], { graphs: Object.fromEntries(graphs) }));
    for (const ofCase of cases) expectEqual(got[ofCase.name], expectedOf(ofCase));
  });

  test("docs/examples/score_with_onnxruntime.py runs as it is", async () => {
    const onnx = write(encodeOnnx(sample, { preprocessing: true }));
    const printed = await execute(python.python, [EXAMPLE, onnx, sequencesOf(deployed)]);
    expectEqual(printed.trim().split("\n").map(Number), expectedOf(deployed));
  });
});
