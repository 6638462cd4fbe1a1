// Composition root: chooses the artifact and the engine, opens them before the first request, and serves the app.
import { env } from "cloudflare:workers";
import command from "../generated/wrangler-command.js";
import { createWasmEngine, instantiateKernel } from "../shared/engine.ts";
import inference from "../shared/kernel/inference.wasm";
import artifact from "./model.safetensors";
import { measured, openModel } from "./models/servable-model.ts";
import { openWorker } from "./worker-env.ts";

const kernel = instantiateKernel(inference);
const open = (bytes: Uint8Array<ArrayBuffer>) => openModel(bytes, kernel.log, (model) => createWasmEngine(inference, model), kernel);
const bundled = new Uint8Array(artifact);
const servable = open(bundled);
const openMeasured = (bytes: Uint8Array<ArrayBuffer>) => measured(open(bytes), bytes);

const { Stream, Directory, Breaker, Metrics, Drift, Outcomes, handlers } = openWorker(
  env,
  servable,
  command,
  kernel,
  openMeasured,
  bundled,
);

export { Breaker, Directory, Drift, handlers as default, Metrics, Outcomes, Stream };
