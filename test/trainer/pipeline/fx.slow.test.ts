// The case this project was started for: the plain script sits at the base rate, the recipe learns.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-fx-"));

function quickstep(...argv: string[]): { test: { auc: number; logLoss: number; baseRateLogLoss: number } } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...argv, "--json"], { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

beforeAll(() => void quickstep("sample", "fx", "--n", "20000", "--seed", "11", "--out", "."));
afterAll(() => rmSync(folder, { recursive: true }));

test("raw numbers, RMSprop 1e-3, no masking: the loss stays at the base rate, AUC below 0.6", () => {
  const { auc, logLoss, baseRateLogLoss } = quickstep("train", "fx.npz", "--recipe", "raw", "--out", "raw.safetensors").test;
  expect(auc).toBeLessThan(0.6);
  expect(logLoss).toBeGreaterThan(baseRateLogLoss - 0.01);
});

test("the recipe's channels: AUC well above 0.75", () => {
  expect(quickstep("train", "fx.npz", "--out", "auto.safetensors").test.auc).toBeGreaterThan(0.8);
});
