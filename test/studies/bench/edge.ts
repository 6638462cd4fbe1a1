// The Worker on raw workerd, with LSTM(100) on 10 steps × 5 channels as the inference benchmark has it: what a request costs beyond a
// Worker that parses the same JSON and answers a constant, beside what the onnx engine adds (`--env onnx`: the same routes, keys, headers
// and log) and what a bare Worker around onnxruntime-web adds; raw binary batches against JSON; start to first answer; CPU a request.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { summariseMembers } from "../../../shared/members.ts";
import type { Model } from "../../../shared/model.ts";
import type { Channel } from "../../../shared/recipe/channel.ts";
import { shapeOf } from "../../../shared/recipe/recipe.ts";
import { encodeOnnx } from "../../../trainer/export/onnx/export.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { type Contestant, medianOf, race, report } from "./timing.ts";
import { type Bundle, bundle, bundleSource, Connection, postRequest, type Server, sendAll, serve } from "./workerd.ts";

const CLIENTS = 8;
const ROUNDS = 9;
const REQUESTS = 1000;
const BATCH = 1000;
const BATCH_REQUESTS = 10;
const CPU_REQUESTS = 10_000;

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

const CONSTANT = `const answer = JSON.stringify({ model: "constant@000000000000", operatingPoint: "default", results: [{ probability: 0.12345678, label: 0 }] });
export default {
  async fetch(request) {
    JSON.parse(await request.text());
    return new Response(answer, { headers: { "content-type": "application/json" } });
  },
};`;

/** A Worker as it is deployed, but for its model. */
export function withArtifact(bundled: Bundle, artifact: Uint8Array): Bundle {
  const name = readdirSync(bundled.folder).find((file) => file.endsWith(".safetensors"))!;
  writeFileSync(join(bundled.folder, name), artifact);
  return bundled;
}

/** The same on the second engine. Its model.onnx stands beside the sources, where none is committed, while it is bundled. */
function bundleOnnxEngine(model: Model, artifact: Uint8Array): Bundle {
  const path = join(ROOT, "edge", "model.onnx");
  if (existsSync(path)) throw new Error(`${path} would be overwritten: move it away`);
  writeFileSync(path, encodeOnnx(model));
  try {
    return withArtifact(bundle("wrangler.toml", {}, "--env", "onnx"), artifact);
  } finally {
    rmSync(path);
  }
}

/** The bare onnx Worker, bundled from a configuration written for it beside its sources. */
function bundleBareOnnx(model: Model, artifact: Uint8Array): Bundle {
  const folder = join(ROOT, ".wrangler", "bench-onnx");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "model.safetensors"), artifact);
  writeFileSync(join(folder, "model.onnx"), encodeOnnx(model));
  const worker = readFileSync(new URL("onnx/worker.ts", import.meta.url), "utf8").replaceAll("../../../../shared/", "../../shared/");
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

function printTarget(name: string, value: number, target: number, unit: string): void {
  console.log(`  ${name.padEnd(80)} ${value.toFixed(3).padStart(8)} ${unit}   target ≤ ${target}${value <= target ? "" : "   MISSED"}`);
}

/** A sequence of full length out of a model's golden vectors, as requests of several kinds. */
export function requestsOf({ recipe, golden }: Model) {
  const { timesteps: T, features: F } = shapeOf(recipe);
  const k = T - 1;
  const values = golden.inputs.subarray(k * T * F, (k + 1) * T * F);
  const sequence = Array.from({ length: T }, (_, t) => Array.from(values.subarray(t * F, (t + 1) * F)));
  const many = new Float64Array(BATCH * T * F);
  for (let n = 0; n < BATCH; n++) many.set(values, n * T * F);
  return {
    probability: golden.probabilities[k],
    one: postRequest("/v1/score", "application/json", JSON.stringify({ sequence })),
    inJson: postRequest("/v1/score", "application/json", JSON.stringify({ sequences: Array(BATCH).fill(sequence) })),
    inBytes: postRequest("/v1/score", "application/octet-stream", new Uint8Array(many.buffer)),
  };
}

type Name = "constant" | "quickstep" | "bare onnx" | "onnx" | "deployed";

/** A Worker that runs, and what is sent to it. */
interface Running extends Contestant {
  readonly server: Server;
  send(times: number, request: Buffer): Promise<void>;
}

async function startWorker(name: Name, bundled: Bundle, request: Buffer): Promise<Running> {
  const server = await serve(bundled);
  // connections of its own each time: workerd closes those that are idle while others have their turn
  const send = async (times: number, request: Buffer): Promise<void> => {
    const connections = await Promise.all(Array.from({ length: CLIENTS }, () => Connection.open(server.port)));
    await sendAll(connections, times, () => request);
    for (const connection of connections) connection.close();
  };
  return { name, server, send, run: (times) => send(times, request) };
}

/** Throws where a Worker answers `request` with another probability; by less than `tolerance` it may. */
async function checkAnswer({ server }: Running, request: Buffer, probability: number, tolerance: number): Promise<void> {
  const connection = await Connection.open(server.port);
  const got: number = JSON.parse(`${await connection.send(request)}`).results[0].probability;
  connection.close();
  if (tolerance === 0 ? !Object.is(got, probability) : Math.abs(got - probability) > tolerance)
    throw new Error(`a Worker answers ${got}, expected ${probability}`);
}

/** Batches in both forms, to one Worker. */
function batchesTo({ send }: Running, requests: ReturnType<typeof requestsOf>): Contestant[] {
  return [
    { name: "octet-stream", run: (times) => send(times, requests.inBytes) },
    { name: "JSON", run: (times) => send(times, requests.inJson) },
  ];
}

