// One Adam step of LSTM(100) → Dense(1) on 1000 sequences of 10 × 5: ours on one and two threads, tfjs' layers on its wasm
// backend, the same with our op under tfjs' autodiff, and PyTorch where Debian's python3-torch is installed. In one run, taking turns.
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { createFusedLstm } from "../../trainer/fused-lstm.ts";
import { flattenNetwork } from "../../trainer/network.ts";
import { createTrainingStep, type TrainingStep } from "../../trainer/step.ts";
import { GATHER } from "../../trainer/training-kernel.ts";
import { drawNetwork, drawSequences, generator } from "../fixtures/sequences.ts";
import { type Contestant, medianOf, race, report, type Timing } from "./timing.ts";

const [B, T, C, U] = [1000, 10, 5, 100];
const ROUNDS = 11;
/** A third of the steps are padding: 60 of 90 rows are valid. train.py has the same. */
const PADDED_LENGTHS = [10, 3, 8, 10, 4, 7, 3, 10, 5];
const RATE = 1e-3;

const random = generator(1);
const network = drawNetwork(C, U, 0.1, random);
const full = drawSequences(B, T, C, random, true);

/** Multiply-adds, counted twice, of a step on sequences of these lengths: forward, back to the states, into the weights. */
function operations(lengths: ArrayLike<number>): number {
  let rows = 0;
  let withState = 0; // a first step multiplies no state
  for (const length of Array.from(lengths)) {
    rows += length;
    withState += length - 1;
  }
  return 2 * 4 * U * (2 * rows * C + 3 * withState * U);
}

/** The batch in full, padded by a third, and with no row at all: sequences 0 … B, … 2B, … 3B. */
function startStep(threads: number): TrainingStep {
  const lengths = Int32Array.from({ length: 3 * B }, (_, n) => (n < B ? T : n < 2 * B ? PADDED_LENGTHS[n % PADDED_LENGTHS.length] : 0));
  const channels = new Float32Array(3 * B * T * C);
  for (let part = 0; part < 3; part++) channels.set(full.x, part * B * T * C);
  const labels = Uint8Array.from(lengths, (_, n) => full.labels[n % B]);
  const step = createTrainingStep(
    { channels, lengths, labels },
    { channels: C, timesteps: T, units: U, maxBatch: B, threads, warn: console.log },
  );
  step.setParameters(flattenNetwork(network));
  return step;
}

function part(n: number): Int32Array {
  return Int32Array.from({ length: B }, (_, b) => n * B + b);
}

