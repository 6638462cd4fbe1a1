// Composition root: chooses the artifact and the engine, opens them before the first request, and serves the app.
import { env } from "cloudflare:workers";
import command from "../generated/wrangler-command.js";
import { createWasmEngine, instantiateKernel } from "../shared/engine.ts";
import inference from "../shared/kernel/inference.wasm";
import artifact from "./model.safetensors";
import { openModel } from "./models/servable-model.ts";
import { openWorker } from "./worker-env.ts";

const servable = openModel(new Uint8Array(artifact), instantiateKernel(inference).log, (model) => createWasmEngine(inference, model));

const { Stream, Directory, Breaker, handlers } = openWorker(env, servable, command);

export { Breaker, Directory, handlers as default, Stream };
