// The Worker under `wrangler dev`, as a process of its own. A killed workerd alone leaves its requests hanging: the whole process group goes.
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WRANGLER } from "./bench/workerd.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const WRANGLER_ENV = { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
const START_TIMEOUT_MS = 180_000; // with two busy cores it took 80 s (measured)

export interface DevServer {
  readonly port: number;
  /** Where its objects and buckets lie. */
  readonly state: string;
  /** The Worker's vars. */
  readonly texts: Readonly<Record<string, string>>;
  /** More of wrangler's. */
  readonly options?: readonly string[];
  /** Where what wrangler says of errors goes. */
  readonly stderr: "inherit" | "ignore";
}

/** Starts it; `untilReady` waits for it. */
export function spawnWranglerDev({ port, state, texts, options = [], stderr }: DevServer): ChildProcess {
  const args = ["--port", `${port}`, "--inspector-port", "0", "--persist-to", state, "--log-level", "error", ...options];
  const vars = Object.entries(texts).flatMap(([name, text]) => ["--var", `${name}:${text}`]);
  return spawn(process.execPath, [WRANGLER, "dev", ...args, "--show-interactive-dev-session=false", ...vars], {
    ...{ cwd: ROOT, stdio: ["ignore", "ignore", stderr], detached: true, env: WRANGLER_ENV },
  });
}

/** Resolves when the Worker on `port` is ready. Throws where wrangler ends before, or the Worker is not ready in time. */
export async function untilReady(port: number, child: ChildProcess): Promise<void> {
  const start = performance.now();
  while (performance.now() - start < START_TIMEOUT_MS) {
    if (hasEnded(child)) throw new Error(`wrangler dev ended with ${child.exitCode ?? child.signalCode}`);
    const answer = fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(5000) });
    if (await answer.then(({ ok }) => ok).catch(() => false)) return;
    await sleep(100);
  }
  throw new Error(`wrangler dev was not ready after ${START_TIMEOUT_MS / 1000} s`);
}

/** Ends wrangler, if it has not ended, with all that it started. */
export function killGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, "SIGKILL");
  } catch {} // it has ended
}

/** Whether the process itself has ended. */
export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
