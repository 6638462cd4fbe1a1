// Composition root: chooses the artifact and the engine, opens them before the first request, and serves the app.
import { env } from "cloudflare:workers";
import { createWasmEngine, instantiateKernel } from "../shared/engine.ts";
import inference from "../shared/kernel/inference.wasm";
import { createApp } from "./app.ts";
import { openDeployment } from "./deployment.ts";
import artifact from "./model.safetensors";
import page from "./page/page.html";
import { surroundingsOf } from "./worker-surroundings.ts";

const deployment = openDeployment(new Uint8Array(artifact), instantiateKernel(inference).log, ({ network, calibration }) =>
  createWasmEngine(inference, network, calibration),
);
if ("unready" in deployment) console.error(deployment.unready);

export default createApp(deployment, surroundingsOf(env, page));
