// The same under `wrangler dev`, whose R2 lies in files: R2's own conditions and hashes. By turns a model is published through the Worker,
// rolled back, and put by hand with `wrangler r2 object put --local`, as docs/operations.md has it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openConfiguredDev } from "../configured-wrangler-dev.ts";
import { AUTHORIZED, type Deployment, hashOf, PUBLISH_TIMEOUT_MS, putArtifact, TEXTS } from "./deployment.ts";

const BUCKET = "quickstep-models";
/** A put by hand starts wrangler, which takes seconds under load. */
const PUT_TIMEOUT_MS = 60_000;

/** Throws where wrangler does not start. */
export async function openWranglerDev(): Promise<Deployment> {
  const dev = await openConfiguredDev(`[[r2_buckets]]\nbinding = "MODELS"\nbucket_name = "${BUCKET}"\n`, TEXTS);
  const { port } = dev;
  const putObject = (key: string, bytes: Uint8Array): Promise<boolean> => {
    const file = join(dev.folder, "object");
    writeFileSync(file, bytes);
    return dev.run(["r2", "object", "put", `${BUCKET}/${key}`, "--file", file, "--local"], PUT_TIMEOUT_MS);
  };
  return {
    port,
    async publish(i, name, bytes) {
      if (i % 5 === 3) return rollBack(port, name);
      if (i % 5 !== 4) return putArtifact(port, name, bytes);
      const pointer = new TextEncoder().encode(JSON.stringify({ sha256: hashOf(bytes) }));
      return (
        (await putObject(`models/${name}/${hashOf(bytes)}.safetensors`, bytes)) && (await putObject(`models/${name}/current`, pointer))
      );
    },
    close: dev.close,
  };
}

async function rollBack(port: number, name: string): Promise<boolean> {
  const init = { method: "POST", headers: AUTHORIZED, signal: AbortSignal.timeout(PUBLISH_TIMEOUT_MS) };
  return (await fetch(`http://127.0.0.1:${port}/v1/models/${name}/rollback`, init)).status === 200;
}
