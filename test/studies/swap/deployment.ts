// A Worker with a registry on raw workerd, whose bucket is bucket.ts: models are published through the Worker and by hand, by turns.
import { createHash } from "node:crypto";
import { BENCH_KEY, bundle, serve } from "../bench/workerd.ts";
import { openBucket } from "./bucket.ts";

/** A Worker that models are published to while it answers. */
export interface Deployment {
  readonly port: number;
  /** Its CPU so far, in milliseconds; absent: not known. */
  readonly cpu?: () => number;
  /** The i-th publication, of an artifact under a name. Whether it succeeded. */
  publish(i: number, name: string, artifact: Uint8Array<ArrayBuffer>): Promise<boolean>;
  /** Gets of the bucket so far; absent: not known. */
  readonly reads?: () => number;
  close(): Promise<void>;
}

/** What the Worker is given: one key, an admin's; and how often an isolate looks, in seconds. */
export const TEXTS = { API_KEYS: `bench:${hashOf(BENCH_KEY)}:admin`, MODELS_LOOK_S: "0.2" };
export const AUTHORIZED = { authorization: `Bearer ${BENCH_KEY}` };

/** SHA-256 as hexadecimal digits. */
export function hashOf(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A publication that takes longer has failed. */
export const PUBLISH_TIMEOUT_MS = 30_000;

/** Through the Worker. Whether it was a 200. */
export async function putArtifact(port: number, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const init = { method: "PUT", body: bytes, headers: AUTHORIZED, signal: AbortSignal.timeout(PUBLISH_TIMEOUT_MS) };
  return (await fetch(`http://127.0.0.1:${port}/v1/models/${name}?sha256=${hashOf(bytes)}`, init)).status === 200;
}

/** Throws where workerd does not start. */
export async function openRawWorkerd(): Promise<Deployment> {
  const bucket = await openBucket();
  const worker = bundle("wrangler.toml", { texts: TEXTS, buckets: { MODELS: bucket.port } });
  const server = await serve(worker);
  return {
    port: server.port,
    cpu: () => server.cpu(),
    reads: () => bucket.reads,
    async publish(i, name, bytes) {
      if (i % 2 === 0) return putArtifact(server.port, name, bytes);
      bucket.objects.set(`models/${name}/${hashOf(bytes)}.safetensors`, Buffer.from(bytes));
      bucket.objects.set(`models/${name}/current`, Buffer.from(JSON.stringify({ sha256: hashOf(bytes) })));
      return true;
    },
    async close() {
      await server.stop();
      worker.remove();
      bucket.close();
    },
  };
}
