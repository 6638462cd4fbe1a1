// The kernel, in float32 and in whole numbers of 16 bits, against onnxruntime-web on one thread, and against native ONNX Runtime where
// Python has it (PYTHON names one): the same LSTM(100) → sigmoid on 10 steps × 5 channels, in one run.
// One sequence at a time, 1000 at once, and from bytes to the first answer, which takes a fresh process a time.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { withPrecision } from "../../../shared/members.ts";
import { computeInputs, score } from "../../../shared/model.ts";
import type { Channel } from "../../../shared/recipe/channel.ts";
import { encodeOnnx } from "../../../trainer/export/onnx/export.ts";
import { makeModel, makeSequences, randomOf } from "../../fixtures/model.ts";
import { makeStack } from "../../fixtures/stack.ts";
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
    const contestant = (name: string, work: (i: number) => void): Contestant => ({
      name,
      run: (times) => {
        for (let i = 0; i < times; i++) work(i % BATCH);
      },
    });
    const alone: Contestant[] = [
      contestant("kernel, float32", (i) => engine.probabilities(singles[i])),
      contestant("kernel, int16", (i) => int16.probabilities(singles[i])),
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
      contestant("kernel, float32", () => engine.probabilities({ channels, lengths })),
      contestant("kernel, int16", () => int16.probabilities({ channels, lengths })),
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
  const files = { model: join(folder, "model.onnx"), channels: join(folder, "channels"), lengths: join(folder, "lengths") };
  writeFileSync(files.model, onnx);
  writeFileSync(files.channels, inputs.channels);
  writeFileSync(files.lengths, inputs.lengths);
  const script = fileURLToPath(new URL("inference.py", import.meta.url));
  const child: ChildProcess = spawn(process.env.PYTHON ?? "python3", [script], { stdio: ["pipe", "pipe", "ignore"] });
  child.on("error", () => {});
  child.stdin!.on("error", () => {});
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  child.stdin!.write(`${JSON.stringify(files)}\n`);
  const version: string | undefined = (await lines.next()).value;
  rmSync(folder, { recursive: true });
  if (version === undefined) {
    console.log("no native ONNX Runtime here (set PYTHON)");
    return null;
  }
  return {
    version,
    async run(what, times) {
      child.stdin!.write(`${what} ${times}\n`);
      if ((await lines.next()).done) throw new Error("ONNX Runtime's process has ended");
    },
    end: () => child.stdin!.end(),
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
  const inputs = singles.map((each) => computeInputs(forest, each, log));
  const [stackEngine, forestEngine] = [stack, forest].map((each) => createWasmEngine(module, each));
  const each = (name: string, work: (n: number) => void): Contestant => ({
    name,
    run: (times) => {
      for (let i = 0; i < times; i++) work(i % BATCH);
    },
  });
  const contestants = [
    each("stack: view, two LSTM(32), linear, 1,070 trees", (n) => score(stack, stackEngine, log, singles[n])),
    each("  of that the view's columns and the channels", (n) => computeInputs(stack, singles[n], log)),
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
