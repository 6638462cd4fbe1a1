// An artifact's tensors: names, types and shapes in the order of the file, which every file has exactly.
// Legend: T steps, F features, C channels, S series, V columns, K golden vectors.
import type { Member } from "../members.ts";
import { CHANNEL_BINS, type Golden, type Model, type Reference, SCORE_BINS } from "../model.ts";
import { type Channel, usesFloors } from "../recipe/channel.ts";
import type { Recipe } from "../recipe/recipe.ts";
import type { TabularView } from "../recipe/tabular.ts";
import { asObject, fail, show } from "./checks.ts";
import type { DecodingKernel } from "./kernel-decoder.ts";
import { checkAscending, type Layout, layOutMember, packMember, unpackMember } from "./member-tensors.ts";
import { describeMember, type MemberText } from "./member-texts.ts";
import { DTYPES, type Dtype, type Frame, type PackedTensors, packTensors, type TensorData } from "./safetensors.ts";
import { countColumns, type ViewText } from "./view-text.ts";

/** K */
export const GOLDEN_COUNT = 32;

/** What shapes depend on. */
interface Sizes {
  readonly T: number;
  readonly F: number;
  readonly C: number;
  readonly view?: { readonly S: number; readonly keep?: number };
  /** The recipe fills gaps. */
  readonly hasFill?: boolean;
  /** The drift reference holds one value a sequence. */
  readonly hasSequences?: boolean;
}

/** What every model has, and in its midst the layout of its members; within a type in the order of the file. */
export function layOut({ T, F, C, view, hasFill, hasSequences }: Sizes, members: Layout): Layout {
  return [
    ["recipe.mean", "F64", [C]],
    ["recipe.scale", "F64", [C]],
    ["recipe.floor", "F64", [C, 3]],
    ["recipe.featureMean", "F64", [F]],
    ["recipe.featureScale", "F64", [F]],
    ...(hasFill ? ([["recipe.fill", "F64", [F]]] as const) : []),
    ...(view
      ? ([
          ["view.floor", "F64", [view.S, 3]],
          ["view.mean", "F64", [view.S]],
        ] as const)
      : []),
    ["golden.inputs", "F64", [GOLDEN_COUNT, T, F]],
    ["golden.probabilities", "F32", [GOLDEN_COUNT]],
    ...members,
    ["reference.channelEdges", "F32", [C, CHANNEL_BINS - 1]],
    ["reference.channelCounts", "U32", [C, CHANNEL_BINS]],
    ["reference.scoreCounts", "U32", [SCORE_BINS]],
    ...(hasSequences
      ? ([
          ["reference.sequenceEdges", "F32", [C + 3, CHANNEL_BINS - 1]],
          ["reference.sequenceCounts", "U32", [C + 3, CHANNEL_BINS]],
        ] as const)
      : []),
    ...(view?.keep === undefined ? [] : ([["view.keep", "U16", [view.keep]]] as const)),
  ];
}

/** Widest first: safetensors allows no holes, so this order keeps every tensor aligned to its own width. */
function inOrder(layout: Layout): Layout {
  const widest = Object.keys(DTYPES);
  return layout.toSorted(([, a], [, b]) => widest.indexOf(a) - widest.indexOf(b));
}

/** A model's tensors as the file holds them. */
export function packModel({ recipe, view, members, golden, reference }: Model): PackedTensors {
  const data: Record<string, TensorData> = {
    "recipe.mean": recipe.mean,
    "recipe.scale": recipe.scale,
    "recipe.floor": recipe.floor,
    "recipe.featureMean": recipe.featureMean,
    "recipe.featureScale": recipe.featureScale,
    ...(recipe.fill && { "recipe.fill": recipe.fill }),
    ...(view && { "view.floor": view.floor, "view.mean": view.mean, ...(view.keep && { "view.keep": view.keep }) }),
    "golden.inputs": golden.inputs,
    "golden.probabilities": golden.probabilities,
    ...Object.assign({}, ...members.map((member, m) => packMember(member, prefixOf(m)))),
    "reference.channelEdges": reference.channelEdges,
    "reference.channelCounts": reference.channelCounts,
    "reference.scoreCounts": reference.scoreCounts,
    ...(reference.sequences && {
      "reference.sequenceEdges": reference.sequences.edges,
      "reference.sequenceCounts": reference.sequences.counts,
    }),
  };
  const C = recipe.channels.length;
  const V = view ? countColumns({ ...view, keep: view.keep?.length }) : 0;
  const layout = layOut(
    {
      T: recipe.timesteps,
      F: recipe.features.length,
      C,
      ...(view && { view: { S: view.series.length, keep: view.keep?.length } }),
      hasFill: recipe.fill !== undefined,
      hasSequences: reference.sequences !== undefined,
    },
    members.flatMap((member, m) => layOutMember(describeMember(member), prefixOf(m), C, V)),
  );
  return packTensors(Object.fromEntries(inOrder(layout).map(([name, , shape]) => [name, { shape, data: data[name] }])));
}

function prefixOf(m: number): string {
  return `member${m}.`;
}

/** What every model holds in tensors. */
export interface CommonTensors {
  readonly recipe: Pick<Recipe, "mean" | "scale" | "floor" | "featureMean" | "featureScale" | "fill">;
  readonly golden: Golden;
  readonly reference: Reference;
}

