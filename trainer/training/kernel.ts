// The training kernel on its memory and threads: which build the host can run, how a batch is ordered and cut, and its jobs.
// What a job computes is kernel/training.ts; what it is for, step.ts.
// Legend: N sequences held, B of a batch at most, T steps, C channels, U units, Q = ⌈U/4⌉ unit blocks, P parameters.
import { readFileSync } from "node:fs";
import { cutBatch, sortByFallingLength } from "./batch-order.ts";
import { canShare, type HostCapabilities, startKernel } from "./kernel-threads.ts";
import type { Kind } from "./kinds.ts";
import { createJobSetter, type MemoryMap, mapMemory, SHARDS, type Shape } from "./memory-map.ts";
import { packedIndices } from "./parameters.ts";
import type { Task } from "./thread-protocol.ts";

export { EVALUATE, GATHER, type Kind, REDUCE, TRAIN, TRANSPOSE, UPDATE } from "./kinds.ts";
export type { HostCapabilities };

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
  const { map, buffer, exports, pool } = startThreads(options);
  const { fields, job } = map;
  const set = createJobSetter(buffer, job);
  set(fields);
  const order = new Int32Array(buffer, fields.order, options.maxBatch);
  const views = viewMemory(buffer, fields, options);
  const seconds = new Float64Array(8);
  let shards = 0;
  return {
    /** `fma`: multiply-adds round once; `strict`: twice, as every host can (and as relaxed SIMD does where the host has no FMA). */
    simdPath: exports.fuses(1 + 2 ** -12) ? ("fma" as const) : ("strict" as const),
    threads: pool.threads,
    exports,
    pool,
    /** Job fields: addresses and dimensions as they stand, and what a caller may set. */
    fields,
    set,
    ...views,
    /** Orders the first `batch` indices by falling length and cuts them into chunks and shards. */
    plan(batch: number): void {
      sortByFallingLength(order, views.indices, views.lengths, batch, options.timesteps);
      const cut = cutBatch(batch, fields.chunkRows);
      shards = cut.shards;
      set(cut);
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

/** The build that the host can run, on memory for it and on as many threads as the host has. */
function startThreads(options: KernelOptions) {
  const { strict = false, threads, host = {}, warn = () => {} } = options;
  const { module, isShared } = chooseBuild(strict, host, warn);
  const map = (threads: number): MemoryMap => mapMemory(options, threads);
  return startKernel<MemoryMap, Exports>({ module, isShared, threads, maxThreads: SHARDS, host, warn, map });
}

/** Views on what a caller reads and writes. */
function viewMemory(buffer: ArrayBufferLike, fields: MemoryMap["fields"], options: KernelOptions) {
  const { channels: C, units: U, timesteps: T, maxBatch: B, sequences: N } = options;
  const floats = (field: keyof typeof fields, length: number) => new Float32Array(buffer, fields[field], length);
  return {
    /** (B) which sequence stands where in the batch */
    indices: new Int32Array(buffer, fields.indices, B),
    /** (N,T,C), (N), (N) */
    data: floats("data", N * T * C),
    lengths: new Int32Array(buffer, fields.lengths, N),
    labels: floats("labels", N),
    /** (P) where each flat parameter lies in the four that follow */
    packed: packedIndices(C, U),
    weights: floats("weights", fields.size),
    total: floats("total", fields.size),
    first: floats("first", fields.size),
    second: floats("second", fields.size),
    /** (shards) sums; (Q+1) sums of squares of the mean gradient, unit block by unit block, then the head */
    losses: new Float64Array(buffer, fields.losses, SHARDS),
    norms: new Float64Array(buffer, fields.norms, fields.unitBlocks + 1),
    /** (B) */
    logits: floats("logits", B),
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
  const isShared = canShare(host, strictBytes);
  if (!isShared) return { module: new WebAssembly.Module(readFileSync(BUILDS.single)), isShared };
  if (strict) return { module: new WebAssembly.Module(strictBytes), isShared };
  const relaxedBytes = readFileSync(BUILDS.relaxed);
  if (host.relaxedSimd !== false && WebAssembly.validate(relaxedBytes)) return { module: new WebAssembly.Module(relaxedBytes), isShared };
  warn("this host has no relaxed SIMD: training takes the strict path, about a third slower and equal to rounding");
  return { module: new WebAssembly.Module(strictBytes), isShared };
}
