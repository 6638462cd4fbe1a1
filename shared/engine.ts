// Scores channels with the WASM kernel and owns the kernel's memory: who lies where is decided here, once, at creation.
// Takes a compiled module, since workerd compiles none at run time. Knows no recipe and no artifact.
// Legend: N sequences, T steps, C channels, U units, B = ⌈U/4⌉ blocks of four units.
import type { Calibration, Network } from "./networks/lstm.ts";
import { MAX_TIMESTEPS } from "./sequence.ts";

export interface Engine {
  /** Which implementation answers: `wasm`, or `onnxruntime-web` where edge/worker-onnx.ts runs. */
  readonly name: string;
  /** How far its probabilities may lie from the trainer's, absolute; 0 where it is left out. */
  readonly tolerance?: number;
  /**
   * Scores N sequences. `channels` (N,T,C) float32, left-aligned: the first `lengths[n]` rows of each hold data, the rest is
   * never read. `lengths` (N), each 1..T. `shift` is added to the calibrated logits, default 0. Returns (N) float32
   * probabilities. Same bits for any N.
   */
  probabilities(channels: Float32Array, lengths: Int32Array, shift?: number): Float32Array;
}

/** What shared/kernel/inference.ts exports. Addresses in bytes; its header says what lies there. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  /** Natural logarithm and exponential of a float64, below 1 ulp, the same bits on every host. */
  log(x: number): number;
  exp(x: number): number;
  /** The gates' activations, float32. */
  sigmoid(x: number): number;
  tanh(x: number): number;
  prepare(): number;
  packWeights(C: number, U: number, matrix: number, weights: number, gateScale: number, tanhScale: number, half: number): void;
  advanceOne(C: number, U: number, weights: number, inputs: number, state: number, from: number, to: number): void;
  advanceEight(C: number, U: number, weights: number, inputs: number, stride: number, state: number, from: number, to: number): void;
  /** The same with hard sigmoids. */
  readonly advanceOneHard: Kernel["advanceOne"];
  readonly advanceEightHard: Kernel["advanceEight"];
  probabilityOne(C: number, U: number, head: number, state: number, steps: number, slope: number, intercept: number): number;
  probabilityEight(
    C: number,
    U: number,
    head: number,
    state: number,
    steps: number,
    slope: number,
    intercept: number,
    results: number,
  ): void;
}

const LANES = 8;
/** 2·log2 e; sigmoids take −½ of it, exactly. */
const TANH_SCALE = 2.8853900817779268;
/** Wasm's page. */
const PAGE_BYTES = 65536;
/** A step of one sequence alone against its share of a step of eight (measured: 21.1 µs to 19.1 µs a sequence). */
const ALONE_COST = 1.1;

/** An instance of the kernel with a memory of its own, ready for log, exp and the activations. */
export function instantiateKernel(module: WebAssembly.Module): Kernel {
  const kernel = new WebAssembly.Instance(module).exports as unknown as Kernel;
  kernel.memory.grow(1);
  kernel.prepare();
  return kernel;
}

