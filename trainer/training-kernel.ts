// The training kernel with its memory: which build the host can run, where every buffer lies, how weights are laid out, and the
// order and cutting of a batch. What a job computes is kernel/training.ts; what it is for, fused-lstm.ts and step.ts.
// Legend: N sequences held, B of a batch, T steps, C channels, U units, Q = ⌈U/4⌉ unit blocks, E = ⌈(1+C)/4⌉ entry blocks.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { LimitError } from "../shared/errors.ts";
import { createPool, type Pool, PROGRESS_OFFSET, poolBytes, type Task } from "./pool.ts";

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

/** The kernel's Job, 32 bits each, in its order. */
const JOB = [
  "kind", "timesteps", "channels", "units", "unitBlocks", "entryBlocks", "batch", "chunks", "shards", "chunkRows", "order", "indices",
  "data", "lengths", "labels", "weights", "transposed", "size", "gradients", "total", "first", "second", "losses", "norms", "logits",
  "states", "statesGradient", "inputsGradient", "workspaces", "workspaceBytes", "entries", "gates", "cells", "tanhs", "stateGradients",
  "cellGradients", "last", "progress", "optimizer", "scale", "clip", "rate", "decay", "beta1", "beta2", "epsilon",
] as const; // biome-ignore format: a table
type Field = (typeof JOB)[number];

/** Shards whose gradients are summed in their order, whatever the number of threads: more than this cannot work at once. */
export const SHARDS = 16;
/** What a chunk keeps for the backward pass stays in the second-level cache, beside the weights; ¼ to 2 MB are equal here (measured). */
const CHUNK_BYTES = 1 << 19;
const MIN_CHUNK_ROWS = 8;
const MAX_CHUNK_ROWS = 64;
const PAGE = 65_536;
const MAX_PAGES = 65_536;

/** What the host offers; tests take something away. */
export interface Host {
  readonly relaxedSimd: boolean;
  readonly sharedMemory: boolean;
  readonly workers: boolean;
}

export interface KernelOptions {
  readonly channels: number;
  readonly units: number;
  readonly timesteps: number;
  readonly maxBatch: number;
  /** N sequences to hold. */
  readonly sequences: number;
  /** Keep every chunk between a forward and a backward job, instead of one chunk a thread. */
  readonly keepsChunks: boolean;
  /** Default: the cores. */
  readonly threads?: number;
  /** No relaxed SIMD, so that no bit depends on the host. */
  readonly strict?: boolean;
  readonly host?: Partial<Host>;
  readonly warn?: (message: string) => void;
}

export interface TrainingKernel {
  /** `fma`: multiply-adds round once; `strict`: twice, as every host can. */
  readonly path: "fma" | "strict";
  readonly threads: number;
  readonly pool: Pool;
  readonly exports: { readonly task: Task; readonly peak: (turns: number) => number };
  set(values: Partial<Record<Field, number>>): void;
  /** Orders the first `batch` indices by falling length and cuts them into chunks and shards. */
  plan(batch: number): void;
  /** Runs a job. Seconds of each kind are added up in `seconds`. */
  run(kind: Kind, tasks: number): void;
  readonly seconds: Float64Array;
  readonly shards: number;
  /** Addresses, for fields that a job may set or leave out. */
  readonly at: Readonly<Record<"states" | "statesGradient" | "inputsGradient", number>>;
  /** (B), (N,T,C), (N), (N) */
  readonly indices: Int32Array;
  readonly data: Float32Array;
  readonly lengths: Int32Array;
  readonly labels: Uint8Array;
  /** In the kernel's layout; `place` says where each flat parameter lies. */
  readonly weights: Float32Array;
  readonly total: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
  readonly losses: Float64Array;
  readonly norms: Float64Array;
  readonly logits: Float32Array;
  readonly states: Float32Array;
  readonly statesGradient: Float32Array;
  readonly inputsGradient: Float32Array;
  /** (P) index in `weights` of kernel (C,4U), recurrent (U,4U), bias (4U), headKernel (U), headBias (1). */
  readonly place: Int32Array;
  dispose(): void;
}

