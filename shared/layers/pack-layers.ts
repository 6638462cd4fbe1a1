// A network's layers in a kernel's memory: weights are packed once, as shared/kernel/products.ts and recurrent.ts want them.
// Legend: W width of a layer's rows, U units, B = ⌈U/4⌉ vectors of a gate, V vectors.
import { align, growMemory, type Kernel, TANH_SCALE } from "../kernel-instance.ts";
import { LANES } from "../lanes.ts";
import type { Activation } from "../networks/activation.ts";
import { activationsOf, type Cell, GATES, type GruCell, type Layer, type LayeredNetwork, widthAfter } from "../networks/layers.ts";

/** In the order of shared/kernel/pointwise.ts. */
const ACTIVATIONS = [
  "linear",
  "relu",
  "leakyRelu",
  "elu",
  "selu",
  "silu",
  "gelu by tanh",
  "gelu",
  "tanh",
  "sigmoid",
  "hardSigmoid",
  "softplus",
  "softsign",
];

/** As shared/kernel/recurrent.ts numbers them. */
const [LSTM, ANY_LSTM, GRU, ANY_GRU, OLD_GRU, RNN] = [0, 1, 2, 3, 4, 5];

/** A function as the kernel is told it. */
export interface PackedActivation {
  readonly kind: number;
  readonly parameter: number;
}

/** A matrix in memory: V vectors of outputs. */
interface PackedMatrix {
  readonly V: number;
  readonly weights: number;
}

/** A row of V vectors in memory, addresses in bytes: as one sequence reads it, and as eight side by side do. */
export interface PackedRow {
  readonly V: number;
  readonly one: number;
  readonly eight: number;
}

/** A cell in memory, addresses in bytes. */
export interface PackedCell {
  readonly units: number;
  /** What shared/kernel/recurrent.ts reads of it. */
  readonly record: number;
  /** The inputs' part of the gates, the first of them. */
  readonly inputs: PackedMatrix;
  readonly bias: PackedRow;
  /** What stands behind the gates in a step's row, if anything does: a candidate's recurrent part before states are added. */
  readonly recurrentBias?: PackedRow;
  /** B vectors each; undefined where the state before the first step is zeros. */
  readonly initial?: { readonly hidden: PackedRow; readonly cell: PackedRow };
}

/** A layer of some kind, the width of its rows, and what of it lies in memory. */
type Packed<K extends Layer["kind"], Parts = unknown> = {
  readonly kind: K;
  readonly layer: Extract<Layer, { kind: K }>;
  readonly width: number;
} & Parts;

export type PackedLayer =
  | Packed<"recurrent", { readonly cell: PackedCell }>
  | Packed<"bidirectional", { readonly forward: PackedCell; readonly backward: PackedCell }>
  /** A matrix for each of the kernel's rows. */
  | Packed<"conv", { readonly taps: readonly PackedMatrix[]; readonly bias: PackedRow }>
  | Packed<"dense", { readonly matrix: PackedMatrix; readonly bias: PackedRow }>
  | Packed<"activation", { readonly activation: PackedActivation }>
  /** Two lists of W numbers. */
  | Packed<"affine", { readonly numbers: readonly [number, number] }>
  | Packed<"layerNormalization", { readonly numbers: readonly [number, number] }>
  | Packed<"pooling">
  | Packed<"globalPooling">
  /** `lengths` (8) keeps those of the rows that all branches read. */
  | Packed<"branches", { readonly branches: readonly (readonly PackedLayer[])[]; readonly lengths: Int32Array }>
  | Packed<"flatten" | "reverse" | "attentionPooling">;

export interface PackedNetwork {
  readonly layers: readonly PackedLayer[];
  /** The first byte behind the weights. */
  readonly end: number;
}

/** Memory from an address on, taken piece by piece. */
interface Arena {
  readonly kernel: Kernel;
  end: number;
}

/** How a matrix's gates are packed: which comes first, which is the candidate, and what they are multiplied by. */
interface Scaling {
  readonly candidate: number;
  readonly gateScale: number;
  readonly candidateScale: number;
}

const UNSCALED: Scaling = { candidate: 0, gateScale: 1, candidateScale: 1 };

