// The same under `wrangler dev`, whose R2 lies in files: R2's own conditions and hashes. By turns a model is published through the Worker,
// rolled back, and put by hand with `wrangler r2 object put --local`, as docs/operations.md has it.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../bench/workerd.ts";
import { AUTHORIZED, type Deployment, hashOf, putArtifact, TEXTS } from "./deployment.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const WRANGLER = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin", "wrangler.js");
const BUCKET = "quickstep-models";
const ENV = { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };

/** Throws where wrangler does not start. */
export async function openWranglerDev(): Promise<Deployment> {
  const state = mkdtempSync(join(tmpdir(), "quickstep-swap-"));
  const port = await freePort();
  const config = join(ROOT, `wrangler.swap-${port}.toml`); // beside wrangler.toml, since its paths are relative
  const binding = `\n[[r2_buckets]]\nbinding = "MODELS"\nbucket_name = "${BUCKET}"\n\n[env.onnx]\n`;
  writeFileSync(config, readFileSync(join(ROOT, "wrangler.toml"), "utf8").replace("\n[env.onnx]\n", binding));
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
  const putObject = (key: string, bytes: Uint8Array): boolean => {
    const file = join(state, "object");
    writeFileSync(file, bytes);
    const args = ["r2", "object", "put", `${BUCKET}/${key}`, "--file", file, "--local", "--persist-to", state, "--config", config];
    return spawnSync(process.execPath, [WRANGLER, ...args], { cwd: ROOT, env: ENV }).status === 0;
  };
  await untilReady(port, child);
  return {
    port,
    async publish(i, name, bytes) {
      if (i % 5 === 3) return rollBack(port, name);
      if (i % 5 !== 4) return putArtifact(port, name, bytes);
      const pointer = new TextEncoder().encode(JSON.stringify({ sha256: hashOf(bytes) }));
      return putObject(`models/${name}/${hashOf(bytes)}.safetensors`, bytes) && putObject(`models/${name}/current`, pointer);
    },
    async close() {
      const ended = new Promise((done) => child.once("exit", done));
      process.kill(-child.pid!, "SIGKILL");
      await ended;
      rmSync(state, { recursive: true, force: true });
      rmSync(config);
    },
  };
}

async function rollBack(port: number, name: string): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/models/${name}/rollback`, { method: "POST", headers: AUTHORIZED });
  return response.status === 200;
}

async function untilReady(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`wrangler dev ended with ${child.exitCode}`);
    const answer = fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(5000) });
    if (await answer.then(({ ok }) => ok).catch(() => false)) return;
    await new Promise((done) => setTimeout(done, 200));
  }
}
