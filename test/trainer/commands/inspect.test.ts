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