/** Milliseconds from the start of the process to its first answer, sorted. `requests`: what each of the Workers is sent, in their order. */
async function timeStarts(bundles: Readonly<Record<Name, Bundle>>, requests: Readonly<Partial<Record<Name, Buffer>>>) {
  const starts = Object.entries(requests).map(([name, request]) => ({ name, request, samples: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++)
    for (const { name, request, samples } of starts) samples.push(await timeStart(bundles[name as Name], request));
  for (const { samples } of starts) samples.sort((a, b) => a - b);
  report("\nprocess start to first answer", starts, "ms");
  return starts;
}

/** Milliseconds of CPU a request, by Worker. */
async function measureCpu(workers: readonly Running[]): Promise<number[]> {
  const cpu: number[] = [];
  console.log(`\nCPU a request, user and system, over ${CPU_REQUESTS} of them: unlike time, hardly touched by what else runs`);
  for (const { name, server, run } of workers) {
    const before = server.cpu();
    await run(CPU_REQUESTS);
    cpu.push((server.cpu() - before) / CPU_REQUESTS);
    console.log(`  ${name.padEnd(16)} ${cpu.at(-1)!.toFixed(3)} ms`);
  }
  return cpu;
}

/** Runs the benchmark and prints it. */
export async function run(): Promise<void> {
  const channels: Channel[] = Array.from({ length: 5 }, (_, a) => ({ base: "feature", view: "level", a }));
  const model = makeModel(kernel, { units: 100, channels });
  const artifact = encodeArtifact(model);
  const requests = requestsOf(model);
  const deployedModel = decodeArtifact(readFileSync(join(ROOT, "edge", "model.safetensors")));
  const bundles: Record<Name, Bundle> = {
    constant: bundleSource(CONSTANT),
    quickstep: withArtifact(bundle(), artifact),
    onnx: bundleOnnxEngine(model, artifact),
    "bare onnx": bundleBareOnnx(model, artifact),
    deployed: bundle(),
  };
  const workers: Running[] = [];
  try {
    for (const name of ["constant", "quickstep", "bare onnx", "onnx", "deployed"] as const)
      workers.push(await startWorker(name, bundles[name], requests.one));
    await compare(workers, bundles, requests, deployedModel);
  } finally {
    for (const { server } of workers) await server.stop();
    for (const bundled of Object.values(bundles)) bundled.remove();
  }
}

async function compare(
  [constant, quickstep, bare, onnx, deployed]: readonly Running[],
  bundles: Readonly<Record<Name, Bundle>>,
  requests: ReturnType<typeof requestsOf>,
  deployedModel: Model,
): Promise<void> {
  const racing = [constant, quickstep, bare, onnx];
  await checkAnswer(quickstep, requests.one, requests.probability, 0);
  for (const worker of [bare, onnx]) await checkAnswer(worker, requests.one, requests.probability, 2e-6);
  for (const { name } of racing)
    console.log(`${name.padEnd(12)} ${(bundles[name as Name].bytes / 1024).toFixed(0).padStart(6)} KiB to upload`);
  const single = await race(racing, ROUNDS, REQUESTS);
  report(`\none JSON sequence a request, ${CLIENTS} clients, time from answer to answer`, single, "µs");
  const batch = await race(batchesTo(quickstep, requests), ROUNDS, BATCH_REQUESTS);
  report(`\n${BATCH} sequences a request`, batch, "ms");
  const learners = summariseMembers(deployedModel)
    .map(({ kind }) => kind)
    .join(" + ");
  const deployedRequests = requestsOf(deployedModel);
  const smallBatch = await race(batchesTo(deployed, deployedRequests), ROUNDS, 4 * BATCH_REQUESTS);
  report(`\n${BATCH} sequences a request to the committed model, ${learners}`, smallBatch, "ms");
  const starts = await timeStarts(bundles, {
    quickstep: requests.one,
    "bare onnx": requests.one,
    onnx: requests.one,
    deployed: deployedRequests.one,
  });
  const cpu = await measureCpu(racing);

  console.log("\nmedians");
  const [base, ours, theirs, engine] = single.map(medianOf);
  const [startOurs, startBare, startOnnx, startDeployed] = starts.map(medianOf);
  printTarget("one JSON sequence, added over the constant Worker, to what the onnx engine adds", (ours - base) / (engine - base), 0.5, "×");
  printTarget("  to what a bare Worker around onnxruntime-web adds", (ours - base) / (theirs - base), 0.5, "×");
  printTarget("one JSON sequence, the whole request to the constant Worker's", ours / base, 1.5, "×");
  printTarget(`${BATCH} sequences as octet-stream to the same as JSON`, medianOf(batch[0]) / medianOf(batch[1]), 0.4, "×");
  printTarget(`  to the committed model, ${learners}`, medianOf(smallBatch[0]) / medianOf(smallBatch[1]), 0.4, "×");
  printTarget("process start to first answer, to the onnx engine's", startOurs / startOnnx, 0.12, "×");
  printTarget("  to the bare onnxruntime-web Worker's", startOurs / startBare, 0.12, "×");
  printTarget("  with the committed model, to the onnx engine's", startDeployed / startOnnx, 0.13, "×");
  printTarget("CPU of one JSON request", cpu[1], 0.5, "ms");
  printTarget("CPU added over the constant Worker, to what the onnx engine adds", (cpu[1] - cpu[0]) / (cpu[3] - cpu[0]), 0.5, "×");
}
