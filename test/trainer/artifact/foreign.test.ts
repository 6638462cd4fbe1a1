// A model of another program where an artifact is expected: said by its kind, with the way to make an artifact of it.
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadModel } from "../../../trainer/artifact/artifact-file.ts";
import { engines } from "../../fixtures/import/importing.ts";

const at = (name: string): string => fileURLToPath(new URL(`../../fixtures/import/${name}`, import.meta.url));

test.each([
  ["good/torch-state-9.onnx", "is an ONNX model"],
  ["good/lstm100.h5", "is an HDF5 file, as Keras saves models"],
  ["good/normalization.keras", "is a zip archive, as Keras and PyTorch save models"],
  ["bad/model.pt", "is a zip archive, as Keras and PyTorch save models"],
  ["bad/legacy.pt", "is a pickle, as PyTorch saves models"],
  ["good/torch.safetensors", "is a safetensors file of another program"],
])("%s %s", (name, kind) => {
  expect(() => loadModel(at(name), engines)).toThrow(`${name}: ${kind}, not an artifact: make one with quickstep import`);
});