async function tfjsContestants(): Promise<Contestant[]> {
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  await tf.setBackend("wasm");
  const xs = tf.tensor3d(full.x, [B, T, C]);
  const ys = tf.tensor2d(Float32Array.from(full.labels), [B, 1]);
  const model = tf.sequential({
    layers: [
      tf.layers.lstm({ units: U, inputShape: [T, C], recurrentActivation: "sigmoid", recurrentInitializer: "glorotUniform" }),
      tf.layers.dense({ units: 1 }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(RATE), loss: (labels, logits) => tf.losses.sigmoidCrossEntropy(labels, logits) });

  const lstm = createFusedLstm({ channels: C, timesteps: T, units: U, maxBatch: B, threads: 2 });
  const kernel = tf.variable(tf.tensor2d(network.kernel, [C, 4 * U]));
  const recurrent = tf.variable(tf.tensor2d(network.recurrent, [U, 4 * U]));
  const bias = tf.variable(tf.tensor1d(network.bias));
  const headKernel = tf.variable(tf.tensor2d(network.headKernel, [U, 1]));
  const headBias = tf.variable(tf.tensor1d(network.headBias));
  const optimizer = tf.train.adam(RATE);
  const fusedStep = (): void => {
    const cost = optimizer.minimize(() => {
      const states = lstm.apply(xs, full.lengths, kernel as tf.Tensor2D, recurrent as tf.Tensor2D, bias as tf.Tensor1D);
      return tf.losses.sigmoidCrossEntropy(ys, states.matMul<tf.Tensor2D>(headKernel as tf.Tensor2D).add(headBias)) as tf.Scalar;
    }, true);
    cost!.dataSync();
    cost!.dispose();
  };
  return [
    {
      name: "tfjs wasm",
      run: async () => {
        await model.trainOnBatch(xs, ys);
      },
    },
    { name: "tfjs, our LSTM", run: fusedStep },
  ];
}

interface Torch {
  readonly version: string;
  step(threads: number, way: "full" | "padded" | "packed"): Promise<void>;
  end(): void;
}

/** null where no Python here has PyTorch. */
async function startTorch(): Promise<Torch | null> {
  // Debian's OpenBLAS picks its kernels by the machine unless it is told otherwise.
  const { OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE, ...env } = process.env;
  for (const [name, value] of Object.entries({ OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE }))
    if (value) console.log(`PyTorch runs without ${name}=${value}`);
  const script = fileURLToPath(new URL("train.py", import.meta.url));
  const child: ChildProcess = spawn("/usr/bin/python3", [script], { env, stdio: ["pipe", "pipe", "ignore"] });
  child.on("error", () => {});
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string | undefined> => (await lines.next()).value;
  const version = await nextLine();
  if (version === undefined) return null;
  return {
    version,
    async step(threads, way) {
      child.stdin!.write(`${threads} ${way}\n`);
      if ((await nextLine()) === undefined) throw new Error("PyTorch's process has ended");
    },
    end: () => child.stdin!.end(),
  };
}

function told(name: string, value: number, target: number, text: string): void {
  console.log(
    `  ${name.padEnd(62)} ${text.padStart(8)}   target ${target < 1 ? `${100 * target} %` : `${target}×`}${value >= target ? "" : "   SHORT"}`,
  );
}

const times = (ratio: number): string => `${ratio.toFixed(2)}×`;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export async function run(): Promise<void> {
  const steps = [startStep(1), startStep(2)];
  const torch = await startTorch();
  console.log(
    `${availableParallelism()} cores, Node ${process.version}, ${steps[0].path}, ${torch ? `PyTorch ${torch.version}` : "no PyTorch (python3-torch is absent)"}`,
  );

  const ours = (threads: 1 | 2, which: 0 | 1 | 2): (() => void) => {
    const indices = part(which);
    return () => {
      steps[threads - 1].step(indices, RATE);
    };
  };
  const theirs = (threads: 1 | 2, way: "full" | "padded" | "packed"): Contestant[] =>
    torch ? [{ name: `PyTorch ${threads} thread${threads > 1 ? "s" : ""} ${way}`, run: () => torch.step(threads, way) }] : [];
  // PyTorch's threads keep looking for work for a while, at the next one's cost.
  const pause: Contestant = { name: "", run: () => new Promise((resolve) => setTimeout(resolve, 50)) };
  const PEAK_TURNS = 5_000_000;
  const { exports } = steps[0].kernel;
  const contestants: Contestant[] = [
    { name: "ours 1 thread", run: ours(1, 0) },
    { name: "ours 2 threads", run: ours(2, 0) },
    { name: "ours 1 thread padded", run: ours(1, 1) },
    { name: "ours 2 threads padded", run: ours(2, 1) },
    { name: "ours 1 thread no row", run: ours(1, 2) },
    {
      name: "ours 1 thread gather",
      run: () => {
        steps[0].kernel.indices.set(part(0));
        steps[0].kernel.plan(B);
        steps[0].kernel.run(GATHER, steps[0].kernel.shards());
      },
    },
    { name: "128-bit peak", run: () => void exports.peak(PEAK_TURNS) },
    ...theirs(1, "full"),
    ...theirs(2, "full"),
    ...theirs(1, "padded"),
    ...theirs(2, "padded"),
    ...theirs(1, "packed"),
    ...theirs(2, "packed"),
    pause,
    ...(await tfjsContestants()),
  ];
  const timings = (await race(contestants, ROUNDS, 1)).filter(({ name }) => name !== "");
  torch?.end();
  for (const step of steps) step.dispose();

  report("one step on 1000 sequences, ratios to the last", timings, "ms");
  const median = (name: string): number => medianOf(timings.find((timing: Timing) => timing.name === name)!);
  const one = median("ours 1 thread");
  const two = median("ours 2 threads");
  const perSecond = (ms: number): string => `${((1000 * B) / ms / 1000).toFixed(1)} k sequences/s`;
  console.log(`\n1 thread ${perSecond(one)}, 2 threads ${perSecond(two)}, a third padded ${perSecond(median("ours 2 threads padded"))}`);
  told("against tfjs' wasm backend, 2 threads", median("tfjs wasm") / two, 15, times(median("tfjs wasm") / two));
  if (torch) {
    const better = (way: string): number => Math.min(median(`PyTorch 1 thread ${way}`), median(`PyTorch 2 threads ${way}`));
    const ratio = better("full") / two;
    const padded = better("padded") / median("ours 2 threads padded");
    told("against PyTorch, its better of 1 and 2 threads", ratio, 1, times(ratio));
    told("the same, a third of the steps padded", padded, 1.4, times(padded));
    console.log(
      `  ${"  and against its pack_padded_sequence".padEnd(62)} ${times(better("packed") / median("ours 2 threads padded")).padStart(8)}`,
    );
  } else console.log("  against PyTorch: absent here");
  told("2 threads against 1", one / two, 1.7, times(one / two));
  const gflops = operations(full.lengths) / one / 1e6;
  const peak = (64 * PEAK_TURNS) / median("128-bit peak") / 1e6;
  const share = gflops / peak;
  told(`share of the 128-bit peak, 1 thread (${gflops.toFixed(1)} of ${peak.toFixed(1)} GFLOP/s)`, share, 0.6, percent(share));
  const outside = (median("ours 1 thread no row") + median("ours 1 thread gather")) / one;
  told("inside the LSTM (the rest: gather, head, loss, clipping, Adam)", 1 - outside, 0.85, percent(1 - outside));
}
