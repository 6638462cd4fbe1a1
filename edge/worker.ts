// Composition root: chooses the artifact and the engine, opens them before the first request, and serves the app.
import { createWasmEngine, instantiateKernel } from "../shared/engine.ts";
import inference from "../shared/kernel/inference.wasm";
import { createApp } from "./app.ts";
import { openDeployment } from "./deployment.ts";
import artifact from "./model.safetensors";

const deployment = openDeployment(new Uint8Array(artifact), instantiateKernel(inference).log, ({ network, calibration }) =>
  createWasmEngine(inference, network, calibration),
);
if ("unready" in deployment) console.error(deployment.unready);

export default createApp(deployment, (error) => console.error(error));
