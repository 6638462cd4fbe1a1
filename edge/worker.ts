// Composition root: chooses the artifact and the engine, opens them before the first request, and serves the app.
import { env } from "cloudflare:workers";
import { createWasmEngine, instantiateKernel } from "../shared/engine.ts";
import inference from "../shared/kernel/inference.wasm";
import { createApp } from "./app.ts";
import { openDeployment } from "./deployment.ts";
import artifact from "./model.safetensors";
import page from "./page/page.html";
import { directoryClass, streamClass } from "./worker-objects.ts";
import { storeOf, streamSurroundingsOf, surroundingsOf } from "./worker-surroundings.ts";

const deployment = openDeployment(new Uint8Array(artifact), instantiateKernel(inference).log, ({ network, calibration }) =>
  createWasmEngine(inference, network, calibration),
);
if ("unready" in deployment) console.error(deployment.unready);

const surroundings = surroundingsOf(env, page);
const streams = storeOf(env, deployment);
const app = createApp(deployment, { ...surroundings, streams });

export const Stream = streamClass(streamSurroundingsOf(env, deployment, surroundings.endpoints));
export const Directory = directoryClass();
export default {
  fetch: app.fetch,
  /** The sweep of wrangler.toml's cron. */
  async scheduled(): Promise<void> {
    const woken = await streams?.sweep();
    console.log(JSON.stringify({ event: "sweep", woken }));
  },
};