/** The engine of one network. Memory is taken here and never again, whatever N: sequences go through eight at a time. */
export function createWasmEngine(module: WebAssembly.Module, network: Network, calibration: Calibration): Engine {
  const { channels: C, units: U } = network;
  const kernel = instantiateKernel(module);
  const blockFloats = 16 * (1 + C + U);
  const weights = kernel.prepare();
  const head = align(weights + 4 * blockFloats * Math.ceil(U / 4));
  const inputs = align(head + 4 * (1 + U));
  const state = align(inputs + 4 * LANES * MAX_TIMESTEPS * C);
  const results = align(state + 4 * LANES * (2 * (C + U) + U)); // eight states take more than one in blocks of four units
  const matrix = head; // the weights as they come lie there until they are packed, and nothing else does yet
  const bytes = Math.max(results + 4 * LANES, matrix + 16 * U * (1 + C + U));
  kernel.memory.grow(Math.ceil(bytes / PAGE_BYTES) - kernel.memory.buffer.byteLength / PAGE_BYTES);
  const memory = new Float32Array(kernel.memory.buffer);

  const { backwards, initial, hardGates } = network;
  memory.set(network.bias, matrix / 4);
  memory.set(network.kernel, matrix / 4 + 4 * U);
  memory.set(network.recurrent, matrix / 4 + 4 * U * (1 + C));
  // The activations take powers of two, or a hard sigmoid's slope and half.
  kernel.packWeights(C, U, matrix, weights, hardGates ?? -TANH_SCALE / 2, TANH_SCALE, hardGates === undefined ? 0 : 0.5);
  memory.fill(0, matrix / 4);
  memory[head / 4] = network.headBias[0];
  memory.set(network.headKernel, head / 4 + 1);
  const advanceOne = hardGates === undefined ? kernel.advanceOne : kernel.advanceOneHard;
  const advanceEight = hardGates === undefined ? kernel.advanceEight : kernel.advanceEightHard;
  // The kernel takes the state for zeros at step 0. One that is not is put where step 2 finds it: steps of even number share a buffer.
  const start = initial === undefined ? 0 : 2;
  const firstInput = inputs - 4 * start * C;
  const { slope } = calibration;
  let { intercept } = calibration; // with the shift of the call that is running

  function copyInput(channels: Float32Array, offset: number, length: number, to: number): void {
    let at = inputs / 4 + to;
    if (backwards)
      for (let row = offset + (length - 1) * C; row >= offset; row -= C) for (let c = 0; c < C; c++) memory[at++] = channels[row + c];
    else for (let i = 0; i < length * C; i++) memory[at + i] = channels[offset + i];
  }

  /** For `lanes` sequences side by side, `rows` being their units' places. */
  function copyInitial(lanes: number, rows: number): void {
    if (initial === undefined) return;
    const hidden = state / 4 + C * lanes;
    const cell = state / 4 + 2 * (C + rows) * lanes;
    for (let u = 0; u < U; u++) {
      memory.fill(initial.hidden[u], hidden + u * lanes, hidden + (u + 1) * lanes);
      memory.fill(initial.cell[u], cell + u * lanes, cell + (u + 1) * lanes);
    }
  }

  function scoreOne(channels: Float32Array, offset: number, length: number): number {
    copyInput(channels, offset, length, 0);
    copyInitial(1, 4 * Math.ceil(U / 4));
    advanceOne(C, U, weights, firstInput, state, start, start + length);
    return kernel.probabilityOne(C, U, head, state, start + length, slope, intercept);
  }

  /**
   * The sequences order[from … from + 8), longest first. One that has ended stays in its lane, and what becomes of it there is
   * never read.
   */
  function scoreEight(channels: Float32Array, size: number, lengths: Int32Array, order: Int32Array, from: number, out: Float32Array): void {
    for (let lane = 0; lane < LANES; lane++) {
      const n = order[from + lane];
      copyInput(channels, n * size, lengths[n], lane * size);
    }
    copyInitial(LANES, U);
    let reached = 0;
    for (let lane = LANES - 1; lane >= 0; lane--) {
      const n = order[from + lane];
      if (lengths[n] > reached) {
        advanceEight(C, U, weights, firstInput, 4 * size, state, start + reached, start + lengths[n]);
        reached = lengths[n];
        kernel.probabilityEight(C, U, head, state, start + reached, slope, intercept, results);
      }
      out[n] = memory[results / 4 + lane];
    }
  }

  return {
    name: "wasm",
    probabilities(channels, lengths, shift = 0) {
      intercept = calibration.intercept + shift;
      const N = lengths.length;
      const out = new Float32Array(N);
      if (N === 0) return out;
      const size = channels.length / N;
      const T = size / C;
      if (!Number.isInteger(T) || T > MAX_TIMESTEPS)
        throw new RangeError(`channels must be ${N} × up to ${MAX_TIMESTEPS} steps × ${C}, got ${channels.length} numbers`);
      for (let n = 0; n < N; n++)
        if (!(lengths[n] >= 1 && lengths[n] <= T)) throw new RangeError(`lengths[${n}] must be 1 to ${T}, got ${lengths[n]}`);
      if (N < LANES) {
        for (let n = 0; n < N; n++) out[n] = scoreOne(channels, n * size, lengths[n]);
        return out;
      }
      const order = longestFirst(lengths, T);
      for (let from = 0; from < N; ) {
        if (sharesLength(lengths, order, from)) {
          scoreEight(channels, size, lengths, order, from, out);
          from += LANES;
        } else {
          const n = order[from++];
          out[n] = scoreOne(channels, n * size, lengths[n]);
        }
      }
      return out;
    },
  };
}

/** Whether eight are left, and near enough in length that their steps together cost less than alone. */
function sharesLength(lengths: Int32Array, order: Int32Array, from: number): boolean {
  if (from + LANES > order.length) return false;
  let steps = 0;
  for (let lane = 0; lane < LANES; lane++) steps += lengths[order[from + lane]];
  return steps * ALONE_COST >= LANES * lengths[order[from]];
}

/** The indices of `lengths`, each 1..T, by length downwards: a counting sort. */
function longestFirst(lengths: Int32Array, T: number): Int32Array {
  const starts = new Int32Array(T + 1); // by T − length
  for (let n = 0; n < lengths.length; n++) starts[T - lengths[n] + 1]++;
  for (let i = 1; i <= T; i++) starts[i] += starts[i - 1];
  const order = new Int32Array(lengths.length);
  for (let n = 0; n < lengths.length; n++) order[starts[T - lengths[n]]++] = n;
  return order;
}

/** The next address at which a cache line begins. */
function align(address: number): number {
  return Math.ceil(address / 64) * 64;
}
