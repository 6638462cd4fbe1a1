// serve: an artifact at a local Worker, the same Worker that is deployed, by `wrangler dev`.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError } from "../../shared/errors.ts";
import { sampleRequest } from "../../shared/sample.ts";
import { type LoadedModel, loadModel } from "../artifact/artifact-file.ts";
import { integer } from "../cli/arguments.ts";
import { ARTIFACT_WORD } from "../cli/data-options.ts";
import { declareCommand, optionWithDefault, type Values } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { writeWorkerProject } from "../export/worker-project.ts";
import { findCompanion } from "../files/companions.ts";

export const PORT_OPTION = optionWithDefault("N", integer(1, 65_535), "port that the Worker listens on", 8787);

const WORDS = { artifact: ARTIFACT_WORD };

const OPTIONS = { port: PORT_OPTION };

type ServeValues = Values<typeof WORDS, typeof OPTIONS>;

export const serveCommand = declareCommand({
  name: "serve",
  summary: "Serve an artifact on this machine with the Worker that is deployed",
  words: WORDS,
  options: OPTIONS,
  examples: ["serve mine.safetensors", "serve mine.safetensors --port 8080"],
  run: (values: ServeValues, dependencies: Dependencies) => serve(values, dependencies),
});

const PROBE_INTERVAL_MS = 100;
/** Lines `NAME=…` of secrets on this machine, as `wrangler dev` reads them. */
const SECRETS = ".dev.vars";

/** Runs until wrangler ends or the signal aborts. Throws DataError where wrangler or the artifact is missing, or the port is taken. */
export async function serve({ artifact, port }: ServeValues, dependencies: Dependencies): Promise<void> {
  const { terminal } = dependencies;
  const loaded = loadModel(artifact, dependencies.loadEngines());
  const wrangler = join(findCompanion("wrangler", "to run a Worker on this machine"), "bin", "wrangler.js");
  const url = `http://localhost:${port}`;
  await checkFree(port);
  const { signal } = dependencies;
  const folder = mkdtempSync(join(tmpdir(), "quickstep-serve-"));
  writeWorkerProject(folder, loaded.bytes, loaded.model.name);
  removeTriggers(join(folder, "wrangler.toml"));
  if (copySecrets(folder)) terminal.say(`secrets are read from ${SECRETS} in this folder`);
  const worker = startWrangler(wrangler, folder, port);
  signal.addEventListener("abort", worker.stop);
  const probing = new AbortController();
  const announced = untilServed(url, loaded.bytes, AbortSignal.any([signal, probing.signal])).then((served) => {
    if (served === undefined) return;
    terminal.say(`\n${loaded.id} answers at ${url}; Ctrl-C stops it. Try:\n\n${curlLine(url, loaded)}\n`);
    if (served.fault !== undefined) terminal.say(`The Worker scores, and is not ready otherwise: ${served.fault}\n`);
  });
  try {
    const code = await worker.ended;
    if (code === 0 || signal.aborted) return;
    await checkFree(port); // taken in between
    throw new Error(`wrangler dev ended with code ${code}`);
  } finally {
    probing.abort();
    await announced;
    signal.removeEventListener("abort", worker.stop);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether there are secrets in the folder where the command was called: then the Worker in `folder` has them, too. */
function copySecrets(folder: string): boolean {
  if (!existsSync(SECRETS)) return false;
  const copy = join(folder, SECRETS);
  copyFileSync(SECRETS, copy);
  chmodSync(copy, 0o600);
  return true;
}

/** The timetable is the deployed Worker's: wrangler dev runs none, and warns of it above all that is said here. */
function removeTriggers(config: string): void {
  const text = readFileSync(config, "utf8");
  writeFileSync(config, text.replace(/^\[triggers\]\ncrons = .*\n/m, ""));
}

/** Addresses that localhost stands for. */
const LOOPBACK = ["127.0.0.1", "::1"];

/** Throws DataError where another program listens on the port, or this one may not. */
async function checkFree(port: number): Promise<void> {
  for (const host of LOOPBACK) {
    const code = await new Promise<string | undefined>((done) => {
      const server = createServer();
      server.once("error", (error: NodeJS.ErrnoException) => done(error.code));
      server.listen({ port, host, exclusive: true }, () => server.close(() => done(undefined)));
    });
    if (code === "EADDRINUSE") throw new DataError(`port ${port}`, "is taken by another program: choose another with --port N");
    if (code === "EACCES") throw new DataError(`port ${port}`, "may not be used by this account: choose one above 1023 with --port N");
  }
}

/** `wrangler dev` in `folder`; `ended` gives its exit code. */
function startWrangler(wrangler: string, folder: string, port: number): { stop(): void; readonly ended: Promise<number | null> } {
  const where = ["--port", String(port), "--inspector-port", "0"];
  const child = spawn(
    process.execPath,
    [wrangler, "dev", ...where, "--var", "AUTH:open", "--show-interactive-dev-session=false", "--log-level", "warn"],
    {
      cwd: folder,
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
    },
  );
  const ended = new Promise<number | null>((done, failed) => {
    child.once("exit", done);
    child.once("error", failed);
  });
  return {
    // wrangler's own children keep the port when it alone is killed: the whole group goes
    stop() {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
    },
    ended,
  };
}

/** Waits until the Worker answers with this very artifact; undefined where `signal` aborts first. `fault`: why the Worker is not ready. */
async function untilServed(url: string, artifact: Uint8Array, signal: AbortSignal): Promise<{ readonly fault?: string } | undefined> {
  const sha256 = createHash("sha256").update(artifact).digest("hex");
  while (!signal.aborted) {
    const response = await fetch(`${url}/health/ready`, { signal }).catch(() => null);
    if (response?.headers.get("x-quickstep-model") === sha256) {
      if (response.ok) return {};
      const problem = (await response.json().catch(() => ({}))) as { readonly detail?: string };
      return { fault: problem.detail ?? `status ${response.status}` };
    }
    await new Promise((done) => setTimeout(done, PROBE_INTERVAL_MS));
  }
  return undefined;
}

/** A request that works. */
function curlLine(url: string, { model }: LoadedModel): string {
  return `curl -s ${url}/v1/score -H 'content-type: application/json' -d '${JSON.stringify(sampleRequest(model))}'`;
}
