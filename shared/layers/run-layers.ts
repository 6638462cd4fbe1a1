// Runs packed layers over the rows of one sequence, or of eight side by side. All memory is laid out once, for sequences of up to T
// rows; nothing is allocated while sequences run.
// Legend: T steps, R rows, W width, U units, B = ⌈U/4⌉ vectors of a gate.
import { align, growMemory, type Kernel } from "../kernel-instance.ts";
import { LANES } from "../lanes.ts";
import { BRANCH_MERGES, GLOBAL_POOLS, type Layer, type Returns, rowsAfter, widthAfter, widthBehind } from "../networks/layers.ts";
import type { PackedCell, PackedLayer, PackedNetwork, PackedRow } from "./pack-layers.ts";

/** Steps of one sequence whose inputs' part is computed before their states, while weights are near; a long one takes no more memory. */
const CHUNK = 16;
/** Of eight sequences: gates of more steps would not stay near (measured). */
const CHUNK_OF_EIGHT = 2;

/** Where rows and states lie, addresses in bytes. */
interface Workspace {
  /** Rows before a layer and after it, changing places, and three places more for rows on their way. */
  readonly rows: readonly [number, number, number, number, number];
  /** A chunk's rows of a cell's gates. */
  readonly gates: number;
  readonly state: number;
  /** For each depth of branches: the rows that all read, and those that they leave. */
  readonly branches: readonly (readonly [number, number])[];
  /** (8) i32 */
  readonly lengths: number;
  /** (8) i32, all 0: lengths of lanes without rows. */
  readonly noLengths: number;
}

/** Sequences on their way through the layers. */
interface Run {
  readonly kernel: Kernel;
  readonly workspace: Workspace;
  readonly lanes: 1 | typeof LANES;
  /** As LayersRunner.lengths: those of the rows that the next layer reads. */
  readonly lengths: Int32Array;
  /** The rows that a layer reads, and those that it writes. */
  input: number;
  output: number;
  /** How many branches lie around the layer. */
  depth: number;
}

/** Runs a network over rows that stand in the kernel's memory. */
export interface LayersRunner {
  /** Where the first layer's rows are to be written, (R,Wp) of one sequence or (R,Wp,8) of eight, in floats; Wp is C rounded up to 4. */
  readonly inputs: number;
  /** The kernel's memory. */
  readonly memory: Float32Array;
  /** (8) i32 of the kernel's memory: rows of each lane, the longest first; of one sequence, eight times the same. A run changes them. */
  readonly lengths: Int32Array;
  /** Runs `lanes` sequences. Returns where the logits (lanes) lie, in floats. */
  run(lanes: 1 | typeof LANES): number;
}

/** Takes the memory for sequences of up to `T` rows, behind the packed network. */
export function createRunner(kernel: Kernel, network: PackedNetwork, channels: number, T: number): LayersRunner {
  const workspace = layOutWorkspace(kernel, network, channels, T);
  const memory = new Float32Array(kernel.memory.buffer);
  const lengths = new Int32Array(kernel.memory.buffer, workspace.lengths, LANES);
  memory.fill(0, workspace.noLengths / 4, workspace.noLengths / 4 + LANES);
  return {
    inputs: workspace.rows[0] / 4,
    memory,
    lengths,
    run(lanes) {
      const [input, output] = workspace.rows;
      const run: Run = { kernel, workspace, lanes, lengths, input, output, depth: 0 };
      runLayers(run, network.layers);
      return run.input / 4;
    },
  };
}

function runLayers(run: Run, layers: readonly PackedLayer[]): void {
  for (const packed of layers) {
    if (packed.kind === "branches") {
      runBranches(run, packed);
      continue;
    }
    runLayer(run, packed);
    updateLengths(run.lengths, packed.layer);
  }
}

/** Lanes of one length stand side by side: it is looked up once. */
function updateLengths(lengths: Int32Array, layer: Layer): void {
  let before = -1;
  let after = 0;
  for (let lane = 0; lane < LANES; lane++) {
    const length = lengths[lane];
    if (length !== before) after = rowsAfter(layer, length);
    before = length;
    lengths[lane] = after;
  }
}

/** Bytes of a row of width W of eight sequences. */
function rowBytes(W: number, lanes: number): number {
  return 16 * Math.ceil(W / 4) * lanes;
}

