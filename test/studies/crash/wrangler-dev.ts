// The Worker under `wrangler dev`, killed and started again on the same disk and port.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../bench/workerd.ts";
import { hasEnded, killGroup, spawnWranglerDev, untilReady } from "../wrangler-dev.ts";
import type { Receiver } from "./receiver.ts";
import { type Mortal, textsFor } from "./run.ts";

export async function openWranglerDev(receiver: Receiver): Promise<Mortal> {
  const state = mkdtempSync(join(tmpdir(), "quickstep-crash-"));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const texts = { AUTH: "open", ...textsFor(`http://127.0.0.1:${receiver.port}`) };
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (child === undefined || hasEnded(child)) return;
    const ended = once(child, "exit");
    killGroup(child);
    await ended;
  };
  return {
    url,
    kill,
    async start() {
      child = spawnWranglerDev({ port, state, texts, stderr: "ignore" });
      await untilReady(port, child);
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
