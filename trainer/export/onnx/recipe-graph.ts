// The recipe as ONNX nodes: raw sequences (N,T,F) float64 → channels (N,T,C) float32, left-aligned, and lengths (N), what applyRecipe
// computes. All in float64 up to the last step, as there: differences are taken before rounding.
// Operators: github.com/onnx/onnx/blob/main/docs/Operators.md, opset 17.
import { type Channel, type Recipe, shapeOf } from "../../../shared/recipe/recipe.ts";
import { BOOL, DOUBLE, FLOAT, INT32, INT64, int, ints, node, raw, tensor } from "./graph.ts";

/** As shared/recipe/recipe.ts holds bases. */
const BASE_LIMIT = 1e300;

export interface RecipeGraph {
  readonly nodes: readonly Uint8Array[];
  readonly constants: readonly Uint8Array[];
  /** What follows the network: `scored` (N) → `probability` (N), NaN where there was no valid row. */
  readonly last: readonly Uint8Array[];
}

export function describeRecipe(recipe: Recipe): RecipeGraph {
  const { timesteps: T } = shapeOf(recipe);
  const nodes: Uint8Array[] = [];
  const constants: Uint8Array[] = [];
  let count = 0;
  /** One operator's result, under a name of its own unless it is given one. */
  const op = (operator: string, inputs: readonly string[], attributes: readonly Uint8Array[] = [], name = `recipe${count++}`): string => {
    nodes.push(node(operator, inputs, name, ...attributes));
    return name;
  };
  const constant = (type: number, dims: readonly number[], data: Uint8Array): string => {
    const name = `constant${count++}`;
    constants.push(tensor(name, type, dims, data));
    return name;
  };
  const number = (x: number): string => constant(DOUBLE, [], raw(Float64Array.of(x)));
  const indices = (...values: number[]): string => constant(INT64, [values.length], raw(BigInt64Array.from(values, BigInt)));
  const floatRow = (values: number[]): string => constant(FLOAT, [1, values.length], raw(Float32Array.from(values)));
  const cast = (input: string, type: number, name?: string): string => op("Cast", [input], [int("to", type)], name);
  const zero = number(0);

  // Which rows are data, (N,T) bool
  const largest = op("ReduceMax", [op("Abs", ["sequences"])], [ints("axes", [2]), int("keepdims", 0)]);
  const isOther = op("Greater", [largest, zero]);
  const isData = {
    any: () => isOther,
    leading: () => op("Greater", [op("CumSum", [cast(isOther, DOUBLE), constant(INT64, [], raw(BigInt64Array.of(1n)))]), zero]),
    none: () => op("Equal", [largest, largest]),
  }[recipe.padding]();
  const length = op("ReduceSum", [cast(isData, DOUBLE), indices(1)], [int("keepdims", 0)]); // (N)

  // Data rows first, in their order: the largest keys are theirs, T … 1, the others' are 0 … 1 − T
  const steps = Array.from({ length: T }, (_, t) => t);
  const keys = op("Where", [isData, floatRow(steps.map((t) => T - t)), floatRow(steps.map((t) => -t))]);
  nodes.push(node("TopK", [keys, indices(T)], ["sortedKeys", "order"], int("axis", 1)));
  const order = op("Expand", [op("Unsqueeze", ["order", indices(2)]), op("Shape", ["sequences"])]); // (N,T,F)
  const rows = op("GatherElements", ["sequences", order], [int("axis", 1)]);
  const isValid = op("Unsqueeze", [op("Greater", ["sortedKeys", constant(FLOAT, [], raw(Float32Array.of(0)))]), indices(2)]); // (N,T,1)
  const isBehindFirst = op("And", [
    isValid,
    constant(
      BOOL,
      [1, T, 1],
      Uint8Array.from(steps, (t) => Number(t > 0)),
    ),
  ]);

  const clip = (input: string, bound: number): string => op("Clip", [input, number(-bound), number(bound)]);
  const feature = (f: number, held: boolean): string => {
    const column = op("Gather", [rows, indices(f)], [int("axis", 2)]); // (N,T,1)
    return held ? clip(column, BASE_LIMIT) : column;
  };
  const logOf = (input: string, floor: number): string =>
    op("Log", [op("Where", [op("LessOrEqual", [input, zero]), number(floor), input])]);
  const base = (channel: Channel, floors: Float64Array): string => {
    switch (channel.base) {
      case "feature":
        return feature(channel.a, true);
      case "difference":
        return clip(op("Sub", [feature(channel.a, true), feature(channel.b, true)]), BASE_LIMIT);
      case "logRatio":
        return op("Sub", [logOf(feature(channel.a, false), floors[0]), logOf(feature(channel.b, false), floors[1])]);
    }
  };
  const previous = (input: string): string =>
    T === 1 ? input : op("Concat", [slice(input, 0, 1), slice(input, 0, T - 1)], [int("axis", 1)]);
  const slice = (input: string, from: number, to: number): string => op("Slice", [input, indices(from), indices(to), indices(1)]);
  const centre = (input: string): string => {
    const sum = op("ReduceSum", [op("Where", [isValid, input, zero]), indices(1)]); // (N,1,1)
    return op("Sub", [input, op("Div", [sum, op("Reshape", [length, indices(-1, 1, 1)])])]);
  };

  const columns = recipe.channels.map((channel, c) => {
    const { view } = channel;
    const floors = recipe.floor.subarray(3 * c, 3 * c + 3);
    let x = base(channel, floors);
    if (view === "log" || view === "logDelta") x = logOf(x, floors[2]);
    const isDelta = view === "delta" || view === "logDelta";
    if (isDelta) x = op("Sub", [x, previous(x)]);
    if (view === "centred") x = centre(x);
    const standardised = clip(op("Div", [op("Sub", [x, number(recipe.mean[c])]), number(recipe.scale[c])]), recipe.clip);
    return op("Where", [isDelta ? isBehindFirst : isValid, standardised, zero]);
  });
  cast(op("Concat", columns, [int("axis", 2)]), FLOAT, "channels");
  const hasRow = op("Greater", [length, zero]);
  cast(op("Max", [length, number(1)]), INT32, "lengths"); // the network wants at least one step
  const nothing = constant(FLOAT, [], raw(Float32Array.of(Number.NaN)));
  return { nodes, constants, last: [node("Where", [hasRow, "scored", nothing], "probability")] };
}
