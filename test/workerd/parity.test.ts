import { expect, inject, it } from "vitest";
import { createWasmEngine, instantiateKernel } from "../../shared/engine.ts";
import kernel from "../../shared/kernel/inference.wasm";
import { score } from "../../shared/model.ts";
import { LAYER_CASES, layersModel, PARITY_CASES, parityModel, paritySequences, STACK_CASES, stackSequences } from "../fixtures/parity.ts";
import { makeStack } from "../fixtures/stack.ts";

it.each(PARITY_CASES.map((testCase, i) => ({ ...testCase, i })))(
  "workerd computes the bits Node computed, recipe and kernel: $units units, padding $padding",
  ({ i, ...testCase }) => {
    const model = parityModel(kernel, testCase);
    const engine = createWasmEngine(kernel, model);
    const { probabilities } = score(model, engine, instantiateKernel(kernel).log, paritySequences(testCase));
    expect(Array.from(new Uint32Array(probabilities.buffer))).toEqual(inject("parityBits")[i]);
  },
);

it.each(LAYER_CASES.map((testCase, i) => ({ testCase, i, name: testCase.name })))(
  "workerd computes the bits Node computed, a network of layers: $name",
  ({ testCase, i }) => {
    const model = layersModel(kernel, testCase);
    const { probabilities } = score(model, createWasmEngine(kernel, model), instantiateKernel(kernel).log, stackSequences({}));
    expect(Array.from(new Uint32Array(probabilities.buffer))).toEqual(inject("layersBits")[i]);
    expect(new Set(probabilities).size).toBeGreaterThan(100);
  },
);

it.each(STACK_CASES.map((testCase, i) => ({ testCase, i, kinds: testCase.kinds!.join(", ") })))(
  "workerd computes the bits Node computed, view, members and stack: $kinds",
  ({ testCase, i }) => {
    const model = makeStack(kernel, testCase);
    const engine = createWasmEngine(kernel, model);
    const { probabilities } = score(model, engine, instantiateKernel(kernel).log, stackSequences(testCase));
    expect(Array.from(new Uint32Array(probabilities.buffer))).toEqual(inject("stackBits")[i]);
    expect(new Set(probabilities).size).toBeGreaterThan(100);
  },
);
