// The recipe as ONNX nodes: raw sequences (N,T,F) float64 → channels (N,T,C) float32, left-aligned, and lengths (N), what applyRecipe
// computes. All in float64 up to the last step, as there: differences are taken before rounding.
// Operators: github.com/onnx/onnx/blob/main/docs/Operators.md, opset 17.
// Legend: N sequences, T steps, F features, C channels.
import { type Channel, takesLogarithm, takesMovement } from "../../../shared/recipe/channel.ts";
import { type Recipe, shapeOf } from "../../../shared/recipe/recipe.ts";
import { type Builder, createBuilder } from "./builder.ts";
import { fillGaps, lackingOf, latest, rowAt, rowNumbers } from "./gap-graph.ts";
import { int, ints, node, raw } from "./graph.ts";
import { BOOL, DOUBLE, FLOAT, INT32, INT64, type NodeProto, type TensorProto } from "./schema.ts";

/** As shared/recipe/recipe.ts clamps bases. */
const BASE_LIMIT = 1e300;

export interface RecipeGraph {
  readonly nodes: readonly NodeProto[];
  readonly constants: readonly TensorProto[];
  /** What follows the network: `scored` (N) → `probability` (N), NaN where there was no valid row. */
  readonly last: readonly NodeProto[];
}

/** Which rows are data, and the data rows themselves. */
export interface Rows {
  /** (N,T,F) data rows first, in their order; gaps filled. */
  readonly rows: string;
  /** (N,T,F) the same with medians in all gaps; there where numbers may be missing. */
  readonly medians?: string;
  /** (N,T,F) float64 rows since each number was observed; there where numbers may be missing. */
  readonly since?: string;
  /** (N) number of data rows. */
  readonly length: string;
  /** (N,T,1) bool: whether a left-aligned row is data; and whether it has a data row before it. */
  readonly isValid: string;
  readonly isBehindFirst: string;
}

/** The nodes that compute `channels` and `lengths` from `sequences`, and the node that follows the network. */
export function describeRecipe(recipe: Recipe): RecipeGraph {
  const build = createBuilder();
  const { last } = buildRecipe(build, recipe);
  return { nodes: build.nodes, constants: build.constants, last };
}

/** The same in `build`, whose rows others may look at, too. */
export function buildRecipe(build: Builder, recipe: Recipe): { readonly rows: Rows; readonly last: readonly NodeProto[] } {
  const { timesteps: T } = recipe;
  const { op, cast, number, zero } = build;
  const rows = alignRows(build, recipe, T);
  const columns = recipe.channels.map((channel, c) => {
    const { x, isDefined } = viewOf(build, channel, recipe.floor.subarray(3 * c, 3 * c + 3), rows, T);
    const standardised = build.clip(op("Div", [op("Sub", [x, number(recipe.mean[c])]), number(recipe.scale[c])]), recipe.clip);
    return op("Where", [isDefined, standardised, zero]);
  });
  cast(op("Concat", columns, [int("axis", 2)]), FLOAT, "channels");
  const hasRow = op("Greater", [rows.length, zero]);
  cast(op("Max", [rows.length, number(1)]), INT32, "lengths"); // the network wants at least one step
  const nothing = build.constant(FLOAT, [], raw(Float32Array.of(Number.NaN)));
  return { rows, last: [node("Where", [hasRow, "scored", nothing], "probability")] };
}

function alignRows(build: Builder, recipe: Recipe, T: number): Rows {
  const { padding, fill } = recipe;
  const { op, constant, indices, floatRow, cast, zero } = build;
  const steps = Array.from({ length: T }, (_, t) => t);
  // Which rows are data, (N,T) bool
  const told = fill ? op("Where", [op("IsNaN", ["sequences"]), build.number(1), "sequences"]) : "sequences"; // what is missing is no zero
  const largest = op("ReduceMax", [op("Abs", [ownNumbers(build, told, recipe)])], [ints("axes", [2]), int("keepdims", 0)]);
  const isOther = op("Greater", [largest, zero]);
  const isData = {
    any: () => isOther,
    leading: () => op("Greater", [op("CumSum", [cast(isOther, DOUBLE), constant(INT64, [], raw(BigInt64Array.of(1n)))]), zero]),
    none: () => op("Equal", [largest, largest]),
  }[padding]();
  const length = op("ReduceSum", [cast(isData, DOUBLE), indices(1)], [int("keepdims", 0)]);

  // Data rows first, in their order: the largest keys are theirs, T … 1, the others' are 0 … 1 − T
  const keys = op("Where", [isData, floatRow(steps.map((t) => T - t)), floatRow(steps.map((t) => -t))]);
  build.nodes.push(node("TopK", [keys, indices(T)], ["sortedKeys", "order"], int("axis", 1)));
  const order = op("Expand", [op("Unsqueeze", ["order", indices(2)]), op("Shape", ["sequences"])]); // (N,T,F)
  const aligned = op("GatherElements", ["sequences", order], [int("axis", 1)]);
  const isValid = op("Unsqueeze", [op("Greater", ["sortedKeys", constant(FLOAT, [], raw(Float32Array.of(0)))]), indices(2)]);
  const isLater = constant(
    BOOL,
    [1, T, 1],
    Uint8Array.from(steps, (t) => Number(t > 0)),
  );
  const filled = fill ? fillGaps(build, aligned, fill, T) : { rows: aligned };
  return { ...filled, length, isValid, isBehindFirst: op("And", [isValid, isLater]) };
}

