// A node of an ONNX graph and what flows between nodes. Knows no operator and no file.

/** Numbers of any ONNX type as float64, in C order. int64 beyond 2^53 is rounded; only the "to the end" of a slice is so large. */
export interface Tensor {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

/** The graph in an attribute: what a Loop does in each step. Takes tensors of the graph around it by their names. */
export interface Body {
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export type Attribute = number | string | readonly number[] | readonly string[] | Tensor | Body;

export interface Node {
  /** `LSTM`; with its domain where the domain is not ONNX' own: `com.microsoft.FusedMatMul`. */
  readonly operator: string;
  readonly name: string;
  /** Names of tensors; "" where an optional one is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** A list of numbers, or undefined where the attribute is absent or something else. */
export function numbersOf(value: Attribute | undefined): number[] | undefined {
  return Array.isArray(value) && value.every((one) => typeof one === "number") ? [...value] : undefined;
}

/** A list of texts, or undefined where the attribute is absent or something else. */
export function textsOf(value: Attribute | undefined): string[] | undefined {
  return Array.isArray(value) && value.every((one) => typeof one === "string") ? [...value] : undefined;
}

/** A graph, or undefined where the attribute is absent or something else. */
export function bodyOf(value: Attribute | undefined): Body | undefined {
  return typeof value === "object" && "nodes" in value ? value : undefined;
}

/** A tensor, or undefined where the attribute is absent or something else. */
export function tensorOf(value: Attribute | undefined): Tensor | undefined {
  return typeof value === "object" && "data" in value ? value : undefined;
}
