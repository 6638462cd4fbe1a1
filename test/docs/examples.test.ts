// The examples of docs/examples that call a Worker or a model, each run from its file. The webhook examples are run by
// test/edge/webhooks/recipes.test.ts, the trainer's by test/trainer/library/package-entry.test.ts, the browser's in real Chromium by
// browser-example.slow.test.ts.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-web/wasm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readAccess } from "../../edge/http/access.ts";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../shared/engine.ts";
import { score } from "../../shared/model.ts";
import { encodeNpy } from "../../shared/npy.ts";
import { encodeOnnx } from "../../trainer/export/onnx/export.ts";
import { openApp } from "../fixtures/app.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../fixtures/model.ts";
import { type Listening, listen } from "./listen.ts";

const root = new URL("../../", import.meta.url);
const examples = fileURLToPath(new URL("docs/examples/", root));
const folder = fileURLToPath(new URL("out/examples/", root));
mkdirSync(folder, { recursive: true });

const model = makeModel(kernel, { name: "fx" });
const { timesteps: T, features } = model.recipe;
const F = features.length;
const N = 20;
const values = makeSequences(N, T, F, 7);
const { log } = instantiateKernel(kernel);
const expected = score(model, createWasmEngine(kernel, model), log, values).probabilities;
const sequences = Array.from({ length: N }, (_, n) =>
  Array.from({ length: T }, (_, t) => Array.from(values.subarray((n * T + t) * F, (n * T + t + 1) * F))),
);

test("every file of docs/examples is run by a test", () => {
  const tests = [
    "test/docs/examples.test.ts",
    "test/edge/webhooks/recipes.test.ts",
    "test/trainer/library/package-entry.test.ts",
    "test/outside/spark/spark.test.ts",
  ].map((path) => readFileSync(new URL(path, root), "utf8"));
  for (const name of readdirSync(examples)) expect(tests.some((text) => text.includes(name))).toBe(true);
});

describe("examples that call a Worker", () => {
  const KEY = "a-key-that-the-page-knows";
  const PAGE = "https://page.example.com";
  const digest = createHash("sha256").update(KEY).digest("hex");
  const app = openApp(kernel, encodeArtifact(model), {
    access: readAccess({ API_KEYS: `page:${digest}:score` }),
    origins: [PAGE],
  });
  let listening: Listening;
  let worker = "";
  beforeAll(async () => {
    listening = await listen("https://edge.example.com", (request) => app.request(request));
    worker = listening.url;
  });
  afterAll(() => listening.close());

  test("score-from-browser.mjs gives the model's probabilities, and an error that names the place", async () => {
    const example = await import(`${examples}score-from-browser.mjs`);
    const results: { probability: number }[] = await example.score(worker, KEY, sequences);
    expect(results.map(({ probability }) => probability)).toEqual(Array.from(expected));
    await expect(example.score(worker, KEY, [[[1, 2, 3]]])).rejects.toThrow(
      /must have 5 numbers \(a, b, c, d, e\), got 3 \/sequences\/0\/0$/,
    );
    await expect(example.score(worker, "another-key", sequences)).rejects.toThrow(/^No valid key: /);
  });

  test("a browser may send what score-from-browser.mjs sends: its preflight is answered", async () => {
    const text = readFileSync(`${examples}score-from-browser.mjs`, "utf8");
    const [, headers] = /headers: \{(.*?)\}/.exec(text)!;
    const names = [...headers.matchAll(/"?([a-z-]+)"?: /g)].map(([, name]) => name);
    expect(names).toEqual(["content-type", "authorization"]);
    const asked = { origin: PAGE, "access-control-request-method": "POST", "access-control-request-headers": names.join() };
    const answer = await fetch(`${worker}/v1/score`, { method: "OPTIONS", headers: asked });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe(PAGE);
    const allowed = answer.headers.get("access-control-allow-headers")!.split(/, */);
    for (const name of names) expect(allowed).toContain(name);
  });

  test("typed-client.ts gives the model's probability", async () => {
    const { probabilityOf } = await import("../../docs/examples/typed-client.ts");
    expect(await probabilityOf(worker, KEY, sequences[0])).toBe(expected[0]);
  });
});

describe("score_with_onnxruntime.py", () => {
  const script = `${examples}score_with_onnxruntime.py`;
  const graph = encodeOnnx(model, { preprocessing: true });
  const python = (...words: string[]) => spawnSync("python3", words, { encoding: "utf8" });
  const hasPython = python("--version").status === 0;
  const hasRuntime = python("-c", "import numpy, onnxruntime").status === 0;
  const check = (probabilities: ArrayLike<number>): void => {
    expect(probabilities).toHaveLength(N);
    for (let n = 0; n < N; n++) expect(Math.abs(probabilities[n] - expected[n])).toBeLessThan(2e-6);
  };

  test.runIf(hasRuntime)("prints the kernel's probabilities within 2e-6", () => {
    writeFileSync(`${folder}model.onnx`, graph);
    writeFileSync(`${folder}X.npy`, encodeNpy(values, [N, T, F]));
    const { stdout, stderr, status } = python(script, `${folder}model.onnx`, `${folder}X.npy`);
    expect([stderr, status]).toEqual(["", 0]);
    check(stdout.trim().split("\n").map(Number));
  });

  test("names the graph's own input and output, which give the kernel's probabilities within 2e-6", async () => {
    const [, output, input] = /session\.run\(\["(\w+)"\], \{"(\w+)": /.exec(readFileSync(script, "utf8"))!;
    const session = await ort.InferenceSession.create(graph);
    const tensor = new ort.Tensor("float64", values, [N, T, F]);
    const answer = await session.run({ [input]: tensor }, [output]);
    check(answer[output].data as Float32Array);
  });

  test.runIf(hasPython)("is Python", () => {
    const { stderr, status } = python("-c", `import ast; ast.parse(open(${JSON.stringify(script)}).read())`);
    expect([stderr, status]).toEqual(["", 0]);
  });
});
