// The Worker under `wrangler dev`. A killed workerd alone leaves its requests hanging: the whole process group goes.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../bench/workerd.ts";
import type { Receiver } from "./receiver.ts";
import { type Mortal, textsFor } from "./run.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export async function openWranglerDev(receiver: Receiver): Promise<Mortal> {
  const state = mkdtempSync(join(tmpdir(), "quickstep-crash-"));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin", "wrangler.js");
  const vars = Object.entries({ AUTH: "open", ...textsFor(`http://127.0.0.1:${receiver.port}`) }).flatMap(([name, text]) => [
    "--var",
    `${name}:${text}`,
  ]);
  const options = ["--port", `${port}`, "--inspector-port", "0", "--persist-to", state, "--log-level", "error"];
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (child?.pid === undefined || child.exitCode !== null) return;
    const ended = new Promise((done) => child!.once("exit", done));
    process.kill(-child.pid, "SIGKILL");
    await ended;
  };
  return {
    url,
    kill,
    async start() {
      child = spawn(process.execPath, [wrangler, "dev", ...options, "--show-interactive-dev-session=false", ...vars], {
        cwd: ROOT,
        stdio: ["ignore", "ignore", "ignore"],
        detached: true,
        env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
      });
      while (
        !(await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5000) }).then(
          ({ ok }) => ok,
          () => false,
        ))
      )
        await new Promise((done) => setTimeout(done, 100));
    },
    async sweep() {
      await (await fetch(`${url}/cdn-cgi/local/scheduled`)).text();
    },
    async end() {
      await kill();
      rmSync(state, { recursive: true, force: true });
    },
  };
}