/** What a model of members holds in tensors. */
export interface ModelTensors extends CommonTensors {
  readonly view?: TabularView;
  readonly members: readonly Member[];
}

/**
 * The tensors of a model with `plan`, `view` and `members`, which are checked. Throws ArtifactError where a type, a shape or a place is
 * not as the layout has it, or a number is not one that a model can have.
 */
export function unpackModel(
  frame: Pick<Frame, "entries" | "data">,
  plan: Pick<Recipe, "timesteps" | "features" | "channels" | "gaps">,
  view: ViewText | undefined,
  members: readonly MemberText[],
  kernel?: DecodingKernel,
): ModelTensors {
  const C = plan.channels.length;
  const V = view ? countColumns(view) : 0;
  const sizes = {
    T: plan.timesteps,
    F: plan.features.length,
    C,
    ...(view && { view: { S: view.series.length, keep: view.keep } }),
    hasFill: plan.gaps !== undefined,
    hasSequences: "reference.sequenceEdges" in frame.entries,
  };
  const layout = layOut(
    sizes,
    members.flatMap((member, m) => layOutMember(member, prefixOf(m), C, V)),
  );
  const tensors = readTensors(frame, layout);
  return {
    ...unpackCommon(tensors, plan.channels),
    ...(view && { view: unpackView(view, tensors) }),
    members: members.map((member, m) => unpackMember(member, tensors, prefixOf(m), C, V, kernel)),
  };
}

/** What every model has. Throws ArtifactError where a number is not one that a model can have. */
export function unpackCommon(tensors: Readonly<Record<string, TensorData>>, channels: readonly Channel[]): CommonTensors {
  const f64 = (name: string): Float64Array => tensors[name] as Float64Array;
  const f32 = (name: string): Float32Array => tensors[name] as Float32Array;
  const u32 = (name: string): Uint32Array => tensors[name] as Uint32Array;
  for (const [c, scale] of f64("recipe.scale").entries())
    if (!(scale > 0)) fail(`recipe.scale[${c}] is ${scale}, expected a number above 0`);
  checkFloors(channels, f64("recipe.floor"), "recipe.floor");
  for (const p of f32("golden.probabilities")) if (!(p >= 0 && p <= 1)) fail(`a golden probability is ${p}, expected 0 to 1`);
  return {
    recipe: {
      mean: f64("recipe.mean"),
      scale: f64("recipe.scale"),
      floor: f64("recipe.floor"),
      featureMean: f64("recipe.featureMean"),
      featureScale: f64("recipe.featureScale"),
      ...("recipe.fill" in tensors && { fill: f64("recipe.fill") }),
    },
    golden: { inputs: f64("golden.inputs"), probabilities: f32("golden.probabilities") },
    reference: {
      channelEdges: f32("reference.channelEdges"),
      channelCounts: u32("reference.channelCounts"),
      scoreCounts: u32("reference.scoreCounts"),
      ...("reference.sequenceEdges" in tensors && {
        sequences: { edges: f32("reference.sequenceEdges"), counts: u32("reference.sequenceCounts") },
      }),
    },
  };
}

function unpackView({ keep: kept, ...plan }: ViewText, tensors: Readonly<Record<string, TensorData>>): TabularView {
  const [floor, mean] = [tensors["view.floor"] as Float64Array, tensors["view.mean"] as Float64Array];
  checkFloors(plan.series, floor, "view.floor");
  if (kept === undefined) return { ...plan, floor, mean };
  const keep = tensors["view.keep"] as Uint16Array;
  checkAscending(keep, countColumns(plan), "view.keep");
  return { ...plan, floor, mean, keep };
}

/** Every tensor of the layout by name, copied out of `data`, which they fill from end to end, the widest first. */
export function readTensors({ entries, data }: Pick<Frame, "entries" | "data">, layout: Layout): Record<string, TensorData> {
  const tensors: Record<string, TensorData> = {};
  let end = 0;
  for (const [name, dtype, shape] of inOrder(layout)) {
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
    checkFinite(tensors[name], dtype, name, name === "golden.inputs" && "recipe.fill" in tensors);
  }
  if (end !== data.length) fail(`the data ends at byte ${data.length}, expected ${end}`);
  return tensors;
}

/** In a tensor that may lack numbers, NaN is one that is missing. includes() is native code: at a cold start a loop of our own would take longer than all the rest. */
function checkFinite(tensor: TensorData, dtype: Dtype, name: string, mayLack: boolean): void {
  if (!dtype.startsWith("F")) return;
  for (const strange of [Number.NaN, Infinity, -Infinity]) {
    if (!tensor.includes(strange) || (mayLack && Number.isNaN(strange))) continue;
    const i = tensor.findIndex((x) => Object.is(x, strange));
    fail(`${name}[${i}] is ${strange}, expected a finite number: the weights are damaged`);
  }
}

/** `floor` (C,3) stands under logarithms where a channel uses it. */
function checkFloors(channels: readonly Channel[], floor: Float64Array, name: string): void {
  for (const [c, channel] of channels.entries())
    usesFloors(channel).forEach((isUsed, k) => {
      const i = 3 * c + k;
      if (isUsed && !(floor[i] > 0)) fail(`${name}[${i}] is ${floor[i]}, expected a number above 0`);
    });
}
