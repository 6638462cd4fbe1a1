// Spark, DuckDB and Polars score 200,000 sequences with an exported stack as `score` does.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { score } from "../../../shared/model.ts";
import { encodeNpy } from "../../../shared/npy.ts";
import { encodeOnnx } from "../../../trainer/export/onnx/export.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeSequences } from "../../fixtures/model.ts";
import { makeStack } from "../../fixtures/stack.ts";
import { describeOutside, execute } from "../environment.ts";

/** (N,T,F) */
const SHAPE = [200_000, 10, 5];
/** As parity.test.ts argues. */
const TOLERANCE = 2e-6;

const EXAMPLES = fileURLToPath(new URL("../../../docs/examples/", import.meta.url));
/** A machine of two workers, without a page and without another address. */
const LOCAL =
  "--master local[2] --conf spark.ui.enabled=false --conf spark.driver.bindAddress=127.0.0.1 --conf spark.driver.host=127.0.0.1";

describeOutside("spark", (python) => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-spark-"));
  const [graph, sequences, table] = ["model.onnx", "sequences.npy", "sequences"].map((name) => join(folder, name));
  const model = makeStack(kernel);
  const values = makeSequences(SHAPE[0], SHAPE[1], SHAPE[2], 31);
  const expected = score(model, createWasmEngine(kernel, model), instantiateKernel(kernel).log, values).probabilities;
  afterAll(() => rmSync(folder, { recursive: true }));

  beforeAll(async () => {
    writeFileSync(graph, encodeOnnx(model, { preprocessing: true }));
    writeFileSync(sequences, encodeNpy(values, SHAPE));
    await python.run("write.py", [sequences, table, "8"]);
  });

  async function expectScored(scored: string): Promise<void> {
    const got: number[] = JSON.parse(await python.run("read.py", [scored]));
    expect(got).toHaveLength(SHAPE[0]);
    const largest = expected.reduce((most, p, n) => Math.max(most, Math.abs(p - got[n])), 0);
    expect(largest).toBeLessThanOrEqual(TOLERANCE);
    expect(new Set(got).size).toBeGreaterThan(SHAPE[0] / 2);
  }

  test("docs/examples/score_with_spark.py on two workers, a stack with its preprocessing, 200,000 rows: within 2e-6", async () => {
    const scored = join(folder, "spark");
    const more = { PYSPARK_PYTHON: python.python, PYSPARK_SUBMIT_ARGS: `${LOCAL} pyspark-shell` };
    await execute(python.python, [join(EXAMPLES, "score_with_spark.py"), graph, table, scored], undefined, undefined, more);
    await expectScored(scored);
  });

  test("docs/examples/score_with_duckdb.py, the same", async () => {
    const scored = join(folder, "duckdb.parquet");
    const query = `select id, sequence from '${table}/*.parquet'`;
    await execute(python.python, [join(EXAMPLES, "score_with_duckdb.py"), graph, query, scored]);
    await expectScored(scored);
  });

  test("docs/examples/score_with_polars.py, the same", async () => {
    const scored = join(folder, "polars.parquet");
    await execute(python.python, [join(EXAMPLES, "score_with_polars.py"), graph, `${table}/*.parquet`, scored]);
    await expectScored(scored);
  });
});
