// Artifacts of the first format, as they were written before members: read with the same bits, and refused with a sentence.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeArtifact, encodeArtifact, readFormat } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { checkGolden } from "../../../shared/model.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel, networkOf, withNetwork } from "../../fixtures/model.ts";

/** Written by quickstep 0.1.0: seven units; three units, hard gates, backwards, from a state; what was trained on the S&P sample. */
const FILES = ["plain", "variant", "sp500"];
const read = (name: string): Uint8Array => readFileSync(new URL(`../../fixtures/format-1/${name}.safetensors`, import.meta.url));
const { log } = instantiateKernel(kernel);

test.each(FILES)("%s.safetensors scores its golden vectors bit for bit, as it is and written again in the newer format", (name) => {
  const model = decodeArtifact(read(name));
  const again = encodeArtifact(model);
  expect([readFormat(read(name)), readFormat(again)]).toEqual(["quickstep/1", "quickstep/2"]);
  for (const each of [model, decodeArtifact(again)]) expect(() => checkGolden(each, createWasmEngine(kernel, each), log)).not.toThrow();
  expect(decodeArtifact(again)).toEqual(model);
});

test("what is read is the model that was written", () => {
  expect(decodeArtifact(read("plain"))).toEqual(makeModel(kernel, { name: "plain", units: 7 }));
  const { initial, hardGates, backwards } = networkOf(decodeArtifact(read("variant")));
  const state = { hidden: Float32Array.of(0.5, -0.25, 1), cell: Float32Array.of(-1, 0.5, 0.125) };
  expect({ initial, hardGates, backwards }).toEqual({ initial: state, hardGates: 1 / 6, backwards: true });
  const plain = withNetwork(makeModel(kernel, { name: "variant", units: 3, padding: "any" }), {});
  expect(networkOf(decodeArtifact(read("variant"))).kernel).toEqual(networkOf(plain).kernel);
});

/** The file with the text `from` in its header replaced by `to` of the same length. */
function edit(from: string, to: string): Uint8Array {
  const bytes = Uint8Array.from(read("plain"));
  const at = Buffer.from(bytes).indexOf(from);
  expect(at).toBeGreaterThan(0);
  bytes.set(new TextEncoder().encode(to.padEnd(from.length)), at);
  return bytes;
}

test.each([
  ['"lstm.bias"', '"lstm.bios"', "lstm.bias is missing, expected an object"],
  ["[28]", "[29]", "lstm.bias has shape [29], expected [4·units] with 1 to 4096 units"],
  ["[28]", "[0]", "lstm.bias has shape [0], expected [4·units] with 1 to 4096 units"],
  ['"head.kernel"', '"head.colone"', "head.kernel is missing, expected an object"],
  ["[7,28]", "[7,29]", "lstm.recurrent has shape [7,29], expected [7,28]"],
])("rejects one whose header says %s → %s", (from, to, sentence) => {
  expect(() => decodeArtifact(edit(from, to))).toThrow(`artifact ${sentence}`);
});

test("a flipped bit is found", () => {
  const bytes = Uint8Array.from(read("plain"));
  bytes[bytes.length - 1] ^= 1;
  expect(() => decodeArtifact(bytes)).toThrow("the file is damaged");
});
