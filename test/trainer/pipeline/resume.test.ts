// Runs that are cut off and taken up again end in the bytes of a run that was not.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../../trainer/training/checkpoint.ts";
import type { FitState } from "../../../trainer/training/loop.ts";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-resume-"));
const at = (name: string): string => join(folder, name);

function start(
  out: string,
  ...more: string[]
): { child: ChildProcess; ended: Promise<{ code: number | null; said: string }>; epoch: (n: number) => Promise<void> } {
  const child = spawn(
    process.execPath,
    [MAIN, "train", at("fx.npz"), "--out", at(out), "--recipe", "raw", "--batch", "100", "--units", "24", "--epochs", "12", ...more],
    {
      cwd: folder,
    },
  );
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const ended = new Promise<{ code: number | null; said: string }>((done) => child.once("exit", (code) => done({ code, said })));
  const epoch = async (n: number): Promise<void> => {
    while (!said.includes(`epoch ${String(n).padStart(3)}/`) && child.exitCode === null) await new Promise((done) => setTimeout(done, 5));
  };
  return { child, ended, epoch };
}

beforeAll(async () => {
  const { values, labels } = generateFx(4000, 5);
  writeFileSync(at("fx.npz"), await encodeNpz({ X: { data: values, shape: [4000, 10, 5] }, y: { data: labels, shape: [4000] } }));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("--resume", () => {
  it("goes on after Ctrl-C, also with another number of threads, to the same bytes", { timeout: 60_000 }, async () => {
    expect((await start("whole.safetensors").ended).code).toBe(0);
    const cut = start("cut.safetensors", "--threads", "2");
    await cut.epoch(2);
    cut.child.kill("SIGINT");
    const { code, said } = await cut.ended;
    expect(code).toBe(130);
    expect(said).toContain("--resume goes on");
    expect([existsSync(at("cut.safetensors")), existsSync(at("cut.safetensors.checkpoint"))]).toEqual([false, true]);
    const again = await start("cut.safetensors", "--resume", "--threads", "1").ended;
    expect(again.code).toBe(0);
    expect(again.said).not.toContain("epoch   1/");
    expect(readFileSync(at("cut.safetensors")).equals(readFileSync(at("whole.safetensors")))).toBe(true);
    expect(existsSync(at("cut.safetensors.checkpoint"))).toBe(false);
  });

  it("refuses a checkpoint of other options, and a damaged one, in a sentence", { timeout: 60_000 }, async () => {
    const cut = start("other.safetensors");
    await cut.epoch(1);
    cut.child.kill("SIGINT");
    await cut.ended;
    const kept = readFileSync(at("other.safetensors.checkpoint"));
    const other = await start("other.safetensors", "--resume", "--seed", "9").ended;
    expect(other.code).toBe(2);
    expect(other.said).toContain("belongs to another run");
    writeFileSync(at("other.safetensors.checkpoint"), kept.subarray(0, kept.length - 1));
    const damaged = await start("other.safetensors", "--resume").ended;
    expect(damaged.code).toBe(2);
    expect(damaged.said).toContain("is not a checkpoint, or is damaged");
  });
});

describe("a checkpoint", () => {
  const state: FitState = {
    epoch: 3,
    seen: 640,
    lossSum: 0.1 + 0.2,
    learningRate: 1 / 3,
    validationLoss: 0.55,
    history: [{ trainLoss: 0.6, validationLoss: 0.5, learningRate: 1e-3 }],
    best: { loss: 0.5, epoch: 1, losses: Float32Array.of(0.1, 0.9) },
    kept: { loss: 0.51, epoch: 2, parameters: Float32Array.of(1, 2, 3) },
    parameters: Float32Array.of(0.1, -0, 1e-45),
    optimizer: { steps: 41, moments: Float32Array.of(5, 6, 7, 8, 9, 10) },
  };

  it("comes back bit for bit", () => {
    expect(decodeCheckpoint(encodeCheckpoint(state, "run"), "run", "file")).toEqual(state);
  });

  it("with any byte changed is refused", () => {
    const bytes = encodeCheckpoint(state, "run");
    for (let i = 0; i < bytes.length; i++) {
      const damaged = bytes.slice();
      damaged[i] ^= 0x10;
      expect(() => decodeCheckpoint(damaged, "run", "file")).toThrow("is not a checkpoint, or is damaged");
    }
  });
});
