// Composition root: chooses the artifact and the engine, opens them before the first request, and serves the app.
import { env } from "cloudflare:workers";
import { createWasmEngine, instantiateKernel } from "../shared/engine.ts";
import inference from "../shared/kernel/inference.wasm";
import artifact from "./model.safetensors";
import { openDeployment } from "./models/servable-model.ts";
import page from "./page/page.html";
import { partsOf } from "./worker-parts.ts";

const deployment = openDeployment(new Uint8Array(artifact), instantiateKernel(inference).log, ({ network, calibration }) =>
  createWasmEngine(inference, network, calibration),
);

const { Stream, Directory, handlers } = partsOf(env, page, deployment);

export { Directory, handlers as default, Stream };
