// serve: an artifact at a local Worker, the same Worker that is deployed, by `wrangler dev`.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { shapeOf } from "../../shared/recipe.ts";
import { isZeroRow } from "../../shared/sequence.ts";
import { type Engines, type LoadedModel, loadModel } from "../artifact-file.ts";
import { writeWhole } from "../files.ts";
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
  // The Worker imports ./model.safetensors; here that name stands for the given file. wrangler applies its rule for data
  // modules to what a module imports, not to an alias itself, hence the one line between.
  const alias = join(ROOT, ".wrangler", "serve", "model.ts");
  writeWhole(alias, new TextEncoder().encode(`export { default } from ${JSON.stringify(resolve(command.artifact))};\n`));
  const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin", "wrangler.js");
  const child = spawn(
    process.execPath,
    [
      wrangler,
      "dev",
      "--port",
      String(command.port),
      "--alias",
      `./model.safetensors:${alias}`,
      "--var",
      "AUTH:open",
      "--show-interactive-dev-session=false",
      "--log-level",
      "warn",
    ],
    { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"], detached: true, env: { ...process.env, WRANGLER_SEND_METRICS: "false" } },
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
  const ready = untilReady(url, signal).then((isReady) => {
    if (isReady) terminal.say(`\n${loaded.id} answers at ${url}; Ctrl-C stops it. Try:\n\n${curlLine(url, loaded)}\n`);
  });
  const code = await Promise.race([ended, ready.then(() => ended)]);
  signal.removeEventListener("abort", stop);
  if (code !== 0 && code !== null && !signal.aborted) throw new Error(`wrangler dev ended with code ${code}`);
}

async function untilReady(url: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const response = await fetch(`${url}/health/ready`).catch(() => null);
    if (response?.ok) return true;
    await new Promise((done) => setTimeout(done, PROBE_INTERVAL_MS));
  }
  return false;
}

/** A request that works, with a golden vector of ordinary values as its sequence. */
function curlLine(url: string, { model }: LoadedModel): string {
  const { timesteps: T, features: F } = shapeOf(model.recipe);
  const { inputs, probabilities } = model.golden;
  const size = T * F;
  const k = (Math.floor(probabilities.length / 8) * 2 + 1) * 2 + 1; // an odd vector: a random walk
  const rows: string[] = [];
  for (let t = 0; t < T; t++) {
    const from = k * size + t * F;
    if (!isZeroRow(inputs, from, F))
      rows.push(`[${Array.from(inputs.subarray(from, from + F), (x) => Number(x.toPrecision(8))).join(",")}]`);
  }
  return `curl -s ${url}/v1/score -H 'content-type: application/json' -d '{"sequence":[${rows.join(",")}]}'`;
}
