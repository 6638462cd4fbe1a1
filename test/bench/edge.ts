// The Worker on raw workerd, with LSTM(100) on 10 steps × 5 channels as the inference benchmark has it: what a request costs beyond a Worker that parses the same JSON and answers a constant, beside what
// onnxruntime-web adds; binary batches against JSON; start to first answer; CPU a request.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeArtifact } from "../../shared/artifact.ts";
import type { Model } from "../../shared/model.ts";
import { type Channel, shapeOf } from "../../shared/recipe.ts";
import { encodeOnnx } from "../../trainer/onnx/export.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeModel } from "../fixtures/model.ts";
import { type Contestant, medianOf, race, report, type Timing } from "./timing.ts";
import { type Bundle, bundle, bundleSource, Connection, postRequest, type Server, sendAll, serve } from "./workerd.ts";

const CLIENTS = 8;
const ROUNDS = 9;
const REQUESTS = 1000;
const BATCH = 1000;
const BATCH_REQUESTS = 10;
const CPU_REQUESTS = 10_000;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const CONSTANT = `const answer = JSON.stringify({ model: "constant@000000000000", operatingPoint: "even", results: [{ probability: 0.12345678, label: 0 }] });
export default {
  async fetch(request) {
    JSON.parse(await request.text());
    return new Response(answer, { headers: { "content-type": "application/json" } });
  },
};`;

/** The Worker as it is deployed, but for its model. */
function bundleQuickstep(artifact: Uint8Array): Bundle {
  const bundled = bundle();
  const name = readdirSync(bundled.folder).find((file) => file.endsWith(".safetensors"))!;
  writeFileSync(join(bundled.folder, name), artifact);
  return bundled;
}

