// What a scoring thread runs: its own engine of the model, on what the main thread sends.
import { parentPort, workerData } from "node:worker_threads";
import { decodeArtifact } from "../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../shared/engine.ts";
import { SequenceError } from "../../shared/errors.ts";
import { score } from "../../shared/model.ts";
import { freeNow } from "../readers/free-now.ts";
import type { ScoreAnswer, ScoreStart, ScoreTask } from "./score-threads.ts";

const { module, bytes } = workerData as ScoreStart;
const model = decodeArtifact(bytes);
const engine = createWasmEngine(module, model);
const { log } = instantiateKernel(module);

parentPort?.on("message", ({ values, first }: ScoreTask) => {
  let answer: ScoreAnswer;
  try {
    answer = score(model, engine, log, values, (n) => ["sequences", first + n]);
  } catch (error) {
    if (!(error instanceof SequenceError)) throw error;
    const { path, expected, got } = error; // classes do not survive the way
    answer = { path, expected, got };
  }
  freeNow(values);
  parentPort?.postMessage(answer);
});
