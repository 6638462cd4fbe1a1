// Requests at a steady rate, while models are published and swapped in: whose bits each answer has, and how long it took.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { score } from "../../../shared/model.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../../fixtures/model.ts";
import { postRequest } from "../bench/workerd.ts";
import { type Deployment, hashOf } from "./deployment.ts";
import { type Load, openLoad } from "./load.ts";

export interface SwapOptions {
  /** Requests a second; or which part of what the deployment answers when it is asked for all it can, `most` at most. */
  readonly rate: number | { readonly part: number; readonly most: number };
  readonly swaps: number;
  /** From the end of one publication to the next. */
  readonly everyMs: number;
  /** Of load before anything is measured, and of quiet, half of it before the swaps and half behind them. */
  readonly warmMs: number;
  readonly quietMs: number;
  /** Hears what goes on, a line each. */
  readonly say?: (line: string) => void;
}

export interface SwapReport {
  readonly requests: number;
  /** Requests a second that were asked for, and that the machine gave in quiet and while models were swapped. */
  readonly askedRate: number;
  readonly quietRate: number;
  readonly firedRate: number;
  /** Requests and publications that failed. */
  readonly errors: number;
  /** Answers whose probability is not that of the model that they name. */
  readonly wrongBits: number;
  /** Different models that answered, the bundled one included. */
  readonly models: number;
  readonly quietP50Ms: number;
  readonly firedP50Ms: number;
  readonly quietP99Ms: number;
  readonly firedP99Ms: number;
  /** CPU a request in quiet: of the Worker, where it is known, and of the client. */
  readonly workerCpuUs: number;
  readonly clientCpuUs: number;
  readonly bucketReads: number;
}

/** More than any deployment answers on two cores. */
const FLOOD = 20_000;
const FLOOD_MS = 4000;
/** Behind the last publication, so that it is looked at and swapped in. */
const AFTER_MS = 1000;
const bundled = readFileSync(new URL("../../../edge/model.safetensors", import.meta.url));

/** Runs it all. */
export async function swap(open: () => Promise<Deployment>, options: SwapOptions): Promise<SwapReport> {
  const { swaps, say = () => {} } = options;
  const { name } = decodeArtifact(bundled);
  const artifacts = Array.from({ length: swaps }, (_, i) => encodeArtifact(makeModel(kernel, { name, units: 8 + (i % 24), seed: i + 1 })));
  const [T, F] = [10, 5];
  const values = makeSequences(1, T, F, 1, T);
  const bits = new Map([new Uint8Array(bundled), ...artifacts].map((bytes) => [idOf(name, bytes), probabilityOf(bytes, values)]));
  const sequence = Array.from({ length: T }, (_, t) => [...values.subarray(t * F, (t + 1) * F)]);
  const request = postRequest("/v1/score", "application/json", JSON.stringify({ sequence }));
  say("the Worker starts");
  const deployment = await open();
  try {
    const load = await openLoad(deployment.port, request, bits);
    try {
      return await measure(deployment, load, name, artifacts, options);
    } finally {
      load.close();
    }
  } finally {
    await deployment.close();
  }
}

/** Warm, quiet, swaps, quiet: what a machine does meanwhile beside is in both parts of the quiet. */
async function measure(
  deployment: Deployment,
  load: Load,
  name: string,
  artifacts: readonly Uint8Array<ArrayBuffer>[],
  { rate, everyMs, warmMs, quietMs, say = () => {} }: SwapOptions,
): Promise<SwapReport> {
  const steady = typeof rate === "number" ? rate : Math.max(1, Math.floor(Math.min(rate.most, rate.part * (await sustainedBy(load, say)))));
  say(`${steady} requests a second: ${warmMs / 1000} s until all is warm`);
  await load.run(steady, sleep(warmMs));
  Object.assign(load, { errors: 0, wrongBits: 0, firstError: undefined });
  load.seen.clear();
  const workerBefore = deployment.cpu?.() ?? Number.NaN;
  say(`quiet: ${quietMs / 2000} s`);
  const before = await load.run(steady, sleep(quietMs / 2));
  const workerMs = (deployment.cpu?.() ?? Number.NaN) - workerBefore;
  const readsBefore = deployment.reads?.() ?? Number.NaN;
  const publishing = publishAll(deployment, name, artifacts, everyMs, say);
  const fired = await load.run(
    steady,
    publishing.then(() => sleep(AFTER_MS)),
  );
  const failed = await publishing;
  const bucketReads = (deployment.reads?.() ?? Number.NaN) - readsBefore;
  say(`quiet: ${quietMs / 2000} s`);
  const after = await load.run(steady, sleep(quietMs / 2));
  const quiet = [...before.times, ...after.times];
  if (load.firstError !== undefined) say(`the first error: ${load.firstError}`);
  return {
    requests: quiet.length + fired.times.length,
    askedRate: steady,
    quietRate: Math.round((1000 * quiet.length) / (before.elapsedMs + after.elapsedMs)),
    firedRate: Math.round((1000 * fired.times.length) / fired.elapsedMs),
    errors: load.errors + failed,
    wrongBits: load.wrongBits,
    models: load.seen.size,
    quietP50Ms: percentile(quiet, 0.5),
    firedP50Ms: percentile(fired.times, 0.5),
    quietP99Ms: percentile(quiet, 0.99),
    firedP99Ms: percentile(fired.times, 0.99),
    workerCpuUs: (1000 * workerMs) / before.times.length,
    clientCpuUs: (1000 * before.cpuMs) / before.times.length,
    bucketReads,
  };
}

/** Requests a second: of two floods the second, which finds the code compiled. */
async function sustainedBy(load: Load, say: (line: string) => void): Promise<number> {
  say(`all that it can: ${(2 * FLOOD_MS) / 1000} s`);
  await load.run(FLOOD, sleep(FLOOD_MS));
  const { times, elapsedMs } = await load.run(FLOOD, sleep(FLOOD_MS));
  const sustained = (1000 * times.length) / elapsedMs;
  say(`it sustains ${Math.round(sustained)} requests a second`);
  return sustained;
}

/** How many failed. */
async function publishAll(
  deployment: Deployment,
  name: string,
  artifacts: readonly Uint8Array<ArrayBuffer>[],
  everyMs: number,
  say: (line: string) => void,
): Promise<number> {
  let failed = 0;
  for (const [i, bytes] of artifacts.entries()) {
    const isDone = await deployment.publish(i, name, bytes).catch((error: unknown) => {
      say(String(error));
      return false;
    });
    if (!isDone) failed++;
    say(`${i + 1} of ${artifacts.length} ${isDone ? "published" : "FAILED"}`);
    await sleep(everyMs);
  }
  return failed;
}

function idOf(name: string, bytes: Uint8Array): string {
  return `${name}@${hashOf(bytes).slice(0, 12)}`;
}

function probabilityOf(bytes: Uint8Array, values: Float64Array): number {
  const model = decodeArtifact(bytes);
  return score(model, createWasmEngine(kernel, model), instantiateKernel(kernel).log, values).probabilities[0];
}

function percentile(times: readonly number[], part: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
}