function startOf({ one, eight }: PackedRow, lanes: number): number {
  return lanes === 1 ? one : eight;
}

function layOutWorkspace(kernel: Kernel, { layers, end }: PackedNetwork, channels: number, T: number): Workspace {
  const { most, units, gates, depth } = measureLayers(layers, T, { most: T * rowBytes(channels, LANES), units: 0, gates: 0, depth: 0 });
  const lengths = align(end);
  const noLengths = align(lengths + 4 * LANES);
  const state = align(noLengths + 4 * LANES);
  const firstGates = align(state + 3 * rowBytes(units, LANES));
  let next = align(firstGates + 16 * gates * Math.max(CHUNK, CHUNK_OF_EIGHT * LANES));
  const place = (): number => {
    const at = next;
    next = align(next + most);
    return at;
  };
  const rows = [place(), place(), place(), place(), place()] as const;
  const branches = Array.from({ length: depth }, () => [place(), place()] as const);
  growMemory(kernel, next + 64); // products read whole blocks of four vectors
  return { rows, branches, gates: firstGates, state, lengths, noLengths };
}

/** Bytes of the most rows between layers, the most units and vectors of gates, and how deep branches lie in branches. */
interface Sizes {
  readonly most: number;
  readonly units: number;
  readonly gates: number;
  readonly depth: number;
}

function measureLayers(layers: readonly PackedLayer[], R: number, start: Sizes): Sizes {
  let { most, units, gates, depth } = start;
  let rows = R;
  for (const packed of layers) {
    const { layer, width } = packed;
    const pads = layer.kind === "conv" ? layer.pads[0] + layer.pads[1] : 0;
    most = Math.max(most, (rows + pads) * rowBytes(width, LANES));
    for (const cell of cellsOf(packed)) {
      const { units: U } = cell;
      gates = Math.max(gates, gatesOf(cell));
      units = Math.max(units, U);
      most = Math.max(most, rows * rowBytes(U, LANES)); // all states, where the last is sought among them
    }
    for (const branch of packed.kind === "branches" ? packed.branches : []) {
      const inner = measureLayers(branch, rows, { most, units, gates, depth: 0 });
      ({ most, units, gates } = inner);
      depth = Math.max(depth, inner.depth + 1);
    }
    rows = rowsAfter(layer, rows);
    // Poolings side by side, and a state at its place in a row, end in whole vectors: one more is room for them
    most = Math.max(most, rows * rowBytes(widthAfter(layer, width), LANES) + 16 * LANES);
  }
  return { most, units, gates, depth };
}

/** Vectors of a step's row. */
function gatesOf({ bias, recurrentBias }: PackedCell): number {
  return bias.V + (recurrentBias?.V ?? 0);
}

function cellsOf(packed: PackedLayer): PackedCell[] {
  if (packed.kind === "recurrent") return [packed.cell];
  return packed.kind === "bidirectional" ? [packed.forward, packed.backward] : [];
}

/** Each branch is given the rows anew, for layers change them in place, and what it leaves is put beside what others left, or into it. */
function runBranches(run: Run, { layer, branches, width: W, lengths }: Extract<PackedLayer, { kind: "branches" }>): void {
  const { kernel, lanes, workspace } = run;
  const [given, left] = workspace.branches[run.depth++];
  const bytes = run.lengths[0] * rowBytes(W, lanes);
  const stride = rowBytes(widthAfter(layer, W), lanes);
  let offset = 0;
  lengths.set(run.lengths);
  kernel.copyColumns(1, bytes, run.input, 0, given, 0);
  layer.branches.forEach((branch, b) => {
    if (b > 0) kernel.copyColumns(1, bytes, given, 0, run.input, 0);
    run.lengths.set(lengths);
    runLayers(run, branches[b]);
    const U = widthBehind(branch, W);
    const rows = run.lengths[0];
    if (b === 0 || layer.merge === "concat") kernel.copyColumns(rows, 4 * U * lanes, run.input, rowBytes(U, lanes), left + offset, stride);
    else kernel.mergeRows(BRANCH_MERGES.indexOf(layer.merge) - 1, left, run.input, (rows * stride) / 16);
    offset += 4 * U * lanes;
  });
  kernel.copyColumns(1, run.lengths[0] * stride, left, 0, run.input, 0);
  run.depth--;
}

