// serve: an artifact at a local Worker, the same Worker that is deployed, by `wrangler dev`.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { isZeroRow } from "../../shared/sequence.ts";
import { type Engines, type LoadedModel, loadModel } from "../artifact/artifact-file.ts";
import type { Terminal } from "../cli/terminal.ts";
import { writeWorkerProject } from "../export/worker-project.ts";
import { findCompanion } from "../files/companions.ts";

export interface ServeCommand {
  readonly artifact: string;
  readonly port: number;
}

const PROBE_INTERVAL_MS = 100;

/** Runs until wrangler ends or `signal` aborts. */
export async function serve(command: ServeCommand, engines: Engines, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const loaded = loadModel(command.artifact, engines);
  const wrangler = join(findCompanion("wrangler", "to run a Worker on this machine"), "bin", "wrangler.js");
  const url = `http://localhost:${command.port}`;
  const folder = mkdtempSync(join(tmpdir(), "quickstep-serve-"));
  writeWorkerProject(folder, loaded.bytes);
  const port = ["--port", String(command.port), "--inspector-port", "0"];
  const child = spawn(
    process.execPath,
    [wrangler, "dev", ...port, "--var", "AUTH:open", "--show-interactive-dev-session=false", "--log-level", "warn"],
    {
      cwd: folder,
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
    rmSync(folder, { recursive: true, force: true });
  }
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
