// An ONNX graph under construction. Knows no recipe and no member.
import { int, node, raw, tensor } from "./graph.ts";
import { type AttributeProto, DOUBLE, FLOAT, INT64, type NodeProto, type TensorProto } from "./schema.ts";

/** The graph under construction: each operator's result and each constant is a name. */
export interface Builder {
  readonly nodes: NodeProto[];
  readonly constants: TensorProto[];
  /** One operator's result, under a name of its own unless it is given one. */
  op(operator: string, inputs: readonly string[], attributes?: readonly AttributeProto[], name?: string): string;
  /** A tensor, under a name of its own unless it is given one. */
  constant(type: number, dims: readonly number[], data: Uint8Array, name?: string): string;
  /** A float64 scalar. */
  number(x: number): string;
  /** int64 (count of values). */
  indices(...values: number[]): string;
  /** float32 (1, count of values). */
  floatRow(values: readonly number[]): string;
  cast(input: string, type: number, name?: string): string;
  /** Places `from` … `to` − 1 of an axis: of rows, where no other is said. */
  slice(input: string, from: number, to: number, axis?: number): string;
  /** Within ±bound, float64. */
  clip(input: string, bound: number): string;
  /** float64 of these dimensions. */
  doubles(values: ArrayLike<number>, dims: readonly number[]): string;
  /** The float64 scalar 0. */
  readonly zero: string;
}

/** A graph without nodes yet. Names it makes begin with `recipe` and `constant`. */
export function createBuilder(): Builder {
  const nodes: NodeProto[] = [];
  const constants: TensorProto[] = [];
  let count = 0;
  const op: Builder["op"] = (operator, inputs, attributes = [], name = `recipe${count++}`) => {
    nodes.push(node(operator, inputs, name, ...attributes));
    return name;
  };
  const constant: Builder["constant"] = (type, dims, data, name = `constant${count++}`) => {
    constants.push(tensor(name, type, dims, data));
    return name;
  };
  const number = (x: number): string => constant(DOUBLE, [], raw(Float64Array.of(x)));
  const indices: Builder["indices"] = (...values) => constant(INT64, [values.length], raw(BigInt64Array.from(values, BigInt)));
  return {
    nodes,
    constants,
    op,
    constant,
    number,
    indices,
    floatRow: (values) => constant(FLOAT, [1, values.length], raw(Float32Array.from(values))),
    cast: (input, type, name) => op("Cast", [input], [int("to", type)], name),
    slice: (input, from, to, axis = 1) => op("Slice", [input, indices(from), indices(to), indices(axis)]),
    clip: (input, bound) => op("Clip", [input, number(-bound), number(bound)]),
    doubles: (values, dims) => constant(DOUBLE, dims, raw(Float64Array.from(values))),
    zero: number(0),
  };
}