export function createTrainingKernel(options: KernelOptions): TrainingKernel {
  const { channels: C, units: U, timesteps: T, maxBatch: B, sequences: N, keepsChunks, strict = false, warn = () => {} } = options;
  const Q = Math.ceil(U / 4);
  const E = Math.ceil((1 + C) / 4);
  const size = 64 * Q * (E + Q) + 4 * Q + 4;
  const rowBytes = 16 * T * (E + Q + 4 * Q + 2 * Q);
  const chunkRows = Math.min(MAX_CHUNK_ROWS, Math.max(MIN_CHUNK_ROWS, 4 * Math.round(CHUNK_BYTES / rowBytes / 4)));
  const maxChunks = Math.ceil(B / chunkRows) + SHARDS;

  const { module, shared, fused } = chooseBuild(strict, options.host ?? {}, warn);
  let threads = Math.max(1, Math.min(SHARDS, options.threads ?? availableParallelism()));
  if (threads > 1 && (!shared || options.host?.workers === false)) {
    warn("this host has no threads with shared memory: training runs on one thread, with the same results");
    threads = 1;
  }

  // The memory map. Page 0 is left to the kernel's constants, which every instance writes anew.
  let end = PAGE;
  const reserve = (bytes: number): number => {
    const at = end;
    end += 64 * Math.ceil(bytes / 64);
    return at;
  };
  const packed = chunkRows * T + 8;
  const inWorkspace: Partial<Record<Field, number>> = {};
  let workspaceBytes = 64 * Math.ceil((8 * (T + 2)) / 64);
  for (const [field, bytes] of [
    ["entries", 16 * (E + Q) * packed],
    ["gates", 64 * Q * packed],
    ["cells", 16 * Q * packed],
    ["tanhs", 16 * Q * packed],
    ["stateGradients", 32 * Math.ceil(Q / 2) * chunkRows],
    ["cellGradients", 16 * Q * chunkRows],
    ["last", 16 * Q * chunkRows],
  ] as const) {
    inWorkspace[field] = workspaceBytes;
    workspaceBytes += 64 * Math.ceil(bytes / 64);
  }
  const words = reserve(poolBytes(threads));
  const job = reserve(4 * JOB.length);
  const transposed = reserve(512 * Q * (Math.ceil(Q / 2) + Math.ceil(C / 8)));
  const weights = reserve(4 * size);
  const total = reserve(4 * size);
  const first = reserve(4 * size);
  const second = reserve(4 * size);
  const gradients = reserve(4 * size * SHARDS);
  const losses = reserve(8 * SHARDS);
  const norms = reserve(8 * (Q + 1));
  const order = reserve(4 * B);
  const indices = reserve(4 * B);
  const logits = reserve(4 * B);
  const states = reserve(keepsChunks ? 4 * B * U : 0);
  const statesGradient = reserve(keepsChunks ? 4 * B * U : 0);
  const inputsGradient = reserve(keepsChunks ? 4 * B * T * C : 0);
  const workspaces = reserve(workspaceBytes * (keepsChunks ? maxChunks : threads));
  const lengths = reserve(4 * N);
  const labels = reserve(N);
  const data = reserve(4 * N * T * C);
  const pages = Math.ceil(end / PAGE);
  if (pages > MAX_PAGES) {
    const got = `${N} sequences of ${T} × ${C} and ${U} units`;
    throw new LimitError(
      [],
      `training needs ${(end / 2 ** 30).toFixed(1)} GiB for ${got}, and WebAssembly has 4: take fewer sequences, steps or units`,
      2 ** 32,
    );
  }
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  const { buffer } = memory;
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const exports = instance.exports as unknown as TrainingKernel["exports"];

  let pool: Pool;
  try {
    pool = createPool(module, memory, words, job, threads, exports.task);
  } catch (error) {
    warn(
      `this host starts no threads (${error instanceof Error ? error.message : error}): training runs on one thread, with the same results`,
    );
    threads = 1;
    pool = createPool(module, memory, words, job, 1, exports.task);
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
  set({
    ...inWorkspace,
    timesteps: T,
    channels: C,
    units: U,
    unitBlocks: Q,
    entryBlocks: E,
    chunkRows,
    order,
    indices,
    data,
    lengths,
    labels,
    weights,
    transposed,
    size,
    gradients,
    total,
    first,
    second,
    losses,
    norms,
    logits,
    states,
    statesGradient,
    inputsGradient,
    workspaces,
    workspaceBytes,
    progress: words + PROGRESS_OFFSET,
  });

  const indicesView = new Int32Array(buffer, indices, B);
  const lengthsView = new Int32Array(buffer, lengths, N);
  const orderView = new Int32Array(buffer, order, B);
  const seconds = new Float64Array(8);
  let shards = 0;
  return {
    path: fused ? "fma" : "strict",
    threads,
    pool,
    exports,
    set,
    plan(batch) {
      sortByFallingLength(orderView, indicesView, lengthsView, batch, T);
      const fewest = Math.ceil(batch / chunkRows);
      shards = Math.min(SHARDS, fewest);
      const chunks = shards * Math.ceil(fewest / shards);
      set({ batch, chunks, shards });
    },
    run(kind, tasks) {
      const start = performance.now();
      jobInts[0] = kind;
      pool.run(tasks);
      seconds[kind] += (performance.now() - start) / 1000;
    },
    seconds,
    get shards() {
      return shards;
    },
    at: { states, statesGradient, inputsGradient },
    indices: indicesView,
    data: new Float32Array(buffer, data, N * T * C),
    lengths: lengthsView,
    labels: new Uint8Array(buffer, labels, N),
    weights: new Float32Array(buffer, weights, size),
    total: new Float32Array(buffer, total, size),
    first: new Float32Array(buffer, first, size),
    second: new Float32Array(buffer, second, size),
    losses: new Float64Array(buffer, losses, SHARDS),
    norms: new Float64Array(buffer, norms, Q + 1),
    logits: new Float32Array(buffer, logits, B),
    states: new Float32Array(buffer, states, keepsChunks ? B * U : 0),
    statesGradient: new Float32Array(buffer, statesGradient, keepsChunks ? B * U : 0),
    inputsGradient: new Float32Array(buffer, inputsGradient, keepsChunks ? B * T * C : 0),
    place: places(C, U),
    dispose: () => pool.dispose(),
  };
}

const FIRST_FLOAT = JOB.indexOf("scale");

/** The fastest build that the host accepts and the caller wants. */
function chooseBuild(
  strict: boolean,
  host: Partial<Host>,
  warn: (message: string) => void,
): { module: WebAssembly.Module; shared: boolean; fused: boolean } {
  const read = (name: string) => readFileSync(new URL(`./kernel/${name}.wasm`, import.meta.url));
  const strictBytes = read("training-strict");
  const shared = host.sharedMemory !== false && typeof SharedArrayBuffer === "function" && WebAssembly.validate(strictBytes);
  if (!shared) return { module: new WebAssembly.Module(read("training-single")), shared, fused: false };
  if (strict) return { module: new WebAssembly.Module(strictBytes), shared, fused: false };
  const relaxedBytes = read("training");
  if (host.relaxedSimd !== false && WebAssembly.validate(relaxedBytes))
    return { module: new WebAssembly.Module(relaxedBytes), shared, fused: true };
  warn("this host has no relaxed SIMD: training takes the strict path, about a third slower and equal to rounding");
  return { module: new WebAssembly.Module(strictBytes), shared, fused: false };
}

/** Stable, so that the same batch is always cut the same way. */
function sortByFallingLength(order: Int32Array, indices: Int32Array, lengths: Int32Array, batch: number, timesteps: number): void {
  const starts = new Int32Array(timesteps + 2);
  for (let b = 0; b < batch; b++) starts[timesteps - lengths[indices[b]] + 1]++;
  for (let t = 1; t < starts.length; t++) starts[t] += starts[t - 1];
  for (let b = 0; b < batch; b++) order[starts[timesteps - lengths[indices[b]]]++] = b;
}

/** Where each flat parameter lies in the kernel's layout (kernel/training.ts). */
function places(C: number, U: number): Int32Array {
  const Q = Math.ceil(U / 4);
  const E = Math.ceil((1 + C) / 4);
  const rows = 4 * (E + Q);
  const place = new Int32Array(4 * U * (C + U + 1) + U + 1);
  let n = 0;
  const placeRow = (row: number): void => {
    for (let gate = 0; gate < 4; gate++) {
      for (let u = 0; u < U; u++) place[n++] = 8 * ((2 * (u >> 2) + (gate >> 1)) * rows + row) + 4 * (gate & 1) + (u & 3);
    }
  };
  for (let c = 0; c < C; c++) placeRow(1 + c);
  for (let u = 0; u < U; u++) placeRow(4 * E + u);
  placeRow(0);
  for (let u = 0; u <= U; u++) place[n++] = 16 * Q * rows + (u < U ? u : 4 * Q);
  return place;
}
