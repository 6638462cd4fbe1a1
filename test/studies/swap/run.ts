// Requests at a steady rate, while models are published and swapped in on raw workerd: whose bits each answer has, and how long it took.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { score } from "../../../shared/model.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../../fixtures/model.ts";
import { BENCH_KEY, bundle, Connection, postRequest, serve } from "../bench/workerd.ts";
import { openBucket, type TestBucket } from "./bucket.ts";

export interface SwapOptions {
  /** Requests a second. */
  readonly rate: number;
  readonly swaps: number;
  /** Between two swaps, and as long in quiet before. */
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
  readonly bucketReads: number;
}

const CLIENTS = 16;
const LOOK_S = 0.2;
const bundled = readFileSync(new URL("../../../edge/model.safetensors", import.meta.url));

/** Runs it all; throws where workerd does not start. */
export async function swap({ rate, swaps, everyMs }: SwapOptions): Promise<SwapReport> {
  const { name } = decodeArtifact(bundled);
  const artifacts = Array.from({ length: swaps }, (_, i) => encodeArtifact(makeModel(kernel, { name, units: 8 + (i % 24), seed: i + 1 })));
  const [T, F] = [10, 5];
  const values = makeSequences(1, T, F, 1, T);
  const bits = new Map([new Uint8Array(bundled), ...artifacts].map((bytes) => [idOf(name, bytes), probabilityOf(bytes, values)]));
  const sequence = Array.from({ length: T }, (_, t) => [...values.subarray(t * F, (t + 1) * F)]);
  const request = postRequest("/v1/score", "application/json", JSON.stringify({ sequence }));

  const bucket = await openBucket();
  const API_KEYS = `bench:${createHash("sha256").update(BENCH_KEY).digest("hex")}:admin`;
  const worker = bundle("wrangler.toml", { texts: { API_KEYS, MODELS_LOOK_S: `${LOOK_S}` }, buckets: { MODELS: bucket.port } });
  const server = await serve(worker);
  try {
    const load = createLoad(server.port, rate, request, bits);
    await load.run(1000); // warm
    load.reset();
    const quiet = await load.run(swaps * everyMs);
    bucket.reads = 0;
    const publishing = publishAll(server.port, bucket, name, artifacts, everyMs);
    const fired = await load.run(swaps * everyMs + 1000);
    const failed = await publishing;
    const requests = quiet.times.length + fired.times.length;
    return {
      requests,
      rate: Math.round((1000 * fired.times.length) / fired.elapsedMs),
      errors: load.errors + failed,
      wrongBits: load.wrongBits,
      models: load.seen.size,
      quietP99Ms: percentile(quiet.times, 0.99),
      firedP99Ms: percentile(fired.times, 0.99),
      bucketReads: bucket.reads,
    };
  } finally {
    await server.stop();
    worker.remove();
    bucket.close();
  }
}

/** By turns through the Worker and by hand; how many failed. */
async function publishAll(port: number, bucket: TestBucket, name: string, artifacts: readonly Uint8Array<ArrayBuffer>[], everyMs: number) {
  let failed = 0;
  for (const [i, bytes] of artifacts.entries()) {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (i % 2 === 0) {
      const init = { method: "PUT", body: bytes, headers: { authorization: `Bearer ${BENCH_KEY}` } };
      const { status } = await fetch(`http://127.0.0.1:${port}/v1/models/${name}?sha256=${sha256}`, init);
      if (status !== 200) failed++;
    } else {
      bucket.objects.set(`models/${name}/${sha256}.safetensors`, Buffer.from(bytes));
      bucket.objects.set(`models/${name}/current`, Buffer.from(JSON.stringify({ sha256 })));
    }
    await new Promise((done) => setTimeout(done, everyMs));
  }
  return failed;
}

/** Clients that together send `rate` requests a second, each when it is due or when its last one is answered. */
function createLoad(port: number, rate: number, request: Buffer, bits: ReadonlyMap<string, number>) {
  const load = {
    errors: 0,
    wrongBits: 0,
    seen: new Set<string>(),
    reset() {
      load.errors = 0;
      load.wrongBits = 0;
      load.seen.clear();
    },
    async run(ms: number): Promise<{ readonly times: number[]; readonly elapsedMs: number }> {
      const times: number[] = [];
      const start = performance.now();
      await Promise.all(
        Array.from({ length: CLIENTS }, async (_, client) => {
          const connection = await Connection.open(port);
          for (let i = 0; ; i++) {
            const due = start + (1000 * (i * CLIENTS + client)) / rate;
            if (due > start + ms || performance.now() > start + ms) break;
            const wait = due - performance.now();
            if (wait > 1) await new Promise((done) => setTimeout(done, wait));
            const sent = performance.now();
            try {
              const { model, results } = JSON.parse(`${await connection.send(request)}`);
              load.seen.add(model);
              if (!Object.is(bits.get(model), results[0].probability)) load.wrongBits++;
            } catch {
              load.errors++;
            }
            times.push(performance.now() - sent);
          }
          connection.close();
        }),
      );
      return { times, elapsedMs: performance.now() - start };
    },
  };
  return load;
}

function idOf(name: string, bytes: Uint8Array): string {
  return `${name}@${createHash("sha256").update(bytes).digest("hex").slice(0, 12)}`;
}

function probabilityOf(bytes: Uint8Array, values: Float64Array): number {
  const model = decodeArtifact(bytes);
  return score(model, createWasmEngine(kernel, model), instantiateKernel(kernel).log, values).probabilities[0];
}

function percentile(times: readonly number[], part: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
}
