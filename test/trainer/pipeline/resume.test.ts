// Runs that are cut off and taken up again end in the bytes of a run that was not.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../../trainer/training/checkpoint.ts";
import type { FitState } from "../../../trainer/training/loop.ts";
import { LINEAR, makeData } from "../../fixtures/stack-runs.ts";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-resume-"));
const at = (name: string): string => join(folder, name);

function start(
  out: string,
  more: readonly string[] = [],
  options: readonly string[] = ["--recipe", "raw", "--batch", "100", "--units", "24", "--epochs", "12"],
  data = "fx.npz",
): { child: ChildProcess; ended: Promise<{ code: number | null; said: string }>; saying: (text: string) => Promise<void> } {
  const child = spawn(process.execPath, [MAIN, "train", at(data), "--out", at(out), ...options, ...more], { cwd: folder });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const ended = new Promise<{ code: number | null; said: string }>((done) => child.once("exit", (code) => done({ code, said })));
  const saying = async (text: string): Promise<void> => {
    while (!said.includes(text) && child.exitCode === null) await new Promise((done) => setTimeout(done, 5));
  };
  return { child, ended, saying };
}

beforeAll(async () => {
  const { values, labels } = generateFx(4000, 5);
  writeFileSync(at("fx.npz"), await encodeNpz({ X: { data: values, shape: [4000, 10, 5] }, y: { data: labels, shape: [4000] } }));
  const few = makeData({ N: 2000, T: 2, F: 2 }, LINEAR);
  writeFileSync(at("few.npz"), await encodeNpz({ X: { data: few.values, shape: [2000, 2, 2] }, y: { data: few.labels, shape: [2000] } }));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("--resume", () => {
  it("goes on after Ctrl-C, also with another number of threads, to the same bytes", { timeout: 60_000 }, async () => {
    expect((await start("whole.safetensors").ended).code).toBe(0);
    const cut = start("cut.safetensors", ["--threads", "2"]);
    await cut.saying("epoch   2/");
    cut.child.kill("SIGINT");
    const { code, said } = await cut.ended;
    expect(code).toBe(130);
    expect(said).toContain("--resume goes on");
    expect([existsSync(at("cut.safetensors")), existsSync(at("cut.safetensors.checkpoint"))]).toEqual([false, true]);
    const again = await start("cut.safetensors", ["--resume", "--threads", "1"]).ended;
    expect(again.code).toBe(0);
    expect(again.said).not.toContain("epoch   1/");
    expect(readFileSync(at("cut.safetensors")).equals(readFileSync(at("whole.safetensors")))).toBe(true);
    expect(existsSync(at("cut.safetensors.checkpoint"))).toBe(false);
  });

  it("refuses a checkpoint of other options, and a damaged one, in a sentence", { timeout: 60_000 }, async () => {
    const cut = start("other.safetensors");
    await cut.saying("epoch   1/");
    cut.child.kill("SIGINT");
    await cut.ended;
    const kept = readFileSync(at("other.safetensors.checkpoint"));
    const other = await start("other.safetensors", ["--resume", "--seed", "9"]).ended;
    expect(other.code).toBe(2);
    expect(other.said).toContain("belongs to another run (seed: 1, here 9): give the data and options it had, or train without --resume");
    const stack = await start("other.safetensors", ["--resume"], []).ended;
    expect(stack.code).toBe(2);
    expect(stack.said).toContain("belongs to another run, of one network alone, and this one is of a stack");
    writeFileSync(at("other.safetensors.checkpoint"), kept.subarray(0, kept.length - 1));
    const damaged = await start("other.safetensors", ["--resume"]).ended;
    expect(damaged.code).toBe(2);
    expect(damaged.said).toContain("is not a checkpoint, or is damaged");
  });
});

test("a stack goes on after Ctrl-C, on other threads, to the same bytes; what belongs to another run is refused by what differs", {
  timeout: 120_000,
}, async () => {
  const STACK = ["--learner", "trees"];
  const train = (out: string, more: readonly string[] = [], options = STACK) => start(out, more, options, "few.npz");
  const whole = await train("whole-stack.safetensors").ended;
  expect(whole.code, whole.said).toBe(0);
  const cut = train("stack.safetensors", ["--threads", "2"]);
  await cut.saying("learning on folds …");
  await new Promise((done) => setTimeout(done, 200));
  cut.child.kill("SIGINT");
  const { code, said } = await cut.ended;
  expect(code).toBe(130);
  expect(said).toContain("--resume goes on");
  expect([existsSync(at("stack.safetensors")), existsSync(at("stack.safetensors.checkpoint"))]).toEqual([false, true]);

  const refused = async (more: readonly string[], options = STACK): Promise<string> => {
    const other = await train("stack.safetensors", ["--resume", ...more], options).ended;
    expect(other.code, other.said).toBe(2);
    return other.said;
  };
  expect(await refused(["--seed", "9"])).toContain("belongs to another run (seed: 1, here 9)");
  expect(await refused([], ["--learner", "linear"])).toContain("belongs to another run (learner: trees, here linear)");
  expect(await refused(["--test", at("few.npz")])).toMatch(/belongs to another run \(data: [0-9a-f]{12}…, here [0-9a-f]{12}…\)/);
  expect(await refused([], ["--recipe", "raw"])).toContain("of a stack, and this one is of one network alone");
  const kept = readFileSync(at("stack.safetensors.checkpoint"));
  writeFileSync(at("stack.safetensors.checkpoint"), kept.subarray(0, kept.length - 1));
  expect(await refused([])).toContain("is not a checkpoint, or is damaged");
  writeFileSync(at("stack.safetensors.checkpoint"), kept);

  const again = await train("stack.safetensors", ["--resume", "--threads", "1"]).ended;
  expect(again.code, again.said).toBe(0);
  expect(again.said).not.toContain("feature search");
  const noted = (lines: string): string[] => lines.split("\n").filter((line) => /^(adds|levels|channels|learning from)/.test(line));
  expect(noted(again.said)).toEqual(noted(whole.said)); // what the search noted is said again
  expect(readFileSync(at("stack.safetensors")).equals(readFileSync(at("whole-stack.safetensors")))).toBe(true);
  expect(existsSync(at("stack.safetensors.checkpoint"))).toBe(false);
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