/** Leaves the layer's rows at `run.input`. */
function runLayer(run: Run, packed: Exclude<PackedLayer, { kind: "branches" }>): void {
  const { kernel, lanes, input, output, workspace } = run;
  const { width: W } = packed;
  const R = run.lengths[0];
  const stride = rowBytes(W, lanes);
  switch (packed.kind) {
    case "activation":
      kernel.activate(packed.activation.kind, packed.activation.parameter, input, (R * stride) / 16);
      return;
    case "affine":
      kernel.scaleRows(lanes, R, W, ...packed.numbers, input, stride);
      return;
    case "layerNormalization":
      kernel.normaliseRows(lanes, R, W, ...packed.numbers, packed.layer.epsilon, input, stride);
      return;
    case "recurrent": {
      const { returns, backwards = false } = packed.layer;
      runCell(run, packed.cell, W, output, rowBytes(packed.cell.units, lanes), returns, backwards);
      break;
    }
    case "bidirectional":
      runBidirectional(run, packed);
      break;
    case "conv":
      runConv(run, packed);
      break;
    case "pooling": {
      const { by, poolSize, strides, pads, countsPads } = packed.layer;
      const divisor = countsPads ? poolSize : 0;
      const pool = GLOBAL_POOLS.indexOf(by);
      const windows = rowsAfter(packed.layer, R);
      kernel.poolWindows(pool, windows, poolSize, strides, pads[0], divisor, stride, workspace.lengths, input, output);
      break;
    }
    case "globalPooling":
      packed.layer.by.forEach((by, i) => {
        const to = output + 4 * i * W * lanes;
        kernel.poolRows(GLOBAL_POOLS.indexOf(by === "ends" ? "last" : by), R, stride, workspace.lengths, input, to);
        const half = 2 * W * lanes;
        if (by === "ends") kernel.copyColumns(1, half, input + half, 0, to + half, 0); // of the first row
      });
      break;
    case "attentionPooling":
      kernel.attendRows(lanes, R, W - 1, workspace.lengths, input, stride, output);
      break;
    case "flatten":
      kernel.copyColumns(R, 4 * W * lanes, input, stride, output, 4 * W * lanes);
      break;
    case "reverse":
      kernel.reverseRows(lanes, stride, workspace.lengths, input, output);
      break;
    case "dense":
      runDense(run, packed);
      break;
  }
  run.input = output;
  run.output = input;
}

function runDense({ kernel, lanes, lengths, input, output }: Run, packed: Extract<PackedLayer, { kind: "dense" }>): void {
  const { width: W, matrix, bias, layer } = packed;
  const outStride = rowBytes(layer.units, lanes);
  const start = startOf(bias, lanes);
  kernel.addProducts(lanes, lengths[0], W, matrix.V, matrix.weights, input, rowBytes(W, lanes), start, 0, output, outStride);
}

/** Rows of zeros are put in front and behind, then each of the kernel's rows adds its part. */
function runConv({ kernel, lanes, lengths, input, output, workspace }: Run, packed: Extract<PackedLayer, { kind: "conv" }>): void {
  const { width: W, layer, taps, bias } = packed;
  const { pads, strides, dilationRate, filters } = layer;
  const stride = rowBytes(W, lanes);
  const outStride = rowBytes(filters, lanes);
  const padded = workspace.rows[2];
  kernel.maskRows(pads[0], stride, workspace.noLengths, padded, padded);
  kernel.maskRows(lengths[0] + pads[1], stride, workspace.lengths, input, padded + pads[0] * stride);
  const rows = rowsAfter(layer, lengths[0]);
  taps.forEach(({ V, weights }, k) => {
    const [start, startStride] = k === 0 ? [startOf(bias, lanes), 0] : [output, outStride];
    const from = padded + k * dilationRate * stride;
    kernel.addProducts(lanes, rows, W, V, weights, from, strides * stride, start, startStride, output, outStride);
  });
}