/** `input` (N,T,F) without what is the same in all rows, which keeps no row from being padding. */
function ownNumbers({ op, indices }: Builder, input: string, recipe: Recipe): string {
  const { features: F, statics = 0, clock } = shapeOf(recipe);
  if (statics === 0) return input;
  const own = Array.from({ length: F - statics - (clock ? 1 : 0) }, (_, f) => f);
  return op("Gather", [input, indices(...own, ...(clock ? [F - 1] : []))], [int("axis", 2)]);
}

/** A channel before standardising. */
export interface ChannelValues {
  /** (N,T,1) finite where defined */
  readonly x: string;
  /** (N,T,1) bool */
  readonly isDefined: string;
}

/** The channel before standardising; `floors` (3) as a recipe has them. */
export function viewOf(build: Builder, channel: Channel, floors: Float64Array, rows: Rows, T: number): ChannelValues {
  const { op } = build;
  const base = baseOf(build, channel, floors, rows);
  const lacking = lackingOf(build, channel, rows.since);
  if (channel.view === "rate") return rateOf(build, channel, { base, lacking }, floors[2], rows, T);
  const x = takesLogarithm(channel) ? logOf(build, base, floors[2]) : base;
  const known = channel.whereObserved && lacking ? op("Not", [lacking]) : undefined;
  const isLevel = known ? op("And", [rows.isValid, known]) : rows.isValid;
  if (channel.view === "centred") return { x: centre(build, x, known ? isLevel : undefined, rows), isDefined: isLevel };
  if (!takesMovement(channel)) return { x, isDefined: isLevel };
  const isDefined = known ? op("And", [rows.isBehindFirst, op("And", [known, previousOf(build, known, T)])]) : rows.isBehindFirst;
  const movement = op("Sub", [x, previousOf(build, x, T)]);
  if (channel.view === "absDelta") return { x: op("Abs", [movement]), isDefined };
  if (channel.view !== "logAbsDelta") return { x: movement, isDefined };
  return { x: op("Log", [op("Max", [op("Abs", [movement]), build.number(floors[2])])]), isDefined };
}

/** How far `base` moved a second since it was last observed. The row's time is its last number. */
function rateOf(
  build: Builder,
  { whereObserved }: Channel,
  { base, lacking }: { readonly base: string; readonly lacking: string | undefined },
  floor: number,
  { rows, isBehindFirst }: Rows,
  T: number,
): ChannelValues {
  const { op, indices, number, zero } = build;
  const time = op("Gather", [rows, indices(-1)], [int("axis", 2)]);
  const rate = (before: string, timeBefore: string): string => {
    const seconds = op("Max", [op("Sub", [time, timeBefore]), number(floor)]);
    return build.clip(op("Div", [op("Sub", [base, before]), seconds]), BASE_LIMIT);
  };
  if (lacking === undefined) return { x: rate(previousOf(build, base, T), previousOf(build, time, T)), isDefined: isBehindFirst };
  const known = op("Where", [lacking, zero, rowNumbers(build, T)]);
  const last = previousOf(build, latest(build, known, T), T); // of the rows before; the first row is left out anyway
  const at = op("Sub", [last, number(1)]);
  const isKnown = op("And", [op("Not", [lacking]), op("Greater", [last, zero])]);
  const x = op("Where", [isKnown, rate(rowAt(build, base, at), rowAt(build, time, at)), zero]);
  return { x, isDefined: whereObserved ? op("And", [isBehindFirst, isKnown]) : isBehindFirst };
}

function baseOf(build: Builder, channel: Channel, floors: Float64Array, { rows: carried, medians = carried, since }: Rows): string {
  const { op, clip, indices, zero } = build;
  const rows = channel.medianFilled ? medians : carried;
  const counted = (f: number): string => {
    if (since === undefined) return op("Mul", [op("Gather", [rows, indices(f)], [int("axis", 2)]), zero]); // nothing is missing
    return op("Gather", [since, indices(f)], [int("axis", 2)]);
  };
  const feature = (f: number): string => op("Gather", [rows, indices(f)], [int("axis", 2)]); // (N,T,1)
  const clamped = (f: number): string => clip(feature(f), BASE_LIMIT);
  switch (channel.base) {
    case "sinceObserved":
      return counted(channel.a);
    case "observed":
      return build.cast(op("Equal", [counted(channel.a), zero]), DOUBLE);
    case "feature":
      return clamped(channel.a);
    case "difference":
      return clip(op("Sub", [clamped(channel.a), clamped(channel.b)]), BASE_LIMIT);
    case "logRatio":
      return op("Sub", [logOf(build, feature(channel.a), floors[0]), logOf(build, feature(channel.b), floors[1])]);
  }
}

function logOf({ op, number, zero }: Builder, input: string, floor: number): string {
  return op("Log", [op("Where", [op("LessOrEqual", [input, zero]), number(floor), input])]);
}

/** Each row's predecessor; the first row's is the first row itself. */
function previousOf({ op, slice }: Builder, input: string, T: number): string {
  return T === 1 ? input : op("Concat", [slice(input, 0, 1), slice(input, 0, T - 1)], [int("axis", 1)]);
}

/** Minus the mean over the sequence's own rows: those that are valid, or of these the ones that are `known`. */
function centre({ op, cast, indices, zero }: Builder, input: string, known: string | undefined, { isValid, length }: Rows): string {
  const sum = op("ReduceSum", [op("Where", [known ?? isValid, input, zero]), indices(1)]); // (N,1,1)
  const count = known ? op("ReduceSum", [cast(known, DOUBLE), indices(1)]) : op("Reshape", [length, indices(-1, 1, 1)]);
  return op("Sub", [input, op("Div", [sum, count])]);
}
