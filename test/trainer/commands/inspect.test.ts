// What inspect says of an artifact of several members.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import type { Predictor } from "../../../shared/members.ts";
import { inspectCommand } from "../../../trainer/commands/inspect.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeStack } from "../../fixtures/stack.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-inspect-"));
afterAll(() => rmSync(folder, { recursive: true }));
const stack = makeStack(kernel, { name: "stacked", trees: 20, leaves: 1 });
const artifact = join(folder, "stacked.safetensors");
writeFileSync(artifact, encodeArtifact(stack));

const engines = {
  module: kernel,
  kernel: instantiateKernel(kernel),
  createEngine: (predictor: Predictor) => createWasmEngine(kernel, predictor),
};

async function inspect(json: boolean): Promise<string> {
  const printed: string[] = [];
  const dependencies = { loadEngines: () => engines, terminal: { print: (text: string) => printed.push(text) } };
  await inspectCommand.run({ files: [artifact], json } as never, dependencies as never);
  return printed.join("\n");
}

test("the lines say which members speak, how much, and on what", async () => {
  const text = await inspect(false);
  const [V, W] = [stack.view!.keep!.length, Math.ceil(stack.view!.keep!.length / 3)];
  expect(text).toContain(
    `members    0.50 lstm (2 × LSTM(8)), 0.33 linear (${W} columns), 0.25 trees (20 trees, 20 leaves); calibration slope`,
  );
  expect(text).toContain(`view       ${V} columns beside the channels`);
  expect(text).toContain("quickstep/2");
});

test("the card's learners are named, with what each is worth and what the stack leans on", async () => {
  const learners = [
    { name: "lstm", logLoss: 0.41, weight: 0.5 },
    { name: "linear", logLoss: 0.43, weight: 1 / 3 },
    { name: "trees", logLoss: 0.44, weight: 0 },
    { name: "quantile trees", logLoss: 0.4, weight: 0.25 },
  ];
  const effects = ["e", "a", "d", "c"].map((name, i) => ({ name, rise: 0.04 - 0.01 * i, halfWidth: 0.001 }));
  const influence = { sequences: 500, repeats: 1, features: effects, channels: effects.slice(1), steps: [], dependence: [] };
  const gate = { gain: 0.02, standardError: 0.004, asked: 1, joins: true };
  const card = { ...stack.card, stack: { folds: 5, learners, logLoss: 0.39, gate }, influence };
  writeFileSync(artifact, encodeArtifact({ ...stack, card }));
  const text = await inspect(false);
  expect(text).toContain("0.25 quantile trees (20 trees, 20 leaves)");
  expect(text).toContain("learners   out-of-fold log loss: lstm .410, linear .430, trees .440, quantile trees .400 → stack .390 (");
  expect(text).toContain(
    "           the lstm joins: beside the others it gains 0.0200 ± 0.0040 out of folds; to join it needs a gain above one standard error there, and any gain on the fold that the feature search did not see",
  );
  expect(text).toContain("leans on   features e 0.0400, a 0.0300, d 0.0200; channels a 0.0300, d 0.0200, c 0.0100 (rise of the log loss");
  expect(text).toMatch(/trained {4}on .*, \d+ train in 5 folds, \d+ test, split by/);
  expect(text).not.toContain("validation,");
  writeFileSync(artifact, encodeArtifact(stack));
});

test("the document has the members in numbers, and names the columns", async () => {
  const document = JSON.parse(await inspect(true));
  expect(document.members).toEqual([
    { kind: "lstm", weight: 0.5, networks: 2, units: 8 },
    { kind: "linear", weight: 1 / 3, columns: Math.ceil(stack.view!.keep!.length / 3) },
    { kind: "trees", weight: 0.25, trees: 20, leaves: 20 },
  ]);
  expect(document.columns).toHaveLength(stack.view!.keep!.length);
  expect(document.columns[0]).toBe("number of rows");
});
