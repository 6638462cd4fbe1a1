// One model.fit step of LSTM(100) → Dense(1) on 1000 sequences of 10 × 5, as a tfjs script has it: tfjs' own layer on its cpu and wasm
// backends, and quickstep/tfjs in its place on both, on one thread and two; PyTorch where Debian's python3-torch is installed. In one run,
// taking turns.
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { openNodeLayers } from "../../../trainer/tfjs/node.ts";
import { drawSequences, generator } from "../../fixtures/sequences.ts";
import { type Contestant, medianOf, race, report, type Timing } from "./timing.ts";
import { startTorch } from "./train.ts";

const [B, T, C, U] = [1000, 10, 5, 100];
const ROUNDS = 7;
/** What is promised of two threads, against tfjs' own on the same backend. */
const TARGETS = { wasm: 12, cpu: 60 } as const;
type Backend = keyof typeof TARGETS;

const { x, labels } = drawSequences(B, T, C, generator(1), true);

async function openModel(backend: Backend, lstm: typeof tf.layers.lstm): Promise<Contestant["run"]> {
  await tf.setBackend(backend);
  const model = tf.sequential({
    layers: [
      lstm({ units: U, inputShape: [T, C], recurrentInitializer: "glorotUniform" }),
      tf.layers.dense({ units: 1, activation: "sigmoid" }),
    ],
  });
  model.compile({ optimizer: "rmsprop", loss: "binaryCrossentropy" });
  const [xs, ys] = [tf.tensor3d(x, [B, T, C]), tf.tensor2d(Float32Array.from(labels), [B, 1])];
  return async () => {
    await tf.setBackend(backend);
    await model.fit(xs, ys, { batchSize: B, epochs: 1, verbose: 0 });
  };
}

const nameOf = (backend: Backend, threads?: number): string =>
  threads === undefined ? `tfjs ${backend}` : `fused, ${backend}, ${threads}`;

async function listContestants(): Promise<Contestant[]> {
  const contestants: Contestant[] = [];
  for (const backend of ["cpu", "wasm"] as const) {
    contestants.push({ name: nameOf(backend), run: await openModel(backend, tf.layers.lstm) });
    for (const threads of [1, 2])
      contestants.push({ name: nameOf(backend, threads), run: await openModel(backend, openNodeLayers(threads).fusedLstm) });
  }
  return contestants;
}

function tellRatios(timings: readonly Timing[]): void {
  const timing = (name: string): Timing => timings.find((candidate) => candidate.name === name)!;
  for (const backend of ["cpu", "wasm"] as const)
    for (const threads of [2, 1]) {
      const [own, fused] = [timing(nameOf(backend)), timing(nameOf(backend, threads))];
      const ratio = medianOf(own) / medianOf(fused);
      const target = threads === 2 ? `   target ${TARGETS[backend]}×${ratio >= TARGETS[backend] ? "" : "   SHORT"}` : "";
      const minima = (own.samples[0] / fused.samples[0]).toFixed(1);
      console.log(`  fused on ${threads} against tfjs ${backend}`.padEnd(40), `${ratio.toFixed(1)}× (minima ${minima}×)${target}`);
    }
}

/** Runs the bench and prints its figures. */
export async function run(): Promise<void> {
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  const torch = await startTorch();
  console.log(
    `${availableParallelism()} cores, Node ${process.version}, tfjs ${tf.version.tfjs}, ${torch ? `PyTorch ${torch.version}` : "no PyTorch"}`,
  );
  const theirs = torch ? [1, 2].map((threads): Contestant => ({ name: `PyTorch ${threads}`, run: () => torch.step(threads, "full") })) : [];
  const timings = await race([...theirs, ...(await listContestants())], ROUNDS, 1);
  torch?.end();
  report("one model.fit step on 1000 sequences; ratios to the last", timings, "ms");
  tellRatios(timings);
}
