// An artifact's tensors: names, types and shapes in the order of the file, which every file has exactly.
// Legend: T steps, F features, C channels, U units, K golden vectors.
import { soleNetwork } from "../members.ts";
import { CHANNEL_BINS, type Golden, type Model, type Reference, SCORE_BINS } from "../model.ts";
import type { Network } from "../networks/lstm.ts";
import { usesFloors } from "../recipe/channel.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { asObject, fail, show } from "./checks.ts";
import { type Frame, type PackedTensors, packTensors, type TensorData } from "./safetensors.ts";

/** K */
export const GOLDEN_COUNT = 32;
const MAX_UNITS = 4096;

/** Widest first: safetensors allows no holes, so this order keeps every tensor aligned to its own width. */
const DTYPES = { F64: Float64Array, F32: Float32Array, U32: Uint32Array } as const;
type Dtype = keyof typeof DTYPES;

/** What shapes depend on. `hasInitial`: the network starts from a state of its own. */
interface Sizes {
  readonly T: number;
  readonly F: number;
  readonly C: number;
  readonly U: number;
  readonly hasInitial: boolean;
}

function layOut({ T, F, C, U, hasInitial }: Sizes): [name: string, dtype: Dtype, shape: number[]][] {
  const initial: [string, Dtype, number[]][] = [
    ["lstm.initialHidden", "F32", [U]],
    ["lstm.initialCell", "F32", [U]],
  ];
  return [
    ["recipe.mean", "F64", [C]],
    ["recipe.scale", "F64", [C]],
    ["recipe.floor", "F64", [C, 3]],
    ["recipe.featureMean", "F64", [F]],
    ["recipe.featureScale", "F64", [F]],
    ["golden.inputs", "F64", [GOLDEN_COUNT, T, F]],
    ["golden.probabilities", "F32", [GOLDEN_COUNT]],
    ["lstm.kernel", "F32", [C, 4 * U]],
    ["lstm.recurrent", "F32", [U, 4 * U]],
    ["lstm.bias", "F32", [4 * U]],
    ["head.kernel", "F32", [U, 1]],
    ["head.bias", "F32", [1]],
    ...(hasInitial ? initial : []),
    ["reference.channelEdges", "F32", [C, CHANNEL_BINS - 1]],
    ["reference.channelCounts", "U32", [C, CHANNEL_BINS]],
    ["reference.scoreCounts", "U32", [SCORE_BINS]],
  ];
}

/** A model's tensors as the file holds them. */
export function packModel(model: Model): PackedTensors {
  const { recipe, golden, reference } = model;
  const network = soleNetwork(model)!;
  const { initial } = network;
  const data: Record<string, TensorData> = {
    "recipe.mean": recipe.mean,
    "recipe.scale": recipe.scale,
    "recipe.floor": recipe.floor,
    "recipe.featureMean": recipe.featureMean,
    "recipe.featureScale": recipe.featureScale,
    "golden.inputs": golden.inputs,
    "golden.probabilities": golden.probabilities,
    "lstm.kernel": network.kernel,
    "lstm.recurrent": network.recurrent,
    "lstm.bias": network.bias,
    "head.kernel": network.headKernel,
    "head.bias": network.headBias,
    ...(initial && { "lstm.initialHidden": initial.hidden, "lstm.initialCell": initial.cell }),
    "reference.channelEdges": reference.channelEdges,
    "reference.channelCounts": reference.channelCounts,
    "reference.scoreCounts": reference.scoreCounts,
  };
  const sizes = {
    T: recipe.timesteps,
    F: recipe.features.length,
    C: network.channels,
    U: network.units,
    hasInitial: initial !== undefined,
  };
  return packTensors(Object.fromEntries(layOut(sizes).map(([name, , shape]) => [name, { shape, data: data[name] }])));
}

/** What a model holds in tensors. */
export interface ModelTensors {
  readonly recipe: Pick<Recipe, "mean" | "scale" | "floor" | "featureMean" | "featureScale">;
  readonly network: Omit<Network, "hardGates" | "backwards">;
  readonly golden: Golden;
  readonly reference: Reference;
}

/**
 * The tensors of a model with `plan`, which is checked. Throws ArtifactError where a type, a shape or a place is not as the layout
 * has it, or a number is not one that a model can have.
 */
