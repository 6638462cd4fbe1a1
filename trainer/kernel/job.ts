// What a job is, and where a chunk's rows lie in a workspace. The shapes and letters are in training.ts.

/** All fields 32 bits, in the order of JOB in trainer/training/memory-map.ts. */
@unmanaged
export class Job {
  kind: i32;
  timesteps: i32;
  channels: i32;
  units: i32;
  unitBlocks: i32;
  entryBlocks: i32;
  batch: i32;
  chunks: i32;
  shards: i32;
  /** Rows of a chunk at most: the pitch of (…, rows, 4) buffers. */
  chunkRows: i32;
  /** (B) int32 positions in the batch by falling length */
  order: usize;
  /** (B) int32 which sequence stands at a position */
  indices: usize;
  /** (N,T,C) float32 left-aligned, (N) int32, (N) float32 from 0 to 1: a teacher's are between */
  data: usize;
  lengths: usize;
  labels: usize;
  weights: usize;
  transposed: usize;
  /** float32 in weights, with the head */
  size: i32;
  /** (shards, size) */
  gradients: usize;
  /** (size) each: mean gradient, the optimizer's moments */
  total: usize;
  first: usize;
  second: usize;
  /** (shards) float64 sums, (Q+1) float64 sums of squares */
  losses: usize;
  norms: usize;
  /** (B) */
  logits: usize;
  /** (B,U) last states, and their gradients */
  states: usize;
  statesGradient: usize;
  /** (B,T,C), or 0 where nobody wants it */
  inputsGradient: usize;
  workspaces: usize;
  workspaceBytes: usize;
  /** Offsets in a workspace; counts and offsets (T+1) come first. */
  entries: usize;
  gates: usize;
  cells: usize;
  tanhs: usize;
  /** (2⌈Q/2⌉, rows, 4), (Q, rows, 4), (Q, rows, 4) */
  stateGradients: usize;
  cellGradients: usize;
  last: usize;
  /** int32 a thread, 64 bytes apart: counts up while work goes on */
  progress: usize;
  optimizer: i32;
  /** 0: LSTM, 1: GRU; 0: sigmoid, 1: hard sigmoid for gates. */
  cell: i32;
  hardGates: i32;
  /** Of a layer alone, 0 where nobody wants it: (B,T,U) states after every step, and their gradients */
  outputs: usize;
  outputsGradient: usize;
  /** (B,U) states and cells before the first step, and their gradients */
  initialStates: usize;
  initialCells: usize;
  initialStatesGradient: usize;
  initialCellsGradient: usize;
  /** (B,U) cells after the last step, and their gradients */
  lastCells: usize;
  lastCellsGradient: usize;
  /** Offsets in a workspace: (Q, rows, 4) cells before the first step; of a GRU (E+Q, P, 4) [1, channels] and the state times the reset gate, and (2⌈Q/2⌉, rows, 4) its gradients */
  firstCells: usize;
  resets: usize;
  resetGradients: usize;
  /** 1/B; clipping; step size with bias correction; learning rate · weight decay */
  scale: f32;
  clip: f32;
  rate: f32;
  decay: f32;
  beta1: f32;
  beta2: f32;
  epsilon: f32;
}

// @ts-ignore: decorator
@inline
export function round4(n: i32): i32 { return (n + 3) & ~3; }

// @ts-ignore: decorator
@inline
export function int(base: usize, i: i32): i32 { return load<i32>(base + (<usize>i << 2)); }

// @ts-ignore: decorator
@inline
export function tick(progress: usize): void { store<i32>(progress, load<i32>(progress) + 1); }

// @ts-ignore: decorator
@inline
export function mul(a: v128, b: v128): v128 { return f32x4.mul(a, b); }

/**
 * Gradients below 1e-25 become 0, NaN stays. On their way through hundreds of steps they fade into numbers below 1e-38, which
 * processors handle a hundred times slower; WebAssembly cannot switch that off.
 */
// @ts-ignore: decorator
@inline
export function flush(x: v128): v128 { return v128.andnot(x, f32x4.lt(f32x4.abs(x), f32x4.splat(1e-25))); }

// @ts-ignore: decorator
@inline
export function counts(workspace: usize): usize { return workspace; }
// @ts-ignore: decorator
@inline
export function offsets(job: Job, workspace: usize): usize { return workspace + (<usize>(job.timesteps + 2) << 2); }

/** Rows between two blocks. Odd in units of 4 rows, so that a column of blocks does not fall into one set of the cache. */
export function packedPitch(job: Job, workspace: usize): usize {
  return <usize>((int(offsets(job, workspace), job.timesteps) + 3) & ~7) + 4;
}
