// A browser computes the bits that Node computed: view, members and stack, in real Chromium.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { createWasmEngine, instantiateKernel } from "../../shared/engine.ts";
import { score } from "../../shared/model.ts";
import { kernel } from "../fixtures/kernel.ts";
import { PARITY_CASES, parityModel, paritySequences, STACK_CASES, stackSequences } from "../fixtures/parity.ts";
import { makeStack } from "../fixtures/stack.ts";
import { isHere, launch } from "./chromium.ts";

/** Sets `computeBits` in the page, a function of the kernel's bytes as base64. */
const ENTRY = `
  import { createWasmEngine, instantiateKernel } from "./shared/engine.ts";
  import { score } from "./shared/model.ts";
  import { PARITY_CASES, parityModel, paritySequences, STACK_CASES, stackSequences } from "./test/fixtures/parity.ts";
  import { makeStack } from "./test/fixtures/stack.ts";
  window.computeBits = async (base64) => {
    const kernel = await WebAssembly.compile(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
    const { log } = instantiateKernel(kernel);
    const bitsOf = (model, values) =>
      Array.from(new Uint32Array(score(model, createWasmEngine(kernel, model), log, values).probabilities.buffer));
    return [
      ...PARITY_CASES.map((testCase) => bitsOf(parityModel(kernel, testCase), paritySequences(testCase))),
      ...STACK_CASES.map((testCase) => bitsOf(makeStack(kernel, testCase), stackSequences(testCase))),
    ];
  };`;

test.skipIf(!isHere)("Chromium computes the bits Node computed", async () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir: root, loader: "ts" },
    bundle: true,
    format: "iife",
    write: false,
  });
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ content: outputFiles[0].text });
    const base64 = readFileSync(new URL("../../shared/kernel/inference.wasm", import.meta.url)).toString("base64");
    const bits = await page.evaluate(`window.computeBits(${JSON.stringify(base64)})`);
    const { log } = instantiateKernel(kernel);
    const bitsOf = (...[model, values]: [Parameters<typeof createWasmEngine>[1] & Parameters<typeof score>[0], Float64Array]): number[] =>
      Array.from(new Uint32Array(score(model, createWasmEngine(kernel, model), log, values).probabilities.buffer));
    expect(bits).toEqual([
      ...PARITY_CASES.map((testCase) => bitsOf(parityModel(kernel, testCase), paritySequences(testCase))),
      ...STACK_CASES.map((testCase) => bitsOf(makeStack(kernel, testCase), stackSequences(testCase))),
    ]);
  } finally {
    await browser.close();
  }
});
