// `wrangler dev` with a configuration of its own: wrangler.toml and some tables. Nothing of it outlives this process, whatever ends that.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, WRANGLER } from "./bench/workerd.ts";
import { killGroup, ROOT, spawnWranglerDev, untilReady, WRANGLER_ENV } from "./wrangler-dev.ts";

export interface ConfiguredDev {
  readonly port: number;
  /** Where files for it may lie: the folder is removed with it. */
  readonly folder: string;
  /** Another of wrangler's commands, on the same configuration and the same local storage. Whether it ended well within `timeoutMs`. */
  run(words: readonly string[], timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** `tables`: TOML that joins the top level of wrangler.toml. Throws where wrangler does not start. */
export async function openConfiguredDev(tables: string, texts: Readonly<Record<string, string>>): Promise<ConfiguredDev> {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-wrangler-"));
  const port = await freePort();
  const config = join(ROOT, `wrangler.test-${port}.toml`); // beside wrangler.toml, since its paths are relative
  const toml = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  writeFileSync(config, toml.replace("\n[env.onnx]\n", `\n${tables}\n[env.onnx]\n`));
  const child = spawnWranglerDev({ port, state: folder, texts, options: ["--config", config, "--env="], stderr: "inherit" });
  const close = cleanUpAtExit(child, [folder, config]);
  try {
    await untilReady(port, child);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port,
    folder,
    async run(words, timeoutMs) {
      const args = [WRANGLER, ...words, "--config", config, "--persist-to", folder];
      const other = spawn(process.execPath, args, { cwd: ROOT, env: WRANGLER_ENV, stdio: "ignore", timeout: timeoutMs });
      const [status] = await once(other, "exit"); // not spawnSync: this process may send a load
      return status === 0;
    },
    close,
  };
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