export function unpackModel(
  { entries, data }: Pick<Frame, "entries" | "data">,
  plan: Pick<Recipe, "timesteps" | "features" | "channels">,
  hasInitial: boolean,
): ModelTensors {
  const { timesteps: T, features, channels } = plan;
  const C = channels.length;
  const U = measureUnits(entries);
  const tensors = readTensors(entries, data, layOut({ T, F: features.length, C, U, hasInitial }));
  const f64 = (name: string): Float64Array => tensors[name] as Float64Array;
  const f32 = (name: string): Float32Array => tensors[name] as Float32Array;
  const u32 = (name: string): Uint32Array => tensors[name] as Uint32Array;
  checkScales(channels, f64("recipe.scale"), f64("recipe.floor"));
  for (const p of f32("golden.probabilities")) if (!(p >= 0 && p <= 1)) fail(`a golden probability is ${p}, expected 0 to 1`);
  return {
    recipe: {
      mean: f64("recipe.mean"),
      scale: f64("recipe.scale"),
      floor: f64("recipe.floor"),
      featureMean: f64("recipe.featureMean"),
      featureScale: f64("recipe.featureScale"),
    },
    network: {
      channels: C,
      units: U,
      kernel: f32("lstm.kernel"),
      recurrent: f32("lstm.recurrent"),
      bias: f32("lstm.bias"),
      headKernel: f32("head.kernel"),
      headBias: f32("head.bias"),
      ...(hasInitial && { initial: { hidden: f32("lstm.initialHidden"), cell: f32("lstm.initialCell") } }),
    },
    golden: { inputs: f64("golden.inputs"), probabilities: f32("golden.probabilities") },
    reference: {
      channelEdges: f32("reference.channelEdges"),
      channelCounts: u32("reference.channelCounts"),
      scoreCounts: u32("reference.scoreCounts"),
    },
  };
}

/** U: the bias has 4U entries. */
function measureUnits(entries: Frame["entries"]): number {
  const { shape } = asObject(entries["lstm.bias"], "lstm.bias");
  const U = Array.isArray(shape) && shape.length === 1 ? Number(shape[0]) / 4 : Number.NaN;
  if (!Number.isInteger(U) || U < 1 || U > MAX_UNITS)
    fail(`lstm.bias has shape ${show(shape)}, expected [4·units] with 1 to ${MAX_UNITS} units`);
  return U;
}

/** Every tensor of the layout, copied out of `data`, which they fill from end to end. */
function readTensors(entries: Frame["entries"], data: Uint8Array, layout: ReturnType<typeof layOut>): Record<string, TensorData> {
  const tensors: Record<string, TensorData> = {};
  let end = 0;
  for (const [name, dtype, shape] of layout) {
    const entry = asObject(entries[name], name);
    if (entry.dtype !== dtype) fail(`${name} is of type ${show(entry.dtype)}, expected ${dtype}`);
    if (JSON.stringify(entry.shape) !== JSON.stringify(shape))
      fail(`${name} has shape ${show(entry.shape)}, expected ${JSON.stringify(shape)}`);
    const start = end;
    end += shape.reduce((product, size) => product * size, 1) * DTYPES[dtype].BYTES_PER_ELEMENT;
    if (JSON.stringify(entry.data_offsets) !== JSON.stringify([start, end]))
      fail(`${name} lies at ${show(entry.data_offsets)}, expected [${start},${end}]`);
    if (end > data.length) fail(`${name} ends at byte ${end} of the data, but there are only ${data.length}: the file is cut short`);
    tensors[name] = new DTYPES[dtype](new Uint8Array(data.subarray(start, end)).buffer); // slice would not copy a Buffer
    checkFinite(tensors[name], name);
  }
  if (end !== data.length) fail(`the data ends at byte ${data.length}, expected ${end}`);
  return tensors;
}

/** includes() is native code: at a cold start a loop of our own would take longer than all the rest. */
function checkFinite(tensor: TensorData, name: string): void {
  for (const strange of [Number.NaN, Infinity, -Infinity]) {
    if (!tensor.includes(strange)) continue;
    const i = tensor.findIndex((x) => Object.is(x, strange));
    fail(`${name}[${i}] is ${strange}, expected a finite number: the weights are damaged`);
  }
}

/** `scale` (C) is divided by, `floor` (C,3) stands under logarithms where a channel uses it. */
function checkScales(channels: Recipe["channels"], scale: Float64Array, floor: Float64Array): void {
  for (const [c, channel] of channels.entries()) {
    if (!(scale[c] > 0)) fail(`recipe.scale[${c}] is ${scale[c]}, expected a number above 0`);
    usesFloors(channel).forEach((isUsed, k) => {
      const i = 3 * c + k;
      if (isUsed && !(floor[i] > 0)) fail(`recipe.floor[${i}] is ${floor[i]}, expected a number above 0`);
    });
  }
}
