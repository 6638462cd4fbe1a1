// What a recurrent layer has beside its last states: states before the first step, every step's output, last cells, and their gradients,
// between a chunk's workspace and a batch's buffers. The shapes and letters are in training.ts.
import { counts, int, Job, offsets, packedPitch, round4 } from "./job";

/** (U) numbers at `from` into the units of row `r` of (Q, pitch/16, 4) at `to`. */
// @ts-ignore: decorator
@inline
function place(from: usize, units: i32, to: usize, pitch: usize): void {
  for (let u = 0; u < units; u++) store<f32>(to + <usize>(u >> 2) * pitch + <usize>((u & 3) << 2), load<f32>(from + (<usize>u << 2)));
}

/** The reverse. */
// @ts-ignore: decorator
@inline
function take(from: usize, pitch: usize, units: i32, to: usize): void {
  const whole = units >> 2;
  for (let q = 0; q < whole; q++) v128.store(to + (<usize>q << 4), v128.load(from + <usize>q * pitch));
  for (let u = whole << 2; u < units; u++) store<f32>(to + (<usize>u << 2), load<f32>(from + <usize>whole * pitch + <usize>((u & 3) << 2)));
}

/** (U) numbers of the sequence at position `r` of the chunk in a (B,U) buffer. */
// @ts-ignore: decorator
@inline
function numbersOf(job: Job, buffer: usize, start: i32, r: i32): usize {
  return buffer + (<usize>int(job.order, start + r) * <usize>job.units << 2);
}

/** States and cells before the first step, where there are any, to where the forward pass looks for them. */
export function placeInitial(job: Job, workspace: usize, start: i32, rows: i32): void {
  const Q = job.unitBlocks, rows16 = <usize>job.chunkRows << 4, pitch16 = packedPitch(job, workspace) << 4;
  const first = int(counts(workspace), 0), states = workspace + job.entries + <usize>job.entryBlocks * pitch16;
  for (let q = 0; q < Q; q++) memory.fill(states + <usize>q * pitch16, 0, <usize>round4(first) << 4);
  if (!job.initialStates) return;
  memory.fill(workspace + job.last, 0, <usize>Q * rows16);
  memory.fill(workspace + job.firstCells, 0, <usize>Q * rows16);
  for (let r = 0; r < rows; r++) {
    const from = numbersOf(job, job.initialStates, start, r), row = <usize>r << 4;
    place(from, job.units, workspace + job.last + row, rows16);
    if (r < first) place(from, job.units, states + row, pitch16);
    if (job.initialCells) place(numbersOf(job, job.initialCells, start, r), job.units, workspace + job.firstCells + row, rows16);
  }
}

/** Last states; where they are wanted, last cells and the states after every step. */
export function scatterOutputs(job: Job, workspace: usize, start: i32, rows: i32): void {
  const T = job.timesteps, U = job.units, rows16 = <usize>job.chunkRows << 4, pitch16 = packedPitch(job, workspace) << 4;
  const offset = offsets(job, workspace), states = workspace + job.entries + <usize>job.entryBlocks * pitch16;
  for (let r = 0; r < rows; r++) {
    const position = int(job.order, start + r), length = int(job.lengths, int(job.indices, position)), row = <usize>r << 4;
    const last = workspace + job.last + row;
    take(last, rows16, U, numbersOf(job, job.states, start, r));
    if (job.lastCells) {
      const to = numbersOf(job, job.lastCells, start, r);
      if (length) take(workspace + job.cells + (<usize>(int(offset, length - 1) + r) << 4), pitch16, U, to);
      else if (job.initialCells) memory.copy(to, numbersOf(job, job.initialCells, start, r), <usize>U << 2);
      else memory.fill(to, 0, <usize>U << 2);
    }
    if (!job.outputs) continue;
    let to = job.outputs + (<usize>position * <usize>(T * U) << 2);
    for (let t = 1; t < length; t++, to += <usize>U << 2) take(states + (<usize>(int(offset, t) + r) << 4), pitch16, U, to);
    if (length) take(last, rows16, U, to);
  }
}

/** Gradients of last states and last cells, 0 where nobody has any. */
export function gatherLastGradients(job: Job, workspace: usize, start: i32, rows: i32): void {
  const Q = job.unitBlocks, U = job.units, rows16 = <usize>job.chunkRows << 4;
  memory.fill(workspace + job.stateGradients, 0, <usize>((Q + 1) & ~1) * rows16);
  memory.fill(workspace + job.cellGradients, 0, <usize>Q * rows16);
  for (let r = 0; r < rows; r++) {
    const row = <usize>r << 4;
    if (job.statesGradient) place(numbersOf(job, job.statesGradient, start, r), U, workspace + job.stateGradients + row, rows16);
    if (job.lastCellsGradient) place(numbersOf(job, job.lastCellsGradient, start, r), U, workspace + job.cellGradients + row, rows16);
  }
}

/** Adds the gradients of the states after step `t` of the `n` sequences that have it. */
export function addOutputGradients(job: Job, workspace: usize, start: i32, t: i32, n: i32): void {
  const T = job.timesteps, U = job.units, rows16 = <usize>job.chunkRows << 4;
  for (let r = 0; r < n; r++) {
    const from = job.outputsGradient + (<usize>(int(job.order, start + r) * T + t) * <usize>U << 2);
    const to = workspace + job.stateGradients + (<usize>r << 4);
    for (let u = 0; u < U; u++) {
      const at = to + <usize>(u >> 2) * rows16 + <usize>((u & 3) << 2);
      store<f32>(at, load<f32>(at) + load<f32>(from + (<usize>u << 2)));
    }
  }
}

/** Gradients of the states, and of an LSTM the cells, before the first step. */
export function scatterInitialGradients(job: Job, workspace: usize, start: i32, rows: i32): void {
  const rows16 = <usize>job.chunkRows << 4;
  for (let r = 0; r < rows; r++) {
    const row = <usize>r << 4;
    take(workspace + job.stateGradients + row, rows16, job.units, numbersOf(job, job.initialStatesGradient, start, r));
    if (job.initialCellsGradient) take(workspace + job.cellGradients + row, rows16, job.units, numbersOf(job, job.initialCellsGradient, start, r));
  }
}
