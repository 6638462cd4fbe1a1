// Runs in Node before the tests: hands the kernel's bits as Node computes them to the tests in workerd.
import type { TestProject } from "vitest/node";
import { createWasmEngine, instantiateKernel } from "../shared/engine.ts";
import { type Model, score } from "../shared/model.ts";
import { kernel } from "./fixtures/kernel.ts";
import { LAYER_CASES, layersModel, PARITY_CASES, parityModel, paritySequences, STACK_CASES, stackSequences } from "./fixtures/parity.ts";
import { makeStack } from "./fixtures/stack.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Float32 bits of each case's probabilities, scored in Node. */
    parityBits: number[][];
    /** The same of stacks of members. */
    stackBits: number[][];
    /** The same of networks of layers. */
    layersBits: number[][];
  }
}

const { log } = instantiateKernel(kernel);

function bitsOf(model: Model, values: Float64Array): number[] {
  return Array.from(new Uint32Array(score(model, createWasmEngine(kernel, model), log, values).probabilities.buffer));
}

export default function setup(project: TestProject): void {
  project.provide(
    "parityBits",
    PARITY_CASES.map((testCase) => bitsOf(parityModel(kernel, testCase), paritySequences(testCase))),
  );
  project.provide(
    "stackBits",
    STACK_CASES.map((testCase) => bitsOf(makeStack(kernel, testCase), stackSequences(testCase))),
  );
  project.provide(
    "layersBits",
    LAYER_CASES.map((testCase) => bitsOf(layersModel(kernel, testCase), stackSequences({}))),
  );
}
