// The training kernel on its memory and threads: which build the host can run, how a batch is ordered and cut, and its jobs.
// What a job computes is kernel/training.ts; what it is for, fused-lstm.ts and step.ts.
// Legend: N sequences held, B of a batch at most, T steps, C channels, U units, Q = ⌈U/4⌉ unit blocks, P parameters.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { FIRST_FLOAT, type Field, JOB, mapMemory, placeParameters, SHARDS, type Shape } from "./memory-map.ts";
import { createPool, type Pool, type Task } from "./thread-pool.ts";

/** What the kernel can do, in the order of its constants. */
export const TRAIN = 0;
export const EVALUATE = 1;
export const FORWARD = 2;
export const BACKWARD = 3;
export const REDUCE = 4;
export const UPDATE = 5;
export const TRANSPOSE = 6;
export const GATHER = 7;
export type Kind = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** What the host offers; tests take something away. */
export interface HostCapabilities {
  readonly relaxedSimd: boolean;
  readonly sharedMemory: boolean;
  readonly workers: boolean;
}

export interface KernelOptions extends Shape {
  /** Default: the cores. */
  readonly threads?: number;
  /** No relaxed SIMD, so that no bit depends on the host. */
  readonly strict?: boolean;
  readonly host?: Partial<HostCapabilities>;
  readonly warn?: (message: string) => void;
}

interface Exports {
  readonly task: Task;
  readonly peak: (turns: number) => number;
  readonly fuses: (x: number) => number;
}

export type TrainingKernel = ReturnType<typeof createTrainingKernel>;

/** Starts the threads. Views are on the kernel's memory; weights, gradients and moments are in its layout. */
export function createTrainingKernel(options: KernelOptions) {
  const {
    channels: C,
    units: U,
    timesteps: T,
    maxBatch: B,
    sequences: N,
    keepsChunks,
    strict = false,
    host = {},
    warn = () => {},
  } = options;
  const { module, shared } = chooseBuild(strict, host, warn);
  let threads = Math.max(1, Math.min(SHARDS, options.threads ?? availableParallelism()));
  const goAlone = (reason: string): void => {
    warn(`this host has no threads (${reason}): training runs on one, with the same results`);
    threads = 1;
  };
  if (threads > 1 && !shared) goAlone("no shared memory");
  if (threads > 1 && host.workers === false) goAlone("no workers");

  const { fields, words, job, pages } = mapMemory(options, threads);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  const { buffer } = memory;
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
  const openPool = (): Pool => createPool(module, memory, words, job, threads, exports.task);
  let pool: Pool;
  try {
    pool = openPool();
  } catch (error) {
    goAlone(error instanceof Error ? error.message : String(error));
    pool = openPool();
  }

  const jobInts = new Int32Array(buffer, job, JOB.length);
  const jobFloats = new Float32Array(buffer, job, JOB.length);
  const set = (values: Partial<Record<Field, number>>): void => {
    for (const [field, value] of Object.entries(values)) {
      const at = JOB.indexOf(field as Field);
      if (at < FIRST_FLOAT) jobInts[at] = value;
      else jobFloats[at] = value;
    }
  };
  set(fields);

  const floats = (field: Field & keyof typeof fields, length: number) => new Float32Array(buffer, fields[field], length);
  const order = new Int32Array(buffer, fields.order, B);
  const indices = new Int32Array(buffer, fields.indices, B);
  const lengths = new Int32Array(buffer, fields.lengths, N);
  const seconds = new Float64Array(8);
  const kept = keepsChunks ? B : 0;
  let shards = 0;
  return {
    /** `fma`: multiply-adds round once; `strict`: twice, as every host can (and as relaxed SIMD does where the host has no FMA). */
    simdPath: exports.fuses(1 + 2 ** -12) ? ("fma" as const) : ("strict" as const),
    threads,
    exports,
    pool,
    /** Job fields: addresses and dimensions as they stand, and what a caller may set. */
    fields,
    set,
    /** (B) which sequence stands where in the batch */
    indices,
    /** (N,T,C), (N), (N) */
    data: floats("data", N * T * C),
    lengths,
    labels: new Float32Array(buffer, fields.labels, N),
    /** (P) where each flat parameter lies in the four that follow */
    place: placeParameters(C, U),
    weights: floats("weights", fields.size),
    total: floats("total", fields.size),
    first: floats("first", fields.size),
    second: floats("second", fields.size),
    /** (shards) sums; (Q+1) sums of squares of the mean gradient, unit block by unit block, then the head */
    losses: new Float64Array(buffer, fields.losses, SHARDS),
    norms: new Float64Array(buffer, fields.norms, fields.unitBlocks + 1),
    /** (B); (B,U), (B,U), (B,T,C) when chunks are kept */
    logits: floats("logits", B),
    states: floats("states", kept * U),
    statesGradient: floats("statesGradient", kept * U),
    inputsGradient: floats("inputsGradient", kept * T * C),
    /** Orders the first `batch` indices by falling length and cuts them into chunks and shards. */
    plan(batch: number): void {
      sortByFallingLength(order, indices, lengths, batch, T);
      const fewest = Math.ceil(batch / fields.chunkRows);
      shards = Math.min(SHARDS, fewest);
      set({ batch, shards, chunks: shards * Math.ceil(fewest / shards) });
    },
    /** The number of tasks of a job on sequences. */
    shards: () => shards,
    /** Runs a job. Each kind's time adds up in `seconds`. */
    run(kind: Kind, tasks: number): void {
      const start = performance.now();
      set({ kind });
      pool.run(tasks);
      seconds[kind] += (performance.now() - start) / 1000;
    },
    seconds,
    dispose: () => pool.dispose(),
  };
}

const BUILDS = {
  relaxed: new URL("../kernel/training.wasm", import.meta.url),
  strict: new URL("../kernel/training-strict.wasm", import.meta.url),
  single: new URL("../kernel/training-single.wasm", import.meta.url),
};

/** The fastest build that the host accepts and the caller wants. */
function chooseBuild(strict: boolean, host: Partial<HostCapabilities>, warn: (message: string) => void) {
  const strictBytes = readFileSync(BUILDS.strict);
  const shared = host.sharedMemory !== false && typeof SharedArrayBuffer === "function" && WebAssembly.validate(strictBytes);
  if (!shared) return { module: new WebAssembly.Module(readFileSync(BUILDS.single)), shared };
  if (strict) return { module: new WebAssembly.Module(strictBytes), shared };
  const relaxedBytes = readFileSync(BUILDS.relaxed);
  if (host.relaxedSimd !== false && WebAssembly.validate(relaxedBytes)) return { module: new WebAssembly.Module(relaxedBytes), shared };
  warn("this host has no relaxed SIMD: training takes the strict path, about a third slower and equal to rounding");
  return { module: new WebAssembly.Module(strictBytes), shared };
}

/** Stable, so that the same batch is always cut the same way. */
function sortByFallingLength(order: Int32Array, indices: Int32Array, lengths: Int32Array, batch: number, timesteps: number): void {
  const starts = new Int32Array(timesteps + 2);
  for (let b = 0; b < batch; b++) starts[timesteps - lengths[indices[b]] + 1]++;
  for (let t = 1; t < starts.length; t++) starts[t] += starts[t - 1];
  for (let b = 0; b < batch; b++) order[starts[timesteps - lengths[indices[b]]]++] = b;
}
