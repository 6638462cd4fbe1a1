// Where everything of one fused layer lies in the kernel's memory. Shapes and letters are in kernel/training.ts.
// Legend: B sequences of a batch, T steps, C channels, U units.
import { countPages, createLayout } from "../training/memory-layout.ts";
import { mapChunk, reserveWeights, SHARDS } from "../training/memory-map.ts";
import { countBlocks } from "../training/parameters.ts";

export interface LayerShape {
  readonly cell: "lstm" | "gru";
  /** C */
  readonly channels: number;
  /** U */
  readonly units: number;
  /** T */
  readonly timesteps: number;
  /** B at most */
  readonly batch: number;
  /** Whether every step's output is kept. */
  readonly sequences: boolean;
}

export type LayerMap = ReturnType<typeof mapLayer>;

/** Addresses from 0 on, to be moved to where the arena has room. Throws LimitError where WebAssembly's 4 GiB do not suffice. */
export function mapLayer({ cell, channels: C, units: U, timesteps: T, batch: B, sequences }: LayerShape) {
  const { unitBlocks: Q, entryBlocks: E, packedSize: size } = countBlocks(C, U);
  const { chunkRows, workspaceBytes, buffers } = mapChunk(T, Q, E, cell);
  const memory = createLayout(0);
  const states = 4 * B * U;
  const addresses = {
    ...reserveWeights(memory, C, Q, size),
    order: memory.reserve(4 * B),
    indices: memory.reserve(4 * B),
    lengths: memory.reserve(4 * B),
    data: memory.reserve(4 * B * T * C),
    inputsGradient: memory.reserve(4 * B * T * C),
    states: memory.reserve(states),
    statesGradient: memory.reserve(states),
    outputs: memory.reserve(sequences ? T * states : 0),
    outputsGradient: memory.reserve(sequences ? T * states : 0),
    initialStates: memory.reserve(states),
    initialStatesGradient: memory.reserve(states),
    initialCells: memory.reserve(states),
    initialCellsGradient: memory.reserve(states),
    lastCells: memory.reserve(states),
    lastCellsGradient: memory.reserve(states),
    workspaces: memory.reserve(workspaceBytes * (Math.ceil(B / chunkRows) + SHARDS)),
  };
  countPages(memory.end(), `a batch of ${B} sequences of ${T} × ${C} and ${U} units`, "sequences, steps or units");
  const dimensions = { timesteps: T, channels: C, units: U, unitBlocks: Q, entryBlocks: E, chunkRows, size, workspaceBytes };
  return { addresses, fields: { ...dimensions, ...buffers, cell: cell === "gru" ? 1 : 0 }, bytes: memory.end() };
}
