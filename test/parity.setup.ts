// Runs in Node before the tests: hands the kernel's bits as Node computes them to the tests in workerd.
import type { TestProject } from "vitest/node";
import { createWasmEngine, instantiateKernel } from "../shared/engine.ts";
import { score } from "../shared/model.ts";
import { kernel } from "./fixtures/kernel.ts";
import { PARITY_CASES, parityModel, paritySequences } from "./fixtures/parity.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Float32 bits of each case's probabilities, scored in Node. */
    parityBits: number[][];
  }
}

export default function setup(project: TestProject): void {
  const bits = PARITY_CASES.map((testCase) => {
    const model = parityModel(kernel, testCase);
    const { probabilities } = score(model, createWasmEngine(kernel, model), instantiateKernel(kernel).log, paritySequences(testCase));
    return Array.from(new Uint32Array(probabilities.buffer));
  });
  project.provide("parityBits", bits);
}
