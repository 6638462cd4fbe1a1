// Requests at a steady rate, while models are published and swapped in: whose bits each answer has, and how long it took.
import { readFileSync } from "node:fs";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { score } from "../../../shared/model.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../../fixtures/model.ts";
import { postRequest } from "../bench/workerd.ts";
import { type Deployment, hashOf } from "./deployment.ts";
import { type Load, openLoad } from "./load.ts";

export interface SwapOptions {
  /** Requests a second; absent: half of what the deployment answers when it is asked for all it can. */
  readonly rate?: number;
  readonly swaps: number;
  /** From one swap to the next, and as long in quiet before. */
  readonly everyMs: number;
}

export interface SwapReport {
  readonly requests: number;
  /** Requests a second that the machine gave. */
  readonly rate: number;
  readonly errors: number;
  /** Answers whose probability is not that of the model that they name. */
  readonly wrongBits: number;
  /** Different models that answered, the bundled one included. */
  readonly models: number;
  readonly quietP99Ms: number;
  readonly firedP99Ms: number;
  /** CPU a request in quiet: of the Worker, where it is known, and of the client. */
  readonly workerCpuUs: number;
  readonly clientCpuUs: number;
  readonly bucketReads: number;
}

/** More than any deployment answers on two cores. */
const FLOOD = 20_000;
const bundled = readFileSync(new URL("../../../edge/model.safetensors", import.meta.url));

/** Runs it all. */
export async function swap(open: () => Promise<Deployment>, { rate, swaps, everyMs }: SwapOptions): Promise<SwapReport> {
  const { name } = decodeArtifact(bundled);
  const artifacts = Array.from({ length: swaps }, (_, i) => encodeArtifact(makeModel(kernel, { name, units: 8 + (i % 24), seed: i + 1 })));
  const [T, F] = [10, 5];
  const values = makeSequences(1, T, F, 1, T);
  const bits = new Map([new Uint8Array(bundled), ...artifacts].map((bytes) => [idOf(name, bytes), probabilityOf(bytes, values)]));
  const sequence = Array.from({ length: T }, (_, t) => [...values.subarray(t * F, (t + 1) * F)]);
  const request = postRequest("/v1/score", "application/json", JSON.stringify({ sequence }));
  const deployment = await open();
  const load = await openLoad(deployment.port, request, bits);
  try {
    const steady = rate ?? (await sustainedBy(load));
    await load.run(steady, 1000); // warm
    load.errors = 0;
    load.wrongBits = 0;
    load.seen.clear();
    const workerBefore = deployment.cpu?.() ?? Number.NaN;
    const quiet = await load.run(steady, swaps * everyMs);
    const workerMs = (deployment.cpu?.() ?? Number.NaN) - workerBefore;
    const readsBefore = deployment.reads?.() ?? Number.NaN;
    const publishing = publishAll(deployment, name, artifacts, everyMs);
    const fired = await load.run(steady, swaps * everyMs + 1000);
    const failed = await publishing;
    return {
      requests: quiet.times.length + fired.times.length,
      rate: Math.round((1000 * fired.times.length) / fired.elapsedMs),
      errors: load.errors + failed,
      wrongBits: load.wrongBits,
      models: load.seen.size,
      quietP99Ms: percentile(quiet.times, 0.99),
      firedP99Ms: percentile(fired.times, 0.99),
      workerCpuUs: (1000 * workerMs) / quiet.times.length,
      clientCpuUs: (1000 * quiet.cpuMs) / quiet.times.length,
      bucketReads: (deployment.reads?.() ?? Number.NaN) - readsBefore,
    };
  } finally {
    load.close();
    await deployment.close();
  }
}

async function sustainedBy(load: Load): Promise<number> {
  const { times, elapsedMs } = await load.run(FLOOD, 100);
  return Math.max(1, Math.floor((1000 * times.length) / elapsedMs / 2));
}

/** How many failed. */
async function publishAll(deployment: Deployment, name: string, artifacts: readonly Uint8Array<ArrayBuffer>[], everyMs: number) {
  let failed = 0;
  const start = performance.now();
  for (const [i, bytes] of artifacts.entries()) {
    if (!(await deployment.publish(i, name, bytes))) failed++;
    await new Promise((done) => setTimeout(done, Math.max(0, start + (i + 1) * everyMs - performance.now())));
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
