// One synthetic data set, diagnosed: what is named, in how many seconds. As a worker thread it answers the jobs it is sent.
import { isMainThread, parentPort } from "node:worker_threads";
import { diagnose } from "../../../trainer/diagnosis/diagnose.ts";
import type { DiagnosisDependencies } from "../../../trainer/diagnosis/input.ts";
import { parseBaselineSetup } from "../../../trainer/diagnosis/setup.ts";
import { createTrees } from "../../../trainer/learners/trees/trees.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";
import { type Planted, type PlantName, plant, plantHealthy, plantPermuted } from "./planted.ts";
import { kernel } from "./recovery.ts";
import { type Answer, claimsSignal, topOf } from "./score.ts";

/** A data set by its numbers: everything else follows from them. */
export type Job = { readonly seed: number; readonly stream: number } & (
  | { readonly kind: "planted"; readonly name: PlantName; readonly strength: number }
  | { readonly kind: "healthy" | "permuted" }
);

export interface Answered {
  readonly planted: Answer;
  readonly top: Answer;
  readonly claims: boolean;
  /** `movement-tiny (proven)`, … in their order. */
  readonly named: readonly string[];
  readonly baseline: string;
  readonly seconds: number;
}

const dependencies: DiagnosisDependencies = {
  log: kernel.log,
  createStepper: (data, options) => createTrainingStep(data, { ...options, threads: 1 }),
  createTrees: (options) => createTrees({ ...options, threads: 1 }),
  yieldToEventLoop: async () => {},
};

export async function answer(job: Job): Promise<Answered> {
  const { data, baseline, code } = makeData(job);
  const started = performance.now();
  const diagnosis = await diagnose(data, { baseline: parseBaselineSetup(baseline), seed: job.seed }, dependencies);
  const seconds = (performance.now() - started) / 1000;
  const named = diagnosis.causes.map((cause) => `${cause.code} (${cause.certainty})`);
  return { planted: code, top: topOf(diagnosis), claims: claimsSignal(diagnosis), named, baseline, seconds };
}

function makeData(job: Job): Planted {
  const { kind, seed, stream } = job;
  if (kind === "planted") return plant(job.name, job.strength, seed, stream);
  return kind === "healthy" ? plantHealthy(seed, stream) : plantPermuted(seed, stream);
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  port.on("message", async (job: Job) => port.postMessage(await answer(job)));
}