/** Packs the layers into the memory of a fresh kernel, which grows as far as they need. */
export function packLayers(kernel: Kernel, { channels, layers }: LayeredNetwork): PackedNetwork {
  const arena = { kernel, end: kernel.prepare() };
  const packed = packAll(arena, layers, channels);
  return { layers: packed, end: arena.end };
}

function packAll(arena: Arena, layers: readonly Layer[], channels: number): PackedLayer[] {
  let width = channels;
  return layers.map((layer) => {
    const own = packLayer(arena, layer, width);
    width = widthAfter(layer, width);
    return own;
  });
}

function packLayer(arena: Arena, layer: Layer, width: number): PackedLayer {
  switch (layer.kind) {
    case "recurrent":
      return { layer, width, kind: layer.kind, cell: packCell(arena, layer.cell, width) };
    case "bidirectional": {
      const [forward, backward] = [packCell(arena, layer.forward, width), packCell(arena, layer.backward, width)];
      return { layer, width, kind: layer.kind, forward, backward };
    }
    case "conv": {
      const size = width * layer.filters;
      const taps = Array.from({ length: layer.kernelSize }, (_, k) =>
        packMatrix(arena, layer.kernel.subarray(k * size, (k + 1) * size), width, 1, layer.filters),
      );
      return { layer, width, kind: layer.kind, taps, bias: packRow(arena, layer.bias, 1, layer.filters) };
    }
    case "dense": {
      const matrix = packMatrix(arena, layer.kernel, width, 1, layer.units);
      return { layer, width, kind: layer.kind, matrix, bias: packRow(arena, layer.bias, 1, layer.units) };
    }
    case "activation":
      return { layer, width, kind: layer.kind, activation: packActivation(layer.activation) };
    case "affine":
      return { layer, width, kind: layer.kind, numbers: [packNumbers(arena, layer.scale), packNumbers(arena, layer.shift)] };
    case "layerNormalization":
      return { layer, width, kind: layer.kind, numbers: [packNumbers(arena, layer.gamma), packNumbers(arena, layer.beta)] };
    case "pooling":
      return { layer, width, kind: layer.kind };
    case "globalPooling":
      return { layer, width, kind: layer.kind };
    case "branches": {
      const branches = layer.branches.map((branch) => packAll(arena, branch, width));
      return { layer, width, kind: layer.kind, branches, lengths: new Int32Array(LANES) };
    }
    case "flatten":
    case "reverse":
    case "attentionPooling":
      return { layer, width, kind: layer.kind };
  }
}

function packActivation(activation: Activation): PackedActivation {
  const name = activation.kind === "gelu" && activation.approximate ? "gelu by tanh" : activation.kind;
  const parameter = "alpha" in activation ? activation.alpha : "slope" in activation ? activation.slope : 0;
  return { kind: ACTIVATIONS.indexOf(name), parameter };
}

function packCell(arena: Arena, cell: Cell, W: number): PackedCell {
  const variant = variantOf(cell);
  const scaling = scaleOf(variant);
  const { units: U, cell: kind } = cell;
  const G = GATES[kind];
  const isAfter = variant === GRU || variant === ANY_GRU;
  const first = isAfter ? 2 : 0; // the candidate's inputs' part stands in front of the gates
  const inputs = packMatrix(arena, cell.kernel, W, G, U, first, scaling);
  const recurrentBias = isAfter ? packRow(arena, (cell as GruCell).recurrentBias!, 1, U, 0, { ...scaling, candidate: 0 }) : undefined;
  const [recurrent, candidate] =
    variant === OLD_GRU
      ? [
          packMatrix(arena, columnsOf(cell.recurrent, 3 * U, 0, 2 * U), U, 2, U),
          packMatrix(arena, columnsOf(cell.recurrent, 3 * U, 2 * U, 3 * U), U, 1, U),
        ]
      : [packMatrix(arena, cell.recurrent, U, G, U, 0, scaling), undefined];
  return {
    units: U,
    record: packRecord(arena, cell, variant, recurrent.weights, candidate?.weights ?? 0),
    inputs,
    bias: packRow(arena, cell.bias, G, U, first, scaling),
    recurrentBias,
    ...packInitial(arena, cell),
  };
}

