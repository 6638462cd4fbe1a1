// Spark scores 200,000 sequences with an exported stack as `score` does.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { score } from "../../../shared/model.ts";
import { encodeNpy, readNpy } from "../../../shared/npy.ts";
import { encodeOnnx } from "../../../trainer/export/onnx/export.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeSequences } from "../../fixtures/model.ts";
import { makeStack } from "../../fixtures/stack.ts";
import { describeOutside } from "../environment.ts";

/** (N,T,F) */
const SHAPE = [200_000, 10, 5];
/** As parity.test.ts argues. */
const TOLERANCE = 2e-6;

describeOutside("spark", (python) => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-spark-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("mapInPandas on two workers, a stack with its preprocessing, 200,000 rows: within 2e-6", async () => {
    const model = makeStack(kernel);
    const values = makeSequences(SHAPE[0], SHAPE[1], SHAPE[2], 31);
    const [graph, sequences] = [join(folder, "model.onnx"), join(folder, "sequences.npy")];
    writeFileSync(graph, encodeOnnx(model, { preprocessing: true }));
    writeFileSync(sequences, encodeNpy(values, SHAPE));
    await python.run("score.py", [graph, sequences, folder]);
    const got = readNpy(readFileSync(join(folder, "probabilities.npy")), "probabilities.npy").data as Float64Array;
    const expected = score(model, createWasmEngine(kernel, model), instantiateKernel(kernel).log, values).probabilities;
    expect(got).toHaveLength(SHAPE[0]);
    let largest = 0;
    for (const [n, p] of expected.entries()) largest = Math.max(largest, Math.abs(p - got[n]));
    expect(largest).toBeLessThanOrEqual(TOLERANCE);
    expect(new Set(expected).size).toBeGreaterThan(SHAPE[0] / 2);
  });
});
