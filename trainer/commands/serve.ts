// serve: an artifact at a local Worker, the same Worker that is deployed, by `wrangler dev`.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { shapeOf } from "../../shared/recipe.ts";
import { isZeroRow } from "../../shared/sequence.ts";
import { type Engines, type LoadedModel, loadModel } from "../artifact-file.ts";
import { readWhole, writeWhole } from "../files.ts";
import type { Terminal } from "../terminal.ts";

export interface ServeCommand {
  readonly artifact: string;
  readonly port: number;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROBE_INTERVAL_MS = 100;

/** Runs until wrangler ends or `signal` aborts. */
export async function serve(command: ServeCommand, engines: Engines, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const loaded = loadModel(command.artifact, engines);
  const url = `http://localhost:${command.port}`;
  const config = writeConfig(resolve(command.artifact), command.port);
  const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin", "wrangler.js");
  const port = ["--port", String(command.port), "--inspector-port", "0"];
  const child = spawn(
    process.execPath,
    [wrangler, "dev", "--config", config, ...port, "--var", "AUTH:open", "--show-interactive-dev-session=false", "--log-level", "warn"],
    {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
    },
  );
  // wrangler's own children keep the port when it alone is killed: the whole group goes.
  const stop = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
  };
  signal.addEventListener("abort", stop);
  const ended = new Promise<number | null>((done, failed) => {
    child.once("exit", done);
    child.once("error", failed);
  });
  const probing = new AbortController();
  const announced = untilServed(url, loaded.id, AbortSignal.any([signal, probing.signal])).then((isServed) => {
    if (isServed) terminal.say(`\n${loaded.id} answers at ${url}; Ctrl-C stops it. Try:\n\n${curlLine(url, loaded)}\n`);
  });
  try {
    const code = await ended;
    if (code !== 0 && !signal.aborted) throw new Error(`wrangler dev ended with code ${code}: is port ${command.port} taken?`);
  } finally {
    probing.abort();
    await announced;
    signal.removeEventListener("abort", stop);
    rmSync(config, { force: true });
  }
}

/**
 * The Worker imports ./model.safetensors; here that name stands for the given file. wrangler applies its rule for data modules
 * to what a module imports, not to an alias itself, hence a module of one line between; and `dev` ignores --alias (4.156), hence
 * a configuration of its own, beside wrangler.toml since its paths are relative.
 */
function writeConfig(artifact: string, port: number): string {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const model = join(ROOT, ".wrangler", "serve", `model-${port}.ts`);
  writeWhole(model, encode(`export { default } from ${JSON.stringify(artifact)};\n`));
  const config = join(ROOT, `.wrangler-serve-${port}.toml`);
  const deployed = new TextDecoder().decode(readWhole(join(ROOT, "wrangler.toml")));
  writeWhole(config, encode(`${deployed}\n[alias]\n"./model.safetensors" = ${JSON.stringify(model)}\n`));
  return config;
}

/** Whether the Worker came to answer with this very model. */
async function untilServed(url: string, id: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const response = await fetch(`${url}/health/ready`, { signal }).catch(() => null);
    const body = (await response?.json().catch(() => null)) as { readonly model?: unknown } | null | undefined;
    if (body?.model === id) return true;
    await new Promise((done) => setTimeout(done, PROBE_INTERVAL_MS));
  }
  return false;
}

/** A request that works: a golden vector of full length and ordinary values. */
function curlLine(url: string, { model }: LoadedModel): string {
  const { timesteps: T, features: F } = shapeOf(model.recipe);
  const { inputs, probabilities } = model.golden;
  const k = probabilities.length - 3; // of full length, a random walk
  const rows: string[] = [];
  for (let t = 0; t < T; t++) {
    const from = (k * T + t) * F;
    if (!isZeroRow(inputs, from, F))
      rows.push(`[${Array.from(inputs.subarray(from, from + F), (x) => Number(x.toPrecision(8))).join(",")}]`);
  }
  return `curl -s ${url}/v1/score -H 'content-type: application/json' -d '{"sequence":[${rows.join(",")}]}'`;
}
