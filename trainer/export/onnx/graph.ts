// The pieces of an ONNX graph: tensors, nodes, attributes, inputs and outputs. Knows no network.
import { ATTRIBUTE, type AttributeProto, FLOAT, type NodeProto, type TensorProto, type ValueInfoProto } from "./schema.ts";

/** The bytes of an array, not copied. ONNX stores little-endian, as every host that runs Node 24 does. */
export function raw({ buffer, byteOffset, byteLength }: Float32Array | Int32Array | Float64Array | BigInt64Array | Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A float32 tensor; `data` are its bytes. */
export function floats(name: string, dims: readonly number[], data: Uint8Array): TensorProto {
  return tensor(name, FLOAT, dims, data);
}

/** A tensor of a TensorProto.DataType; `data` are its bytes. */
export function tensor(name: string, dataType: number, dims: readonly number[], rawData: Uint8Array): TensorProto {
  return { dims, dataType, name, rawData };
}

/** A node with one named output, or several, of which "" is left out. Its name is unique where its last output's name is. */
export function node(
  opType: string,
  input: readonly string[],
  outputs: string | readonly string[],
  ...attribute: readonly AttributeProto[]
): NodeProto {
  const output = [outputs].flat();
  return { input, output, name: `${opType} ${output.at(-1)}`, opType, attribute };
}

/** A whole number as an attribute. */
export function int(name: string, i: number): AttributeProto {
  return { name, i, type: ATTRIBUTE.INT };
}

/** A float32 as an attribute. */
export function float(name: string, f: number): AttributeProto {
  return { name, f, type: ATTRIBUTE.FLOAT };
}

/** A list of whole numbers as an attribute. */
export function ints(name: string, values: readonly number[]): AttributeProto {
  return { name, ints: values, type: ATTRIBUTE.INTS };
}

/** A text as an attribute. */
export function string(name: string, value: string): AttributeProto {
  return { name, s: new TextEncoder().encode(value), type: ATTRIBUTE.STRING };
}

/** A list of texts as an attribute. */
export function strings(name: string, values: readonly string[]): AttributeProto {
  return { name, strings: values.map((value) => new TextEncoder().encode(value)), type: ATTRIBUTE.STRINGS };
}

/** A list of float32 as an attribute. */
export function floatList(name: string, values: readonly number[]): AttributeProto {
  return { name, floats: values, type: ATTRIBUTE.FLOATS };
}

/** A graph's input or output of a TensorProto.DataType; a dimension given as text is symbolic. */
export function port(name: string, elemType: number, dims: readonly (string | number)[]): ValueInfoProto {
  const dim = dims.map((size) => (typeof size === "string" ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/** A tensor as an attribute. */
export function tensorAttribute(name: string, t: TensorProto): AttributeProto {
  return { name, t: { ...t, name }, type: ATTRIBUTE.TENSOR };
}
