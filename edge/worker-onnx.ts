// Composition root of `--env onnx`: the same app and routes on onnxruntime-web, around model.onnx.
import { env } from "cloudflare:workers";
import createRuntime from "onnxruntime-web/ort-wasm-simd-threaded.mjs";
import runtimeModule from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import command from "../generated/wrangler-command.js";
import { createWasmEngine, instantiateKernel } from "../shared/engine.ts";
import inference from "../shared/kernel/inference.wasm";
import { openRuntime, openSession } from "../shared/onnx/session.ts";
import onnx from "./model.onnx";
import artifact from "./model.safetensors";
import { openOnnxModel } from "./models/onnx-model.ts";
import { openWorker } from "./worker-env.ts";

const runtime = await openRuntime(createRuntime, runtimeModule);
const { log, exp } = instantiateKernel(inference);
const servable = openOnnxModel(
  new Uint8Array(onnx),
  new Uint8Array(artifact),
  (bytes) => openSession(runtime, bytes),
  { log, exp, createEngine: (predictor) => createWasmEngine(inference, predictor) },
  env.ONNX_OUTPUT,
);

const { Stream, Directory, Breaker, Metrics, Drift, Outcomes, handlers } = openWorker(env, servable, command, { log, exp });

export { Breaker, Directory, Drift, handlers as default, Metrics, Outcomes, Stream };
