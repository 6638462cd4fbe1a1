// The same under `wrangler dev`, whose R2 lies in files: R2's own conditions and hashes. By turns a model is published through the Worker,
// rolled back, and put by hand with `wrangler r2 object put --local`, as docs/operations.md has it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, WRANGLER } from "../bench/workerd.ts";
import { killGroup, ROOT, spawnWranglerDev, untilReady, WRANGLER_ENV } from "../wrangler-dev.ts";
import { AUTHORIZED, type Deployment, hashOf, PUBLISH_TIMEOUT_MS, putArtifact, TEXTS } from "./deployment.ts";

const BUCKET = "quickstep-models";

/** A put by hand starts wrangler, which takes seconds under load. */
const PUT_TIMEOUT_MS = 60_000;

/** Throws where wrangler does not start. Nothing of it outlives this process, whatever ends that. */
export async function openWranglerDev(): Promise<Deployment> {
  const state = mkdtempSync(join(tmpdir(), "quickstep-swap-"));
  const port = await freePort();
  const config = join(ROOT, `wrangler.swap-${port}.toml`); // beside wrangler.toml, since its paths are relative
  writeFileSync(config, configuration());
  const child = spawnWranglerDev({ port, state, texts: TEXTS, options: ["--config", config, "--env="], stderr: "inherit" });
  const close = cleanUpAtExit(child, [state, config]);
  const putObject = async (key: string, bytes: Uint8Array): Promise<boolean> => {
    const file = join(state, "object");
    writeFileSync(file, bytes);
    const args = ["r2", "object", "put", `${BUCKET}/${key}`, "--file", file, "--local", "--persist-to", state, "--config", config];
    const put = spawn(process.execPath, [WRANGLER, ...args], { cwd: ROOT, env: WRANGLER_ENV, stdio: "ignore", timeout: PUT_TIMEOUT_MS });
    const [status] = await once(put, "exit"); // not spawnSync: this process sends the load
    return status === 0;
  };
  try {
    await untilReady(port, child);
  } catch (error) {
    await close();
    throw error;
  }
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
    close,
  };
}

/** wrangler.toml with a bucket. */
function configuration(): string {
  const binding = `\n[[r2_buckets]]\nbinding = "MODELS"\nbucket_name = "${BUCKET}"\n\n[env.onnx]\n`;
  return readFileSync(join(ROOT, "wrangler.toml"), "utf8").replace("\n[env.onnx]\n", binding);
}

/** Ends wrangler with all that it started, and removes its files: when called, or when this process ends or is interrupted. */
function cleanUpAtExit(child: ChildProcess, files: readonly string[]): () => Promise<void> {
  const ended = once(child, "exit");
  const cleanUp = (): void => {
    killGroup(child);
    for (const file of files) rmSync(file, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  };
  const interrupt = (signal: "SIGINT" | "SIGTERM" | "SIGHUP"): void => process.exit(128 + constants.signals[signal]); // runs cleanUp
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.once(signal, interrupt);
  process.once("exit", cleanUp);
  return async () => {
    killGroup(child);
    await ended;
    cleanUp();
    process.off("exit", cleanUp);
    for (const signal of signals) process.off(signal, interrupt);
  };
}

async function rollBack(port: number, name: string): Promise<boolean> {
  const init = { method: "POST", headers: AUTHORIZED, signal: AbortSignal.timeout(PUBLISH_TIMEOUT_MS) };
  return (await fetch(`http://127.0.0.1:${port}/v1/models/${name}/rollback`, init)).status === 200;
}
