// Ctrl-C before there is anything to keep: one sentence, exit code 130, no file.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-interrupt-"));
const N = 3000;

beforeAll(async () => {
  const { values, labels } = generateFx(N, 3);
  writeFileSync(join(folder, "fx.npz"), await encodeNpz({ X: { data: values, shape: [N, 10, 5] }, y: { data: labels, shape: [N] } }));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts a command and presses Ctrl-C once it has said `stage`. */
async function interruptAt(stage: string, ...argv: string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [MAIN, ...argv], { cwd: folder });
  let said = "";
  child.stderr.on("data", (chunk) => {
    const isNew = !said.includes(stage);
    said += chunk;
    if (isNew && said.includes(stage)) child.kill("SIGINT");
  });
  const code = await new Promise<number | null>((done) => child.once("exit", done));
  return { code, said };
}

test.each([
  ["train, in the search", "feature search: adding channels …", ["train", "fx.npz", "--out", "m.safetensors", "--report", "m.html"]],
  ["diagnose, in its experiments", "training experiments …", ["diagnose", "fx.npz", "--report", "why.html"]],
])("%s", async (_, stage, argv) => {
  const { code, said } = await interruptAt(stage, ...argv);
  expect(said).toMatch(/\nquickstep: interrupted: nothing to keep yet\n$/);
  expect(code).toBe(130);
  expect(readdirSync(folder)).toEqual(["fx.npz"]);
});

test("a checkpoint that --resume went on from is named: it is there still", async () => {
  writeFileSync(join(folder, "m.safetensors.checkpoint"), "");
  const alone = ["--learner", "lstm", "--split-version", "1"];
  const argv = ["train", "fx.npz", "--out", "m.safetensors", "--resume", ...alone];
  const { code, said } = await interruptAt("feature search: adding channels …", ...argv);
  expect(said).toMatch(/\nquickstep: interrupted; m\.safetensors\.checkpoint keeps the run: the same command with --resume goes on\n$/);
  expect(code).toBe(130);
  expect(existsSync(join(folder, "m.safetensors.checkpoint"))).toBe(true);
});
