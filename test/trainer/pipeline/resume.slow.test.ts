// kill -9 at random moments: what is on disk is always enough to end in the bytes of an undisturbed run, and never half a file.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-kill-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...argv: string[]) => spawnSync(process.execPath, [MAIN, ...argv], { cwd: folder, encoding: "utf8" });

/** Trains undisturbed, and again with `kills` kills, each between `from` and `from + span` ms after the start; then both artifacts. */
async function killAtRandom(data: string, options: readonly string[], kills: number, from: number, span: number) {
  const train = (out: string) => ["train", data, ...options, "--out", out];
  const { status, stderr } = run(...train("whole.safetensors"));
  expect(status, stderr).toBe(0);
  rmSync(join(folder, "cut.safetensors"), { force: true });
  let killed = 0;
  for (let attempt = 0; ; attempt++) {
    const argv = [MAIN, ...train("cut.safetensors"), "--resume", "--threads", String(1 + (attempt % 3))];
    const child = spawn(process.execPath, argv, { cwd: folder });
    const ended = new Promise<number | null>((done) => child.once("exit", done));
    const timer = killed < kills ? setTimeout(() => child.kill("SIGKILL"), from + span * Math.random()) : undefined;
    const code = await ended;
    clearTimeout(timer);
    if (code === 0) break;
    expect(code).toBe(null);
    expect(existsSync(join(folder, "cut.safetensors"))).toBe(false);
    killed++;
  }
  expect(killed).toBeGreaterThan(0);
  expect(readFileSync(join(folder, "cut.safetensors")).equals(readFileSync(join(folder, "whole.safetensors")))).toBe(true);
  expect(existsSync(join(folder, "cut.safetensors.checkpoint"))).toBe(false);
}

test("one LSTM alone: 6 kills at random moments, threads changing, change no byte", async () => {
  run("sample", "fx", "--n", "20000", "--seed", "7", "--out", ".");
  await killAtRandom("fx.npz", ["--learner", "lstm", "--split-version", "1"], 6, 4000, 2500); // beyond one checkpoint each
});

test("a stack: 6 kills at random moments, threads changing, change no byte", async () => {
  run("sample", "fx", "--n", "6000", "--seed", "7", "--out", ".");
  await killAtRandom("fx.npz", [], 6, 2000, 8000);
});

test("a stack with nested cross-validation: 6 kills at random moments, threads changing, change no byte", async () => {
  run("sample", "fx", "--n", "900", "--seed", "7", "--out", ".");
  await killAtRandom("fx.npz", [], 6, 2000, 6000);
});

test("a network of layers: 6 kills at random moments, threads changing, change no byte", async () => {
  run("sample", "fx", "--n", "6000", "--seed", "7", "--out", ".");
  const layers = ["--layers", "bilstm:24,dropout:0.2,gru:16,batchnorm,dense:8:relu", "--learner", "layers", "--split-version", "1"];
  await killAtRandom("fx.npz", [...layers, "--recipe", "raw", "--epochs", "6", "--batch", "500"], 6, 5000, 4000);
});
