// calibrate keeps the operating point of the costs that training was given, or takes new ones.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-calibrate-"));
const N = 400;

function quickstep(...argv: string[]): { stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...argv], { cwd: folder, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return { stdout, stderr };
}

interface Point {
  readonly name: string;
  readonly threshold: number;
  readonly figures: { readonly cost?: { readonly value: number } };
}

const pointOf = (stdout: string): Point | undefined => JSON.parse(stdout).operatingPoints.find(({ name }: Point) => name === "lowest-cost");

beforeAll(async () => {
  const { values, labels } = generateFx(N, 3);
  writeFileSync(join(folder, "fx.npz"), await encodeNpz({ X: { data: values, shape: [N, 10, 5] }, y: { data: labels, shape: [N] } }));
  const train = ["train", "fx.npz", "--recipe", "raw", "--units", "2", "--epochs", "1"];
  quickstep(...train, "--out", "plain.safetensors");
  quickstep(...train, "--out", "costs.safetensors", "--costs", "2:7");
});
afterAll(() => rmSync(folder, { recursive: true }));

const calibrate = (artifact: string, ...more: string[]) =>
  quickstep("calibrate", artifact, "fx.npz", "--out", "out.safetensors", "--json", ...more);

test("lowest-cost stays where no costs are given, to the bit, and its costs are said", () => {
  const { stdout, stderr } = calibrate("costs.safetensors");
  expect(pointOf(stdout)?.threshold).toBe(2 / 9);
  expect(pointOf(stdout)?.figures.cost?.value).toBeGreaterThan(0);
  expect(stderr).toContain("lowest-cost stays: a false 1 costs 0.2222 and a false 0 0.7778 of their sum");
  expect(stderr).toMatch(/^lowest-cost +0\.2222 /m);
});

test("--costs replaces it, or makes it", () => {
  for (const artifact of ["costs.safetensors", "plain.safetensors"]) {
    const { stdout, stderr } = calibrate(artifact, "--costs", "1:5");
    expect(pointOf(stdout)?.threshold).toBe(1 / 6);
    expect(stderr).not.toContain("lowest-cost stays");
  }
});

test("without costs in either place there is none", () => {
  expect(pointOf(calibrate("plain.safetensors").stdout)).toBeUndefined();
});
