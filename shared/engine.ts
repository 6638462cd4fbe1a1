// Scores channels with the WASM kernel and owns the kernel's memory: who lies where is decided here, once, at creation.
// Takes a compiled module, since workerd compiles none at run time. Knows no recipe and no artifact.
// Legend: N sequences, T steps, C channels, U units, B = ⌈U/4⌉ blocks of four units.
import { LANES, longestFirst, sharesLength } from "./lanes.ts";
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

/** 2·log2 e; sigmoids take −½ of it, exactly. */
const TANH_SCALE = 2.8853900817779268;
/** Wasm's page. */
const PAGE_BYTES = 65536;

/** An instance of the kernel with a memory of its own, ready for log, exp and the activations. */
export function instantiateKernel(module: WebAssembly.Module): Kernel {
  const kernel = new WebAssembly.Instance(module).exports as unknown as Kernel;
  kernel.memory.grow(1);
  kernel.prepare();
  return kernel;
}

/** The engine of one network. Memory is taken here and never again, whatever N: sequences go through eight at a time. */
export function createWasmEngine(module: WebAssembly.Module, network: Network, calibration: Calibration): Engine {
  const resident = loadNetwork(module, network);
  return {
    name: "wasm",
    probabilities(channels, lengths, shift = 0) {
      const N = lengths.length;
      const out = new Float32Array(N);
      if (N === 0) return out;
      const batch = { channels, lengths, size: channels.length / N };
      const T = checkBatch(batch, network.channels);
      const calibrated = { slope: calibration.slope, intercept: calibration.intercept + shift };
      if (N < LANES) {
        for (let n = 0; n < N; n++) out[n] = scoreOne(resident, batch, n, calibrated);
        return out;
      }
      const order = longestFirst(lengths, T);
      for (let first = 0; first < N; ) {
        if (sharesLength(lengths, order, first)) {
          scoreEight(resident, batch, order.subarray(first, first + LANES), calibrated, out);
          first += LANES;
        } else {
          const n = order[first++];
          out[n] = scoreOne(resident, batch, n, calibrated);
        }
      }
      return out;
    },
  };
}

/** Addresses in the kernel's memory, bytes. */
interface MemoryMap {
  /** Packed weights, B blocks. */
  readonly weights: number;
  /** (1+U) bias and kernel of the head */
  readonly head: number;
  /** (T,C) of one sequence, or (8,T,C) */
  readonly inputs: number;
  /** The state of one sequence, or of eight: eight take more than one in blocks of four units. */
  readonly state: number;
  /** (8) probabilities */
  readonly results: number;
  /** (1+C+U,4U) weights as they come, until they are packed: over head and all that follows, where nothing lies yet. */
  readonly matrix: number;
  /** The end of all this. */
  readonly end: number;
}

function mapMemory(weights: number, C: number, U: number): MemoryMap {
  const blockFloats = 16 * (1 + C + U);
  const head = align(weights + 4 * blockFloats * Math.ceil(U / 4));
  const inputs = align(head + 4 * (1 + U));
  const state = align(inputs + 4 * LANES * MAX_TIMESTEPS * C);
  const results = align(state + 4 * LANES * (2 * (C + U) + U));
  return { weights, head, inputs, state, results, matrix: head, end: Math.max(results + 4 * LANES, head + 16 * U * (1 + C + U)) };
}

/** A network that lies in a kernel's memory. */
interface Resident {
  readonly network: Network;
  readonly kernel: Kernel;
  readonly memory: Float32Array;
  readonly map: MemoryMap;
  readonly advanceOne: Kernel["advanceOne"];
  readonly advanceEight: Kernel["advanceEight"];
  /**
   * The first step's number. The kernel takes the state for zeros at step 0. One that is not is put where step 2 finds it: steps of
   * even number share a buffer.
   */
  readonly start: 0 | 2;
}

function loadNetwork(module: WebAssembly.Module, network: Network): Resident {
  const { channels: C, units: U, initial, hardGates } = network;
  const kernel = instantiateKernel(module);
  const map = mapMemory(kernel.prepare(), C, U);
  kernel.memory.grow(Math.ceil(map.end / PAGE_BYTES) - kernel.memory.buffer.byteLength / PAGE_BYTES);
  const memory = new Float32Array(kernel.memory.buffer);
  packNetwork(kernel, memory, map, network);
  const isHard = hardGates !== undefined;
  return {
    network,
    kernel,
    memory,
    map,
    advanceOne: isHard ? kernel.advanceOneHard : kernel.advanceOne,
    advanceEight: isHard ? kernel.advanceEightHard : kernel.advanceEight,
    start: initial === undefined ? 0 : 2,
  };
}

