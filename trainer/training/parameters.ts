// The parameters of LSTM → Dense(1): Keras' initial values from one seed, and the one layout in which they lie flat. Knows nothing
// of how they are trained. Legend: C channels, U units, gates in order i,f,c,o.
import type { Network } from "../../shared/networks/lstm.ts";
import { logitOf } from "../statistics/log-loss.ts";
import type { Random } from "../statistics/random.ts";
import { glorotUniform, orthogonal } from "./initial-weights.ts";

/**
 * LSTM(units) → Dense(1) as Keras initialises it: Glorot uniform kernels, orthogonal recurrent kernel, forget bias 1 (Jozefowicz
 * et al. 2015). The head's bias starts at ln(p/(1−p)), so that no epoch is spent on learning the base rate `positiveRate`.
 */
export function initialNetwork(channels: number, units: number, positiveRate: number, random: Random): Network {
  const bias = new Float32Array(4 * units).fill(1, units, 2 * units);
  return {
    channels,
    units,
    kernel: glorotUniform(channels, 4 * units, random),
    recurrent: orthogonal(units, 4 * units, random),
    bias,
    headKernel: glorotUniform(units, 1, random),
    headBias: Float32Array.of(logitOf(positiveRate)),
  };
}

/** The parts of the parameters, in the order in which they lie in one flat buffer: (C,4U), (U,4U), (4U), (U), (1). */
const PARTS = ["kernel", "recurrent", "bias", "headKernel", "headBias"] as const;
export type ParameterPart = (typeof PARTS)[number];

/** Where each part lies in the flat buffer. */
export interface ParameterLayout {
  /** P, the number of all parameters. */
  readonly size: number;
  readonly parts: readonly { readonly name: ParameterPart; readonly start: number; readonly end: number }[];
}

/** The layout of a network of `channels` C and `units` U. */
export function layoutParameters(channels: number, units: number): ParameterLayout {
  const sizes = [channels * 4 * units, units * 4 * units, 4 * units, units, 1];
  let size = 0;
  const parts = PARTS.map((name, k) => ({ name, start: size, end: (size += sizes[k]) }));
  return { size, parts };
}

/** (P) the network's parameters in one flat buffer, a copy. */
export function flattenNetwork(network: Network): Float32Array {
  const { size, parts } = layoutParameters(network.channels, network.units);
  const flat = new Float32Array(size);
  for (const { name, start } of parts) flat.set(network[name], start);
  return flat;
}

/** The network whose parameters `flat` (P) holds, copies. */
export function unflattenNetwork(channels: number, units: number, flat: Float32Array): Network {
  const { parts } = layoutParameters(channels, units);
  const [kernel, recurrent, bias, headKernel, headBias] = parts.map(({ start, end }) => flat.slice(start, end));
  return { channels, units, kernel, recurrent, bias, headKernel, headBias };
}

/** A copy of `flat` (P) whose head has weight 0 for every unit: whatever the input, its bias is the logit. */
export function zeroHead(flat: Float32Array, channels: number, units: number): Float32Array {
  const head = layoutParameters(channels, units).parts.find(({ name }) => name === "headKernel")!;
  return flat.slice().fill(0, head.start, head.end);
}

/** The training kernel's blocks of four: Q of units, E of entries (the bias, then the channels), and the numbers that its weights take. */
export function countBlocks(channels: number, units: number): { unitBlocks: number; entryBlocks: number; packedSize: number } {
  const unitBlocks = Math.ceil(units / 4);
  const entryBlocks = Math.ceil((1 + channels) / 4);
  return { unitBlocks, entryBlocks, packedSize: 64 * unitBlocks * (entryBlocks + unitBlocks) + 4 * unitBlocks + 4 };
}

/**
 * Where the kernel keeps each weight of a recurrent layer of `gates` gates (4 of an LSTM, 3 of a GRU), as an index into its packed weights:
 * of kernel (C,GU), recurrent kernel (U,GU) and bias (GU), one after the other. For each unit block and pair of gates, 4(E+Q) rows of
 * 2 gates × 4 units; the shapes are in kernel/training.ts.
 */
export function packedLayerIndices(channels: number, units: number, gates: number): Int32Array {
  const { unitBlocks: Q, entryBlocks: E } = countBlocks(channels, units);
  const rows = 4 * (E + Q);
  const indices = new Int32Array((channels + units + 1) * gates * units);
  let n = 0;
  const addRow = (row: number): void => {
    for (let gate = 0; gate < gates; gate++) {
      for (let u = 0; u < units; u++) indices[n++] = 8 * ((2 * (u >> 2) + (gate >> 1)) * rows + row) + 4 * (gate & 1) + (u & 3);
    }
  };
  for (let c = 0; c < channels; c++) addRow(1 + c);
  for (let u = 0; u < units; u++) addRow(4 * E + u);
  addRow(0);
  return indices;
}

/** (P) where the training kernel keeps each parameter of the flat buffer: the layer's, then the head's. */
export function packedIndices(channels: number, units: number): Int32Array {
  const { unitBlocks: Q, entryBlocks: E } = countBlocks(channels, units);
  const indices = new Int32Array(layoutParameters(channels, units).size);
  const ofLayer = packedLayerIndices(channels, units, 4);
  indices.set(ofLayer);
  for (let u = 0; u <= units; u++) indices[ofLayer.length + u] = 64 * Q * (E + Q) + (u < units ? u : 4 * Q);
  return indices;
}
