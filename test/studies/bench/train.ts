// One Adam step of LSTM(100) → Dense(1) on 1000 sequences of 10 × 5: ours on one and two threads, tfjs' layers on its wasm
// backend, the same with our op under tfjs' autodiff, and PyTorch where Debian's python3-torch is installed. In one run, taking turns.
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { openNodeLayers } from "../../../trainer/tfjs/node.ts";
import { GATHER } from "../../../trainer/training/kernel.ts";
import { flattenNetwork } from "../../../trainer/training/parameters.ts";
import { createTrainingStep, type TrainingStep } from "../../../trainer/training/step.ts";
import { drawNetwork, drawSequences, generator } from "../../fixtures/sequences.ts";
import { startPeer } from "./peer.ts";
import { type Contestant, medianOf, race, report, type Timing } from "./timing.ts";

const [B, T, C, U] = [1000, 10, 5, 100];
const ROUNDS = 11;
/** A third of the steps are padding: 60 of 90 rows are valid. train.py has the same. */
const PADDED_LENGTHS = [10, 3, 8, 10, 4, 7, 3, 10, 5];
const RATE = 1e-3;
const PEAK_TURNS = 5_000_000;

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

async function tfjsContestants(): Promise<Contestant[]> {
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  await tf.setBackend("wasm");
  const xs = tf.tensor3d(full.x, [B, T, C]);
  const ys = tf.tensor2d(Float32Array.from(full.labels), [B, 1]);
  const openModel = (lstm: typeof tf.layers.lstm): Contestant["run"] => {
    const model = tf.sequential({
      layers: [
        lstm({ units: U, inputShape: [T, C], recurrentActivation: "sigmoid", recurrentInitializer: "glorotUniform" }),
        tf.layers.dense({ units: 1 }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(RATE), loss: (labels, logits) => tf.losses.sigmoidCrossEntropy(labels, logits) });
    return async () => {
      await model.trainOnBatch(xs, ys);
    };
  };
  return [
    { name: "tfjs wasm", run: openModel(tf.layers.lstm) },
    { name: "tfjs, our LSTM", run: openModel(openNodeLayers(2).fusedLstm) },
  ];
}

/** How PyTorch gets its batch. */
const BATCH_KINDS = ["full", "padded", "packed"] as const;
type BatchKind = (typeof BATCH_KINDS)[number];

interface Torch {
  readonly version: string;
  step(threads: number, kind: BatchKind): Promise<void>;
  end(): void;
}

/** null where no Python here has PyTorch. */
export async function startTorch(): Promise<Torch | null> {
  // Debian's OpenBLAS picks its kernels by the machine unless it is told otherwise.
  const { OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE, ...env } = process.env;
  for (const [name, value] of Object.entries({ OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE }))
    if (value) console.log(`PyTorch runs without ${name}=${value}`);
  const peer = await startPeer("train.py", { python: "/usr/bin/python3", env });
  return (
    peer && {
      version: peer.greeting,
      async step(threads, kind) {
        await peer.ask(`${threads} ${kind}`);
      },
      end: peer.end,
    }
  );
}

const times = (value: number): string => `${value.toFixed(2)}×`;
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

/** One line: the ratio of medians, which the target is for, and that of minima, which a busy machine disturbs less. */
function tell(name: string, target: number | null, [median, minimum]: Pair): void {
  const text = target !== null && target < 1 ? percent : times;
  const verdict = target === null ? "" : `   target ${text(target)}${median >= target ? "" : "   SHORT"}`;
  console.log(`  ${name.padEnd(62)} ${text(median).padStart(8)} (minima ${text(minimum)})${verdict}`);
}

/** Everybody who takes turns; PyTorch only where there is one. */
async function listContestants(steps: readonly [TrainingStep, TrainingStep], torch: Torch | null): Promise<Contestant[]> {
  const ours = (threads: 1 | 2, which: 0 | 1 | 2) => {
    const indices = Int32Array.from({ length: B }, (_, b) => which * B + b);
    return () => {
      steps[threads - 1].step(indices, RATE);
    };
  };
  const gather = (): void => {
    const { kernel } = steps[0];
    kernel.indices.forEach((_, b) => {
      kernel.indices[b] = b;
    });
    kernel.plan(B);
    kernel.run(GATHER, kernel.shards());
  };
  const theirs = (threads: 1 | 2, kind: BatchKind): Contestant[] =>
    torch ? [{ name: `PyTorch ${threads} ${kind}`, run: () => torch.step(threads, kind) }] : [];
  // PyTorch's threads keep looking for work for a while, at the next one's cost.
  const pause: Contestant = { name: "", run: () => new Promise((resolve) => setTimeout(resolve, 50)) };
  return [
    { name: "ours 1 full", run: ours(1, 0) },
    { name: "ours 2 full", run: ours(2, 0) },
    { name: "ours 1 padded", run: ours(1, 1) },
    { name: "ours 2 padded", run: ours(2, 1) },
    { name: "ours 1 no row", run: ours(1, 2) },
    { name: "ours 1 gather", run: gather },
    { name: "128-bit peak", run: () => void steps[0].kernel.exports.peak(PEAK_TURNS) },
    ...BATCH_KINDS.flatMap((kind) => [...theirs(1, kind), ...theirs(2, kind)]),
    pause,
    ...(await tfjsContestants()),
  ];
}

/** Median and minimum of one contestant, in milliseconds. */
type Pair = readonly [median: number, minimum: number];

/** What the timings come to: sequences a second, ratios to the others, share of the peak. */
function tellRatios(timings: readonly Timing[], hasTorch: boolean): void {
  const pair = (name: string): Pair => {
    const timing = timings.find((candidate) => candidate.name === name)!;
    return [medianOf(timing), timing.samples[0]];
  };
  const both = (of: (k: 0 | 1) => number): Pair => [of(0), of(1)];
  const better = (kind: BatchKind): Pair => both((k) => Math.min(pair(`PyTorch 1 ${kind}`)[k], pair(`PyTorch 2 ${kind}`)[k]));
  const ratio = (a: Pair, b: Pair): Pair => both((k) => a[k] / b[k]);
  const rate = (name: string): string =>
    pair(name)
      .map((ms) => `${(B / ms).toFixed(1)} k`)
      .join(" (best ");
  console.log(
    `\nsequences/s: 1 thread ${rate("ours 1 full")}), 2 threads ${rate("ours 2 full")}), a third padded ${rate("ours 2 padded")})`,
  );
  tell("2 threads against tfjs' wasm backend", 15, ratio(pair("tfjs wasm"), pair("ours 2 full")));
  if (hasTorch) {
    tell("2 threads against PyTorch, its better of 1 and 2 threads", 1, ratio(better("full"), pair("ours 2 full")));
    tell("the same, a third of the steps padded", 1.4, ratio(better("padded"), pair("ours 2 padded")));
    tell("the same, against its pack_padded_sequence", null, ratio(better("packed"), pair("ours 2 padded")));
  } else console.log("  against PyTorch: absent here");
  tell("2 threads against 1", 1.7, ratio(pair("ours 1 full"), pair("ours 2 full")));
  const [whole, peak, noRow, gather] = ["ours 1 full", "128-bit peak", "ours 1 no row", "ours 1 gather"].map(pair);
  const flops = operations(full.lengths);
  const gflops = both((k) => flops / whole[k] / 1e6);
  const peakGflops = both((k) => (64 * PEAK_TURNS) / peak[k] / 1e6);
  tell(
    `share of the 128-bit peak, 1 thread, ${gflops[0].toFixed(1)} of ${peakGflops[0].toFixed(1)} GFLOP/s`,
    0.6,
    ratio(gflops, peakGflops),
  );
  const inside = both((k) => 1 - (noRow[k] + gather[k]) / whole[k]);
  tell("inside the LSTM; outside: gather, head, loss, clipping, Adam", 0.85, inside);
}

export async function run(): Promise<void> {
  const steps = [startStep(1), startStep(2)] as const;
  const torch = await startTorch();
  const peer = torch ? `PyTorch ${torch.version}` : "no PyTorch (python3-torch is absent)";
  console.log(`${availableParallelism()} cores, Node ${process.version}, ${steps[0].simdPath}, ${peer}`);
  const timings = (await race(await listContestants(steps, torch), ROUNDS, 1)).filter(({ name }) => name !== "");
  torch?.end();
  for (const step of steps) step.dispose();
  report("one step on 1000 sequences: whose, threads, batch; ratios to the last", timings, "ms");
  tellRatios(timings, torch !== null);
}