/** Packs the weights, and puts the head where it lies from then on. */
function packNetwork(kernel: Kernel, memory: Float32Array, { weights, head, matrix }: MemoryMap, network: Network): void {
  const { channels: C, units: U, hardGates } = network;
  memory.set(network.bias, matrix / 4);
  memory.set(network.kernel, matrix / 4 + 4 * U);
  memory.set(network.recurrent, matrix / 4 + 4 * U * (1 + C));
  // The activations take powers of two, or a hard sigmoid's slope and half.
  kernel.packWeights(C, U, matrix, weights, hardGates ?? -TANH_SCALE / 2, TANH_SCALE, hardGates === undefined ? 0 : 0.5);
  memory.fill(0, matrix / 4);
  memory[head / 4] = network.headBias[0];
  memory.set(network.headKernel, head / 4 + 1);
}

/** What one call scores: `channels` (N,T,C) and `lengths` (N); `size` is T·C. */
interface Batch {
  readonly channels: Float32Array;
  readonly lengths: Int32Array;
  readonly size: number;
}

/** Returns T. Throws RangeError where sizes do not fit together or a length is not 1 to T. */
function checkBatch({ channels, lengths, size }: Batch, C: number): number {
  const N = lengths.length;
  const T = size / C;
  if (!Number.isInteger(T) || T > MAX_TIMESTEPS)
    throw new RangeError(`channels must be ${N} × up to ${MAX_TIMESTEPS} steps × ${C}, got ${channels.length} numbers`);
  for (let n = 0; n < N; n++)
    if (!(lengths[n] >= 1 && lengths[n] <= T)) throw new RangeError(`lengths[${n}] must be 1 to ${T}, got ${lengths[n]}`);
  return T;
}

/** Writes the rows of sequence `n` to the inputs, `to` floats behind their beginning, in the order in which they are read. */
function copyInput({ memory, map, network }: Resident, { channels, lengths, size }: Batch, n: number, to: number): void {
  const C = network.channels;
  const from = n * size;
  const floats = lengths[n] * C;
  let at = map.inputs / 4 + to;
  if (network.backwards)
    for (let row = from + floats - C; row >= from; row -= C) for (let c = 0; c < C; c++) memory[at++] = channels[row + c];
  else for (let i = 0; i < floats; i++) memory[at + i] = channels[from + i];
}

/** Writes the state before the first step, if it is not zeros, for `lanes` sequences side by side; a state has `rows` per unit's part. */
function copyInitial({ memory, map, network }: Resident, lanes: number, rows: number): void {
  const { channels: C, units: U, initial } = network;
  if (initial === undefined) return;
  const hidden = map.state / 4 + C * lanes;
  const cell = map.state / 4 + 2 * (C + rows) * lanes;
  for (let u = 0; u < U; u++) {
    memory.fill(initial.hidden[u], hidden + u * lanes, hidden + (u + 1) * lanes);
    memory.fill(initial.cell[u], cell + u * lanes, cell + (u + 1) * lanes);
  }
}

function scoreOne(resident: Resident, batch: Batch, n: number, { slope, intercept }: Calibration): number {
  const { network, kernel, map, start } = resident;
  const { channels: C, units: U } = network;
  const end = start + batch.lengths[n];
  copyInput(resident, batch, n, 0);
  copyInitial(resident, 1, 4 * Math.ceil(U / 4));
  resident.advanceOne(C, U, map.weights, map.inputs - 4 * start * C, map.state, start, end);
  return kernel.probabilityOne(C, U, map.head, map.state, end, slope, intercept);
}

/**
 * Scores the eight sequences `lanes`, longest first, into `out` (N). One that has ended stays in its lane, and what becomes of it
 * there is never read.
 */
function scoreEight(resident: Resident, batch: Batch, lanes: Int32Array, { slope, intercept }: Calibration, out: Float32Array): void {
  const { network, kernel, memory, map, start } = resident;
  const { channels: C, units: U } = network;
  const { lengths, size } = batch;
  for (let lane = 0; lane < LANES; lane++) copyInput(resident, batch, lanes[lane], lane * size);
  copyInitial(resident, LANES, U);
  let reached = 0;
  for (let lane = LANES - 1; lane >= 0; lane--) {
    const n = lanes[lane];
    if (lengths[n] > reached) {
      resident.advanceEight(C, U, map.weights, map.inputs - 4 * start * C, 4 * size, map.state, start + reached, start + lengths[n]);
      reached = lengths[n];
      kernel.probabilityEight(C, U, map.head, map.state, start + reached, slope, intercept, map.results);
    }
    out[n] = memory[map.results / 4 + lane];
  }
}

/** The next address at which a cache line begins. */
function align(address: number): number {
  return Math.ceil(address / 64) * 64;
}
