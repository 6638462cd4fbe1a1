// The kernel, in float32 and in whole numbers of 16 bits, against onnxruntime-web on one thread, and against native ONNX Runtime where
// Python has it (PYTHON names one): the same LSTM(100) → sigmoid on 10 steps × 5 channels, in one run.
// One sequence at a time, 1000 at once, and from bytes to the first answer, which takes a fresh process a time.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { withPrecision } from "../../../shared/members.ts";
import { computeInputs, score } from "../../../shared/model.ts";
import type { Channel } from "../../../shared/recipe/channel.ts";
import { encodeOnnx } from "../../../trainer/export/onnx/export.ts";
import { makeModel, makeSequences, randomOf } from "../../fixtures/model.ts";
import { makeStack } from "../../fixtures/stack.ts";
import { startPeer } from "./peer.ts";
import { type Contestant, race, report } from "./timing.ts";

const T = 10;
const C = 5;
const BATCH = 1000;
const ROUNDS = 9;

const kernelBytes = readFileSync(new URL("../../../shared/kernel/inference.wasm", import.meta.url));
const ortBytes = () => readFileSync(new URL(import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm")));

/** ONNX Runtime on one thread, which makes of ONNX bytes a function of channels and lengths. */
export async function openOrt(wasmBinary: Uint8Array = ortBytes()) {
  const ort = await import("onnxruntime-web/wasm");
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = wasmBinary.slice().buffer;
  const score =
    (session: Awaited<ReturnType<typeof ort.InferenceSession.create>>) => async (channels: Float32Array, lengths: Int32Array) => {
      const N = lengths.length;
      const feeds = { channels: new ort.Tensor("float32", channels, [N, T, C]), lengths: new ort.Tensor("int32", lengths, [N]) };
      const { probability } = await session.run(feeds);
      return probability.data as Float32Array;
    };
  return { create: async (onnx: Uint8Array) => score(await ort.InferenceSession.create(onnx)) };
}

function benchModel() {
  const channels: Channel[] = Array.from({ length: C }, (_, a) => ({ base: "feature", view: "level", a }));
  return makeModel(new WebAssembly.Module(kernelBytes), { units: 100, channels });
}

/** N sequences, standard normal (sum of 12 uniforms), of length 10 or of lengths 1 to 10 in random order. */
function makeInput(N: number, padded: boolean) {
  const random = randomOf(N + Number(padded));
  const normal = () => Array.from({ length: 12 }, random).reduce((sum, x) => sum + x, -6);
  const lengths = Int32Array.from({ length: N }, () => (padded ? 1 + Math.floor(T * random()) : T));
  const channels = new Float32Array(N * T * C);
  for (let n = 0; n < N; n++) for (let i = 0; i < lengths[n] * C; i++) channels[n * T * C + i] = normal();
  return { channels, lengths };
}

/** Works on the sequences in turn, n from 0 to BATCH − 1 and round again. */
export function each(name: string, work: (n: number) => void): Contestant {
  return {
    name,
    run: (times) => {
      for (let i = 0; i < times; i++) work(i % BATCH);
    },
  };
}

export async function run(): Promise<void> {
  const model = benchModel();
  const module = new WebAssembly.Module(kernelBytes);
  const engine = createWasmEngine(module, model);
  const int16 = createWasmEngine(module, withPrecision(model, "int16"));
  const onnx = encodeOnnx(model);
  const ort = await (await openOrt()).create(onnx);

  for (const padded of [false, true]) {
    const { channels, lengths } = makeInput(BATCH, padded);
    const expected = await ort(channels, lengths);
    const difference = engine.probabilities({ channels, lengths }).reduce((worst, p, n) => Math.max(worst, Math.abs(p - expected[n])), 0);
    console.log(padded ? "\nlengths 1 to 10" : "length 10", `(largest difference ${difference.toExponential(1)})`);

    const one = (n: number) => ({ channels: channels.slice(n * T * C, (n + 1) * T * C), lengths: lengths.slice(n, n + 1) });
    const singles = Array.from({ length: BATCH }, (_, n) => one(n));
    const native = await startNative(onnx, { channels, lengths });
    const peers = (what: "one" | "all"): Contestant[] =>
      native ? [{ name: `native ${native.version}`, run: (times) => native.run(what, times) }] : [];
    const alone: Contestant[] = [
      each("kernel, float32", (n) => engine.probabilities(singles[n])),
      each("kernel, int16", (n) => int16.probabilities(singles[n])),
      ...peers("one"),
      {
        name: "onnxruntime-web",
        run: async (times) => {
          for (let i = 0; i < times; i++) await ort(singles[i % BATCH].channels, singles[i % BATCH].lengths);
        },
      },
    ];
    report("one sequence at a time", await race(alone, ROUNDS, 3 * BATCH), "µs");
    const together: Contestant[] = [
      each("kernel, float32", () => engine.probabilities({ channels, lengths })),
      each("kernel, int16", () => int16.probabilities({ channels, lengths })),
      ...peers("all"),
      {
        name: "onnxruntime-web",
        run: async (times) => {
          for (let i = 0; i < times; i++) await ort(channels, lengths);
        },
      },
    ];
    report(`${BATCH} at once, a sequence`, await race(together, ROUNDS, 3), "µs", BATCH);
    native?.end();
  }

  await raceStack();

  const artifact = encodeArtifact(model);
  const files = { kernel: artifact, "with artifact": artifact, "onnxruntime-web": onnx };
  const loads = Object.entries(files).map(([name, input]) => ({ name, input, samples: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++)
    for (const { name, input, samples } of loads)
      samples.push(Number(execFileSync(process.execPath, [fileURLToPath(import.meta.url), name], { input, encoding: "utf8" })));
  for (const { samples } of loads) samples.sort((a, b) => a - b);
  report("\nfrom the bytes of module and model to the first answer, a fresh process each", loads, "ms");
}

/** ONNX Runtime of PyPI on one thread. */
interface Native {
  readonly version: string;
  /** One sequence, or all of them, so many times. */
  run(what: "one" | "all", times: number): Promise<void>;
  end(): void;
}

/** null where no Python here has it. */
async function startNative(
  onnx: Uint8Array,
  inputs: { readonly channels: Float32Array; readonly lengths: Int32Array },
): Promise<Native | null> {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-bench-"));
  const args = ["model.onnx", "channels", "lengths"].map((name) => join(folder, name));
  for (const [k, bytes] of [onnx, inputs.channels, inputs.lengths].entries()) writeFileSync(args[k], bytes);
  const peer = await startPeer("inference.py", { args });
  rmSync(folder, { recursive: true });
  if (peer === null) {
    console.log("no native ONNX Runtime here (set PYTHON)");
    return null;
  }
  return {
    version: peer.greeting,
    async run(what, times) {
      await peer.ask(`${what} ${times}`);
    },
    end: peer.end,
  };
}

/** Raw sequences of 10 × 5 through a view and members, and what of that the view and the trees take. */
async function raceStack(): Promise<void> {
  const module = new WebAssembly.Module(kernelBytes);
  const { log } = instantiateKernel(module);
  const values = makeSequences(BATCH, T, C, 9, T);
  const alone = (n: number): Float64Array => values.slice(n * T * C, (n + 1) * T * C);
  const singles = Array.from({ length: BATCH }, (_, n) => alone(n));
  const stack = makeStack(module, { units: 32, trees: 1070, leaves: 61 }); // 31 leaves on average
  const forest = makeStack(module, { kinds: ["trees"], trees: 300, leaves: 61 });
  const [stackEngine, forestEngine] = [stack, forest].map((model) => createWasmEngine(module, model));
  const inputs = singles.map((single) => computeInputs(forest, single, log, forestEngine.series));
  const contestants = [
    each("stack: view, two LSTM(32), linear, 1,070 trees", (n) => score(stack, stackEngine, log, singles[n])),
    each("  of that the view's columns and the channels", (n) => computeInputs(stack, singles[n], log, stackEngine.series)),
    each("300 trees of 31 leaves", (n) => forestEngine.probabilities(inputs[n])),
  ];
  report("\none raw sequence at a time", await race(contestants, ROUNDS, 3 * BATCH), "µs");
  report(`${BATCH} at once, a sequence`, await race([each("stack", () => score(stack, stackEngine, log, values))], ROUNDS, 3), "µs", BATCH);
}

/**
 * Milliseconds from bytes to the first answer; reading files and importing JavaScript is not counted. `kernel` has its model
 * decoded, `with artifact` has not, and ONNX Runtime has its from ONNX.
 */
async function timeLoad(name: string): Promise<number> {
  const file = readFileSync(0);
  const { channels, lengths } = makeInput(1, false);
  if (name !== "onnxruntime-web") {
    const decoded = name === "kernel" ? decodeArtifact(file) : undefined;
    const start = performance.now();
    createWasmEngine(new WebAssembly.Module(kernelBytes), decoded ?? decodeArtifact(file)).probabilities({ channels, lengths });
    return performance.now() - start;
  }
  const { create } = await openOrt();
  const start = performance.now();
  await (await create(file))(channels, lengths);
  return performance.now() - start;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await timeLoad(process.argv[2]));
