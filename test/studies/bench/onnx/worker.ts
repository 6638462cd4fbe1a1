// The least Worker around onnxruntime-web for the same model, to measure against: the same JSON, parser and recipe, no routes,
// keys or headers. workerd compiles no bytes: the runtime's wasm is imported as a module, and instantiate is handed that module while
// the session is created.
import runtime from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import * as ort from "onnxruntime-web/wasm";
import { decodeArtifact } from "../../../../shared/artifact/artifact.ts";
import { instantiateKernel } from "../../../../shared/engine.ts";
import inference from "../../../../shared/kernel/inference.wasm";
import { applyRecipe } from "../../../../shared/recipe/apply.ts";
import { shapeOf } from "../../../../shared/recipe/recipe.ts";
import { parseSequences } from "../../../../shared/sequence.ts";
import onnx from "./model.onnx";
import artifact from "./model.safetensors";

const { recipe, name } = decodeArtifact(new Uint8Array(artifact));
const { log } = instantiateKernel(inference);
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmBinary = new ArrayBuffer(8);
const { instantiate } = WebAssembly;
WebAssembly.instantiate = (async (_: BufferSource, imports: WebAssembly.Imports) => ({
  module: runtime,
  instance: await instantiate(runtime, imports),
})) as unknown as typeof instantiate;
const session = await ort.InferenceSession.create(new Uint8Array(onnx), { executionProviders: ["wasm"] });
WebAssembly.instantiate = instantiate;

export default {
  async fetch(request: Request): Promise<Response> {
    const { sequence, sequences = [sequence] } = JSON.parse(await request.text());
    const values = parseSequences(sequences, ["sequences"], shapeOf(recipe), 1000);
    const { channels, lengths } = applyRecipe(recipe, values, log);
    const { probability } = await session.run({
      channels: new ort.Tensor("float32", channels, [lengths.length, recipe.timesteps, recipe.channels.length]),
      lengths: new ort.Tensor("int32", lengths, [lengths.length]),
    });
    const results = Array.from(probability.data as Float32Array, (p) => ({ probability: p, label: p >= 0.5 ? 1 : 0 }));
    return Response.json({ model: name, operatingPoint: "default", results });
  },
};
