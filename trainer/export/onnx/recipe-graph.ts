// The recipe as ONNX nodes: raw sequences (N,T,F) float64 → channels (N,T,C) float32, left-aligned, and lengths (N), what applyRecipe
// computes. All in float64 up to the last step, as there: differences are taken before rounding.
// Operators: github.com/onnx/onnx/blob/main/docs/Operators.md, opset 17.
// Legend: N sequences, T steps, F features, C channels.
import { ArtifactError } from "../../../shared/errors.ts";
import { type Channel, takesLogarithm, takesMovement } from "../../../shared/recipe/channel.ts";
import { type Recipe, shapeOf } from "../../../shared/recipe/recipe.ts";
import { type Builder, createBuilder } from "./builder.ts";
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
  /** (N,T,F) data rows first, in their order. */
  readonly rows: string;
  /** (N) number of data rows. */
  readonly length: string;
  /** (N,T,1) bool: whether a left-aligned row is data; and whether it has a data row before it. */
  readonly isValid: string;
  readonly isBehindFirst: string;
}

/** The nodes that compute `channels` and `lengths` from `sequences`, and the node that follows the network. Throws ArtifactError. */
export function describeRecipe(recipe: Recipe): RecipeGraph {
  const build = createBuilder();
  const { last } = buildRecipe(build, recipe);
  return { nodes: build.nodes, constants: build.constants, last };
}

/** The same in `build`, whose rows others may look at, too. */
export function buildRecipe(build: Builder, recipe: Recipe): { readonly rows: Rows; readonly last: readonly NodeProto[] } {
  const { timesteps: T } = shapeOf(recipe);
  if (recipe.gaps)
    throw new ArtifactError("the recipe fills gaps, which --preprocessing cannot write: export the network alone, without it");
  if (recipe.clock)
    throw new ArtifactError("the recipe looks at times, which --preprocessing cannot write: export the network alone, without it");
  const { op, cast, number, zero } = build;
  const rows = alignRows(build, recipe.padding, T);
  const columns = recipe.channels.map((channel, c) => {
    const x = viewOf(build, channel, recipe.floor.subarray(3 * c, 3 * c + 3), rows, T);
    const standardised = build.clip(op("Div", [op("Sub", [x, number(recipe.mean[c])]), number(recipe.scale[c])]), recipe.clip);
    return op("Where", [takesMovement(channel) ? rows.isBehindFirst : rows.isValid, standardised, zero]);
  });
  cast(op("Concat", columns, [int("axis", 2)]), FLOAT, "channels");
  const hasRow = op("Greater", [rows.length, zero]);
  cast(op("Max", [rows.length, number(1)]), INT32, "lengths"); // the network wants at least one step
  const nothing = build.constant(FLOAT, [], raw(Float32Array.of(Number.NaN)));
  return { rows, last: [node("Where", [hasRow, "scored", nothing], "probability")] };
}

function alignRows(build: Builder, padding: Recipe["padding"], T: number): Rows {
  const { op, constant, indices, floatRow, cast, zero } = build;
  const steps = Array.from({ length: T }, (_, t) => t);
  // Which rows are data, (N,T) bool
  const largest = op("ReduceMax", [op("Abs", ["sequences"])], [ints("axes", [2]), int("keepdims", 0)]);
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
  const rows = op("GatherElements", ["sequences", order], [int("axis", 1)]);
  const isValid = op("Unsqueeze", [op("Greater", ["sortedKeys", constant(FLOAT, [], raw(Float32Array.of(0)))]), indices(2)]);
  const isLater = constant(
    BOOL,
    [1, T, 1],
    Uint8Array.from(steps, (t) => Number(t > 0)),
  );
  return { rows, length, isValid, isBehindFirst: op("And", [isValid, isLater]) };
}

/** The channel before standardising, (N,T,1); `floors` (3) as a recipe has them. */
export function viewOf(build: Builder, channel: Channel, floors: Float64Array, rows: Rows, T: number): string {
  const { op } = build;
  const base = baseOf(build, channel, floors, rows);
  const x = takesLogarithm(channel) ? logOf(build, base, floors[2]) : base;
  if (channel.view === "centred") return centre(build, x, rows);
  if (!takesMovement(channel)) return x;
  const movement = op("Sub", [x, previousOf(build, x, T)]);
  if (channel.view === "absDelta") return op("Abs", [movement]);
  return channel.view === "logAbsDelta" ? op("Log", [op("Max", [op("Abs", [movement]), build.number(floors[2])])]) : movement;
}

function baseOf(build: Builder, channel: Channel, floors: Float64Array, { rows }: Rows): string {
  const { op, clip, indices } = build;
  const feature = (f: number): string => op("Gather", [rows, indices(f)], [int("axis", 2)]); // (N,T,1)
  const clamped = (f: number): string => clip(feature(f), BASE_LIMIT);
  switch (channel.base) {
    case "observed":
    case "sinceObserved":
      throw new RangeError(`${channel.base} without gaps`);
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
function previousOf({ op, indices }: Builder, input: string, T: number): string {
  const slice = (from: number, to: number): string => op("Slice", [input, indices(from), indices(to), indices(1)]);
  return T === 1 ? input : op("Concat", [slice(0, 1), slice(0, T - 1)], [int("axis", 1)]);
}

/** Minus the mean over the sequence's own valid rows. */
function centre({ op, indices, zero }: Builder, input: string, { isValid, length }: Rows): string {
  const sum = op("ReduceSum", [op("Where", [isValid, input, zero]), indices(1)]); // (N,1,1)
  return op("Sub", [input, op("Div", [sum, op("Reshape", [length, indices(-1, 1, 1)])])]);
}
