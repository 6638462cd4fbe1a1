// kill -9 at random moments: what is on disk is always enough to end in the bytes of an undisturbed run.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-kill-"));
afterAll(() => rmSync(folder, { recursive: true }));

const KILLS = 6;

test(`${KILLS} kills at random moments, threads changing, change no byte`, async () => {
  const run = (...argv: string[]) => spawnSync(process.execPath, [MAIN, ...argv], { cwd: folder, encoding: "utf8" });
  run("sample", "fx", "--n", "20000", "--seed", "7", "--out", ".");
  const train = (out: string) => ["train", "fx.npz", "--learner", "lstm", "--split-version", "1", "--out", out];
  const { status, stderr } = run(...train("whole.safetensors"));
  expect(status, stderr).toBe(0);
  let kills = 0;
  for (let attempt = 0; ; attempt++) {
    const child = spawn(process.execPath, [MAIN, ...train("cut.safetensors"), "--resume", "--threads", String(1 + (attempt % 3))], {
      cwd: folder,
    });
    const ended = new Promise<number | null>((done) => child.once("exit", done));
    const wait = 4000 + 2500 * Math.random(); // beyond one checkpoint, so that every attempt gets further
    const timer = kills < KILLS ? setTimeout(() => child.kill("SIGKILL"), wait) : undefined;
    const code = await ended;
    clearTimeout(timer);
    if (code === 0) break;
    expect(code).toBe(null);
    kills++;
  }
  expect(kills).toBeGreaterThan(0);
  expect(readFileSync(join(folder, "cut.safetensors")).equals(readFileSync(join(folder, "whole.safetensors")))).toBe(true);
});
