// Where everything of the training kernel lies in its memory. The shapes and their meaning are in kernel/training.ts.
// Legend: N sequences held, B of a batch at most, T steps, C channels, U units, Q = ⌈U/4⌉ unit blocks, E = ⌈(1+C)/4⌉ entry blocks.
import { countPages, createLayout, PAGE } from "./memory-layout.ts";
import { countBlocks } from "./parameters.ts";
import { PROGRESS_OFFSET, poolBytes } from "./thread-protocol.ts";

// biome-ignore format: a table
/** The kernel's Job, 32 bits each, in its order. */
export const JOB = [
  "kind", "timesteps", "channels", "units", "unitBlocks", "entryBlocks", "batch", "chunks", "shards", "chunkRows", "order",
  "indices", "data", "lengths", "labels", "weights", "transposed", "size", "gradients", "total", "first", "second", "losses",
  "norms", "logits", "states", "statesGradient", "inputsGradient", "workspaces", "workspaceBytes", "entries", "gates", "cells",
  "tanhs", "stateGradients", "cellGradients", "last", "progress", "optimizer", "cell", "hardGates", "outputs", "outputsGradient",
  "initialStates", "initialCells", "initialStatesGradient", "initialCellsGradient", "lastCells", "lastCellsGradient", "firstCells",
  "resets", "resetGradients", "scale", "clip", "rate", "decay", "beta1", "beta2", "epsilon",
] as const;
export type Field = (typeof JOB)[number];
const FIRST_FLOAT = JOB.indexOf("scale");

/** Writes fields of the job at address `job`. */
export function createJobSetter(buffer: ArrayBufferLike, job: number): (values: Partial<Record<Field, number>>) => void {
  const ints = new Int32Array(buffer, job, JOB.length);
  const floats = new Float32Array(buffer, job, JOB.length);
  return (values) => {
    for (const [field, value] of Object.entries(values)) {
      const index = JOB.indexOf(field as Field);
      if (index < FIRST_FLOAT) ints[index] = value;
      else floats[index] = value;
    }
  };
}

/** Shards whose gradients are summed in their order, whatever the number of threads: more than this cannot work at once. */
export const SHARDS = 16;

/** What a chunk keeps for the backward pass stays in the second-level cache beside the weights; ¼ to 2 MB are equal here (measured). */
const CHUNK_BYTES = 1 << 19;
const MIN_CHUNK_ROWS = 8;
const MAX_CHUNK_ROWS = 64;

export interface Shape {
  /** C */
  readonly channels: number;
  /** U */
  readonly units: number;
  /** T */
  readonly timesteps: number;
  /** B */
  readonly maxBatch: number;
  /** N */
  readonly sequences: number;
}

export interface MemoryMap {
  /** The job's fields that never change: dimensions, and addresses in bytes. */
  readonly fields: Readonly<Record<Exclude<Field, "kind" | "batch" | "chunks" | "shards" | Setting | OfLayer>, number>>;
  /** Addresses of the pool's control words and of the job. */
  readonly words: number;
  readonly job: number;
  readonly pages: number;
}

/** 0 where a network of one LSTM is trained. */
type OfLayer =
  | "cell"
  | "hardGates"
  | "outputs"
  | "outputsGradient"
  | "initialStates"
  | "initialCells"
  | "initialStatesGradient"
  | "initialCellsGradient"
  | "lastCells"
  | "lastCellsGradient";

type Setting = "optimizer" | "scale" | "clip" | "rate" | "decay" | "beta1" | "beta2" | "epsilon";

/**
 * Gives everything its place for `threads` threads. Throws LimitError where WebAssembly's 4 GiB do not suffice.
 */
export function mapMemory(shape: Shape, threads: number): MemoryMap {
  const { channels: C, units: U, timesteps: T, maxBatch: B, sequences: N } = shape;
  const { unitBlocks: Q, entryBlocks: E, packedSize: size } = countBlocks(C, U);
  const { chunkRows, workspaceBytes, buffers } = mapChunk(T, Q, E);

  const memory = createLayout(PAGE);
  const words = memory.reserve(poolBytes(threads));
  const job = memory.reserve(4 * JOB.length);
  const fields = {
    timesteps: T,
    channels: C,
    units: U,
    unitBlocks: Q,
    entryBlocks: E,
    chunkRows,
    size,
    ...buffers,
    workspaceBytes,
    progress: words + PROGRESS_OFFSET,
    ...reserveWeights(memory, C, Q, size),
    first: memory.reserve(4 * size),
    second: memory.reserve(4 * size),
    order: memory.reserve(4 * B),
    indices: memory.reserve(4 * B),
    logits: memory.reserve(4 * B),
    ...{ states: 0, statesGradient: 0, inputsGradient: 0 },
    workspaces: memory.reserve(workspaceBytes * threads),
    lengths: memory.reserve(4 * N),
    labels: memory.reserve(4 * N),
    data: memory.reserve(4 * N * T * C),
  };
  return {
    fields,
    words,
    job,
    pages: countPages(memory.end(), `${N} sequences of ${T} × ${C} and ${U} units`, "sequences, steps or units"),
  };
}

/** Addresses of packed weights of `size` numbers, of their transpose, and of what their gradients are summed in. */
export function reserveWeights(memory: ReturnType<typeof createLayout>, C: number, Q: number, size: number) {
  return {
    transposed: memory.reserve(512 * Q * (Math.ceil(Q / 2) + Math.ceil(C / 8))),
    weights: memory.reserve(4 * size),
    total: memory.reserve(4 * size),
    gradients: memory.reserve(4 * size * SHARDS),
    losses: memory.reserve(8 * SHARDS),
    norms: memory.reserve(8 * (Q + 1)),
  };
}

/** One chunk's buffers, after its row counts and offsets: offsets in bytes. 8 rows more than the chunk has, for an odd pitch. */
export function mapChunk(T: number, Q: number, E: number, cell: "lstm" | "gru" = "lstm") {
  const rowBytes = 16 * T * (E + Q + 4 * Q + 2 * Q);
  const chunkRows = Math.min(MAX_CHUNK_ROWS, Math.max(MIN_CHUNK_ROWS, 4 * Math.round(CHUNK_BYTES / rowBytes / 4)));
  const packed = chunkRows * T + 8;
  const workspace = createLayout(8 * (T + 2));
  const buffers = {
    entries: workspace.reserve(16 * (E + Q) * packed),
    gates: workspace.reserve(64 * Q * packed),
    cells: workspace.reserve(16 * Q * packed),
    tanhs: workspace.reserve(16 * Q * packed),
    stateGradients: workspace.reserve(32 * Math.ceil(Q / 2) * chunkRows),
    cellGradients: workspace.reserve(16 * Q * chunkRows),
    last: workspace.reserve(16 * Q * chunkRows),
    firstCells: workspace.reserve(16 * Q * chunkRows),
    resets: cell === "gru" ? workspace.reserve(16 * (E + Q) * packed) : 0,
    resetGradients: cell === "gru" ? workspace.reserve(32 * Math.ceil(Q / 2) * chunkRows) : 0,
  };
  return { chunkRows, buffers, workspaceBytes: workspace.end() };
}
