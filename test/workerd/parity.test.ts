import { expect, inject, it } from "vitest";
import { createWasmEngine, instantiateKernel } from "../../shared/engine.ts";
import kernel from "../../shared/kernel/inference.wasm";
import { score } from "../../shared/model.ts";
import { PARITY_CASES, parityModel, paritySequences } from "../fixtures/parity.ts";

it.each(PARITY_CASES.map((testCase, i) => ({ ...testCase, i })))(
  "workerd computes the bits Node computed, recipe and kernel: $units units, padding $padding",
  ({ i, ...testCase }) => {
    const model = parityModel(kernel, testCase);
    const engine = createWasmEngine(kernel, model);
    const { probabilities } = score(model, engine, instantiateKernel(kernel).log, paritySequences(testCase));
    expect(Array.from(new Uint32Array(probabilities.buffer))).toEqual(inject("parityBits")[i]);
  },
);
