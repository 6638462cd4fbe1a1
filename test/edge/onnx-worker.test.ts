// `wrangler deploy --env onnx` on raw workerd, which compiles no bytes: the artifact's own network, another's model, and what is none.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { decodeArtifact } from "../../shared/artifact/artifact.ts";
import { encodeOnnx } from "../../trainer/export/onnx/export.ts";
import { encodeLogistic } from "../fixtures/onnx.ts";
import { BENCH_KEY, bundle, serve } from "../studies/bench/workerd.ts";

/** One trained network: what an ONNX file on channels can be. */
const artifact = readFileSync(new URL("../fixtures/format-1/sp500.safetensors", import.meta.url));
const model = decodeArtifact(artifact);
const { golden, recipe } = model;
const T = recipe.timesteps;
const F = recipe.features.length;

/** edge/model.onnx is whatever is to be served, beside an artifact: here other names stand for both, and the bundle's copy of one changes. */
const folder = mkdtempSync(join(tmpdir(), "quickstep-onnx-"));
writeFileSync(join(folder, "given.onnx"), "");
writeFileSync(join(folder, "given.safetensors"), artifact);
// the rule for data modules holds for what a module imports, not for an alias itself: hence one between
writeFileSync(join(folder, "model.ts"), 'export { default } from "./given.onnx";');
writeFileSync(join(folder, "artifact.ts"), 'export { default } from "./given.safetensors";');
const aliases = [`./model.onnx:${join(folder, "model.ts")}`, `./model.safetensors:${join(folder, "artifact.ts")}`];
const bundled = bundle("wrangler.toml", {}, "--env", "onnx", ...aliases.flatMap((alias) => ["--alias", alias]));
const given = readdirSync(bundled.folder).find((name) => name.endsWith(".onnx"))!;
afterAll(() => {
  bundled.remove();
  rmSync(folder, { recursive: true });
});

/** What the Worker around this model answers. */
async function ask<Answer>(onnx: Uint8Array, body: unknown): Promise<Answer> {
  writeFileSync(join(bundled.folder, given), onnx);
  const server = await serve(bundled);
  try {
    const headers = { "content-type": "application/json", authorization: `Bearer ${BENCH_KEY}` };
    const response = await fetch(`http://localhost:${server.port}/v1/score`, { method: "POST", body: JSON.stringify(body), headers });
    return (await response.json()) as Answer;
  } finally {
    await server.stop();
  }
}

test("scores the golden vectors within 2e-6 on the artifact's own network", async () => {
  const sequences = Array.from(golden.probabilities, (_, k) =>
    Array.from({ length: T }, (_, t) => Array.from(golden.inputs.subarray((k * T + t) * F, (k * T + t + 1) * F))),
  );
  const { results } = await ask<{ results: { probability: number }[] }>(encodeOnnx(model), { sequences });
  expect(results).toHaveLength(golden.probabilities.length);
  for (const [k, { probability }] of results.entries()) expect(Math.abs(probability - golden.probabilities[k])).toBeLessThanOrEqual(2e-6);
});

test("scores another's model", async () => {
  const onnx = encodeLogistic(3, 2, Float32Array.of(9, 9, 9, 9, 0, 0));
  expect(await ask(onnx, { sequence: [[1, 2]] })).toMatchObject({ operatingPoint: "default", results: [{ probability: 0.5, label: 1 }] });
});

test("says why it cannot serve what is no model", async () => {
  const detail = expect.stringMatching(/^the ONNX model cannot be opened: /);
  expect(await ask(new TextEncoder().encode("<html>"), { sequence: [[1, 2]] })).toMatchObject({ status: 503, detail });
});