/** The onnx Worker, bundled from a configuration written for it beside its sources. */
function bundleOnnx(model: Model, artifact: Uint8Array): Bundle {
  const folder = join(ROOT, ".wrangler", "bench-onnx");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "model.safetensors"), artifact);
  writeFileSync(join(folder, "model.onnx"), encodeOnnx(model));
  const worker = readFileSync(new URL("onnx/worker.ts", import.meta.url), "utf8").replaceAll("../../../shared/", "../../shared/");
  writeFileSync(join(folder, "worker.ts"), worker);
  const config = join(folder, "wrangler.toml");
  const rules = `[[rules]]\ntype = "Data"\nglobs = ["**/*.safetensors", "**/*.onnx"]\nfallthrough = true\n`;
  writeFileSync(config, `name = "bench-onnx"\nmain = "worker.ts"\ncompatibility_date = "2026-11-01"\n${rules}`);
  try {
    return bundle(config);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function timeStart(bundled: Bundle, request: Buffer): Promise<number> {
  const start = performance.now();
  const server = await serve(bundled);
  const connection = await Connection.open(server.port);
  await connection.send(request);
  const elapsed = performance.now() - start;
  connection.close();
  await server.stop();
  return elapsed;
}

function told(name: string, value: number, target: number, unit: string): void {
  console.log(`  ${name.padEnd(70)} ${value.toFixed(3).padStart(8)} ${unit}   target ≤ ${target}${value <= target ? "" : "   MISSED"}`);
}

export async function run(): Promise<void> {
  const channels: Channel[] = Array.from({ length: 5 }, (_, a) => ({ base: "feature", view: "level", a }));
  const model = makeModel(kernel, { units: 100, channels });
  const artifact = encodeArtifact(model);
  const { recipe, golden } = model;
  const { timesteps: T, features: F } = shapeOf(recipe);
  const k = T - 1; // of full length
  const values = golden.inputs.subarray(k * T * F, (k + 1) * T * F);
  const sequence = Array.from({ length: T }, (_, t) => Array.from(values.subarray(t * F, (t + 1) * F)));
  const many = new Float64Array(BATCH * T * F);
  for (let n = 0; n < BATCH; n++) many.set(values, n * T * F);
  const one = postRequest("/v1/score", "application/json", JSON.stringify({ sequence }));
  const inJson = postRequest("/v1/score", "application/json", JSON.stringify({ sequences: Array(BATCH).fill(sequence) }));
  const inBytes = postRequest("/v1/score", "application/octet-stream", new Uint8Array(many.buffer));

  const bundles = { constant: bundleSource(CONSTANT), quickstep: bundleQuickstep(artifact), onnx: bundleOnnx(model, artifact) };
  const servers: Server[] = [];
  try {
    const contestant = async (name: keyof typeof bundles) => {
      const server = await serve(bundles[name]);
      servers.push(server);
      // connections of its own each time: workerd closes those that are idle while others have their turn
      const send = async (times: number, request: Buffer): Promise<void> => {
        const connections = await Promise.all(Array.from({ length: CLIENTS }, () => Connection.open(server.port)));
        await sendAll(connections, times, () => request);
        for (const connection of connections) connection.close();
      };
      return { name, server, send, run: (times: number) => send(times, one) };
    };
    const [constant, quickstep, onnx] = [await contestant("constant"), await contestant("quickstep"), await contestant("onnx")];

    const answers = await Promise.all(
      [quickstep, onnx].map(async ({ server }) => {
        const connection = await Connection.open(server.port);
        const body = await connection.send(one);
        connection.close();
        return JSON.parse(`${body}`);
      }),
    );
    const [ours, theirs] = answers.map(({ results }) => results[0].probability);
    if (!Object.is(ours, golden.probabilities[k]) || Math.abs(ours - theirs) > 2e-6)
      throw new Error(`the Workers disagree: ${ours}, ${theirs}`);

    for (const { name } of [constant, quickstep, onnx])
      console.log(`${name.padEnd(12)} ${(bundles[name as keyof typeof bundles].bytes / 1024).toFixed(0).padStart(6)} KiB to upload`);
    const single = await race([constant, quickstep, onnx], ROUNDS, REQUESTS);
    report(`\none JSON sequence a request, ${CLIENTS} clients, time from answer to answer`, single, "µs");
    const batches: Contestant[] = [
      { name: "octet-stream", run: (times) => quickstep.send(times, inBytes) },
      { name: "JSON", run: (times) => quickstep.send(times, inJson) },
    ];
    const batch = await race(batches, ROUNDS, BATCH_REQUESTS);
    report(`\n${BATCH} sequences a request`, batch, "ms");

    const starts: Timing[] = [];
    for (const name of ["quickstep", "onnx"] as const) starts.push({ name, samples: [] });
    for (let round = 0; round < ROUNDS; round++)
      for (const { name, samples } of starts) (samples as number[]).push(await timeStart(bundles[name as "quickstep" | "onnx"], one));
    for (const { samples } of starts) (samples as number[]).sort((a, b) => a - b);
    report("\nprocess start to first answer", starts, "ms");

    const cpu: number[] = [];
    console.log(`\nCPU a request, user and system, over ${CPU_REQUESTS} of them: unlike time, hardly touched by what else runs`);
    for (const { name, server, run } of [constant, quickstep, onnx]) {
      const before = server.cpu();
      await run(CPU_REQUESTS);
      cpu.push((server.cpu() - before) / CPU_REQUESTS);
      console.log(`  ${name.padEnd(16)} ${cpu.at(-1)!.toFixed(3)} ms`);
    }

    console.log("\nmedians");
    const [base, mine, other] = single.map(medianOf);
    told("one JSON sequence, added over the constant Worker, to what onnx adds", (mine - base) / (other - base), 0.5, "×");
    told("one JSON sequence, the whole request to the constant Worker's", mine / base, 1.5, "×");
    told(`${BATCH} sequences as octet-stream to the same as JSON`, medianOf(batch[0]) / medianOf(batch[1]), 0.4, "×");
    told("process start to first answer, to the onnx Worker's", medianOf(starts[0]) / medianOf(starts[1]), 0.12, "×");
    told("CPU of one JSON request", cpu[1], 0.5, "ms");
    told("CPU added over the constant Worker, to what onnx adds", (cpu[1] - cpu[0]) / (cpu[2] - cpu[0]), 0.5, "×");
  } finally {
    for (const server of servers) await server.stop();
    for (const bundled of Object.values(bundles)) bundled.remove();
  }
}