function runBidirectional(run: Run, packed: Extract<PackedLayer, { kind: "bidirectional" }>): void {
  const { kernel, lanes, output, lengths, workspace } = run;
  const { layer, width: W, forward, backward } = packed;
  const { merge, returns } = layer;
  const U = forward.units;
  const stride = rowBytes(widthAfter(layer, W), lanes);
  runCell(run, forward, W, output, stride, returns, false);
  if (merge === "concat") {
    runCell(run, backward, W, output + 4 * U * lanes, stride, returns, true);
    return;
  }
  const others = workspace.rows[4];
  runCell(run, backward, W, others, stride, returns, true);
  const rows = returns === "sequence" ? lengths[0] : 1;
  kernel.mergeRows(["sum", "mul", "ave"].indexOf(merge), output, others, (rows * stride) / 16);
}

/**
 * Runs a cell over the input's rows and writes the rows, or the one row, that it returns to `out`, `outStride` bytes apart. Lanes of
 * several lengths that are read backwards are turned first, since each begins at its own last row; and where each ends at a step of its own,
 * the last state is sought among all.
 */
function runCell(run: Run, cell: PackedCell, W: number, out: number, outStride: number, returns: Returns, backwards: boolean): void {
  const { kernel, lanes, lengths, workspace, input } = run;
  const [, , turned, states] = workspace.rows;
  const R = lengths[0];
  const isEven = lengths[LANES - 1] === R; // the last lane is the shortest
  const own = rowBytes(cell.units, lanes);
  const numbers = 4 * cell.units * lanes;
  if (isEven) {
    const isSequence = returns === "sequence";
    advanceCell(run, cell, W, input, isSequence ? out : 0, outStride, false, backwards);
    if (!isSequence) kernel.copyColumns(1, numbers, workspace.state + (returns === "cell" ? own : 0), 0, out, 0);
    return;
  }
  if (backwards) kernel.reverseRows(lanes, rowBytes(W, lanes), workspace.lengths, input, turned);
  const source = backwards ? turned : input;
  if (returns === "sequence" && !backwards) {
    advanceCell(run, cell, W, source, out, outStride, false, false);
    return;
  }
  advanceCell(run, cell, W, source, states, own, returns === "cell", false);
  if (returns === "sequence") {
    kernel.reverseRows(lanes, own, workspace.lengths, states, turned);
    kernel.copyColumns(R, numbers, turned, own, out, outStride);
  } else {
    kernel.poolRows(GLOBAL_POOLS.indexOf("last"), R, own, workspace.lengths, states, turned);
    kernel.copyColumns(1, numbers, turned, 0, out, 0);
  }
}

/** All lanes' steps at once, each step's row to `out` unless that is 0: CHUNK steps' inputs, then their states. */
function advanceCell(
  { kernel, lanes, lengths, workspace: { gates, state } }: Run,
  cell: PackedCell,
  W: number,
  input: number,
  out: number,
  outStride: number,
  ofCell: boolean,
  backwards: boolean,
): void {
  const { record, inputs, bias, recurrentBias, initial, units } = cell;
  const R = lengths[0];
  const stride = rowBytes(W, lanes);
  const gatesStride = 16 * gatesOf(cell) * lanes;
  if (initial !== undefined) {
    const own = rowBytes(units, lanes);
    kernel.copyColumns(1, own, startOf(initial.hidden, lanes), 0, state, 0);
    kernel.copyColumns(1, own, startOf(initial.cell, lanes), 0, state + own, 0);
  }
  const chunk = lanes === 1 ? CHUNK : CHUNK_OF_EIGHT;
  for (let from = 0; from < R; from += chunk) {
    const steps = Math.min(chunk, R - from);
    const first = backwards ? R - from - steps : from; // row
    const rows = input + first * stride;
    kernel.addProducts(lanes, steps, W, inputs.V, inputs.weights, rows, stride, startOf(bias, lanes), 0, gates, gatesStride);
    if (recurrentBias !== undefined) {
      const behind = gates + 16 * bias.V * lanes;
      kernel.copyColumns(steps, 16 * recurrentBias.V * lanes, startOf(recurrentBias, lanes), 0, behind, gatesStride);
    }
    const start = backwards ? steps - 1 : 0;
    const sign = backwards ? -1 : 1;
    const isFresh = from === 0 && initial === undefined;
    const to = out === 0 ? 0 : out + (first + start) * outStride;
    kernel.advance(record, lanes, steps, gates + start * gatesStride, sign * gatesStride, state, isFresh, to, sign * outStride, ofCell);
  }
}
