// The same under `wrangler dev`, whose R2 lies in files: R2's own conditions and hashes. By turns a model is published through the Worker,
// rolled back, and put by hand with `wrangler r2 object put --local`, as docs/operations.md has it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../bench/workerd.ts";
import { AUTHORIZED, type Deployment, hashOf, PUBLISH_TIMEOUT_MS, putArtifact, TEXTS } from "./deployment.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const WRANGLER = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin", "wrangler.js");
const BUCKET = "quickstep-models";
const ENV = { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };

/** A put by hand starts wrangler, which takes seconds under load. */
const PUT_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 90_000;

/** Throws where wrangler does not start. Nothing of it outlives this process, whatever ends that. */
export async function openWranglerDev(): Promise<Deployment> {
  const state = mkdtempSync(join(tmpdir(), "quickstep-swap-"));
  const port = await freePort();
  const config = join(ROOT, `wrangler.swap-${port}.toml`); // beside wrangler.toml, since its paths are relative
  writeFileSync(config, configuration());
  const vars = Object.entries(TEXTS).flatMap(([name, text]) => ["--var", `${name}:${text}`]);
  const options = [
    "--config",
    config,
    "--env=",
    "--port",
    `${port}`,
    "--inspector-port",
    "0",
    "--persist-to",
    state,
    "--log-level",
    "error",
  ];
  const child = spawn(process.execPath, [WRANGLER, "dev", ...options, "--show-interactive-dev-session=false", ...vars], {
    ...{ cwd: ROOT, stdio: ["ignore", "ignore", "inherit"], detached: true, env: ENV },
  });
  const close = cleanUpAtExit(child, [state, config]);
  const putObject = async (key: string, bytes: Uint8Array): Promise<boolean> => {
    const file = join(state, "object");
    writeFileSync(file, bytes);
    const args = ["r2", "object", "put", `${BUCKET}/${key}`, "--file", file, "--local", "--persist-to", state, "--config", config];
    const put = spawn(process.execPath, [WRANGLER, ...args], { cwd: ROOT, env: ENV, stdio: "ignore", timeout: PUT_TIMEOUT_MS });
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
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {} // it has ended
    for (const file of files) rmSync(file, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  };
  const interrupt = (signal: "SIGINT" | "SIGTERM" | "SIGHUP"): void => process.exit(128 + constants.signals[signal]); // runs cleanUp
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.once(signal, interrupt);
  process.once("exit", cleanUp);
  return async () => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {}
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

async function untilReady(port: number, child: ChildProcess): Promise<void> {
  const start = performance.now();
  while (performance.now() - start < START_TIMEOUT_MS) {
    if (child.exitCode !== null) throw new Error(`wrangler dev ended with ${child.exitCode}`);
    const answer = fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(5000) });
    if (await answer.then(({ ok }) => ok).catch(() => false)) return;
    await sleep(200);
  }
  throw new Error(`wrangler dev was not ready after ${START_TIMEOUT_MS / 1000} s`);
}