function packInitial(arena: Arena, cell: Cell): Pick<PackedCell, "initial"> {
  const { units: U, initialHidden } = cell;
  const initialCell = cell.cell === "lstm" ? cell.initialCell : undefined;
  if (initialHidden === undefined && initialCell === undefined) return {};
  const [hidden, state] = [initialHidden, initialCell].map((numbers) => packRow(arena, numbers ?? new Float32Array(U), 1, U));
  return { initial: { hidden, cell: state } };
}

/** What shared/kernel/recurrent.ts reads. */
function packRecord(arena: Arena, cell: Cell, variant: number, recurrent: number, candidate: number): number {
  const record = take(arena, 32);
  const own = activationsOf(cell);
  const [gates, activation] = [packActivation(own.recurrentActivation), packActivation(own.activation)];
  const u32 = new Uint32Array(arena.kernel.memory.buffer, record, 8);
  const f32 = new Float32Array(arena.kernel.memory.buffer, record, 8);
  u32.set([variant, cell.units, recurrent, candidate, gates.kind, 0, activation.kind]);
  f32[5] = gates.parameter;
  f32[7] = activation.parameter;
  return record;
}

/** Which of the kernel's ways a cell goes: one of its own for what frameworks do by default. */
function variantOf(cell: Cell): number {
  const { activation, recurrentActivation } = activationsOf(cell);
  const isDefault = activation.kind === "tanh" && recurrentActivation.kind === "sigmoid";
  switch (cell.cell) {
    case "lstm":
      return isDefault ? LSTM : ANY_LSTM;
    case "gru":
      return cell.recurrentBias === undefined ? OLD_GRU : isDefault ? GRU : ANY_GRU;
    case "rnn":
      return RNN;
  }
}

/** What the activations take of a cell that goes a way of its own: powers of two. */
function scaleOf(variant: number): Scaling {
  if (variant !== LSTM && variant !== GRU) return UNSCALED;
  return { candidate: 2, gateScale: -TANH_SCALE / 2, candidateScale: TANH_SCALE };
}

/** Columns `from` … `to` − 1 of a matrix of `width` columns. */
function columnsOf(matrix: Float32Array, width: number, from: number, to: number): Float32Array {
  const rows = matrix.length / width;
  const columns = new Float32Array(rows * (to - from));
  for (let k = 0; k < rows; k++) columns.set(matrix.subarray(k * width + from, k * width + to), k * (to - from));
  return columns;
}

/** The address of `bytes` more. */
function take(arena: Arena, bytes: number): number {
  const address = align(arena.end);
  arena.end = address + bytes;
  growMemory(arena.kernel, arena.end);
  return address;
}

/** Packs `matrix` (K,G·U). */
function packMatrix(
  arena: Arena,
  matrix: Float32Array,
  K: number,
  G: number,
  U: number,
  first = 0,
  { candidate, gateScale, candidateScale }: Scaling = UNSCALED,
): PackedMatrix {
  const V = G * Math.ceil(U / 4);
  const weights = take(arena, 64 * K * Math.ceil(V / 4));
  // Until the next piece is taken, the matrix as it is lies where it will begin
  const source = align(arena.end);
  growMemory(arena.kernel, source + 4 * matrix.length);
  new Float32Array(arena.kernel.memory.buffer).set(matrix, source / 4);
  arena.kernel.packMatrix(K, G, U, first, candidate, gateScale, candidateScale, source, weights);
  return { V, weights };
}

/** Packs `numbers` (G·U), which sums start from. */
function packRow(arena: Arena, numbers: Float32Array, G: number, U: number, first?: number, scaling?: Scaling): PackedRow {
  const { V, weights: one } = packMatrix(arena, numbers, 1, G, U, first, scaling);
  const eight = take(arena, 16 * V * LANES);
  arena.kernel.spreadRow(V, one, eight);
  return { V, one, eight };
}

function packNumbers(arena: Arena, numbers: Float32Array): number {
  const address = take(arena, 4 * numbers.length);
  new Float32Array(arena.kernel.memory.buffer).set(numbers, address / 4);
  return address;
}
