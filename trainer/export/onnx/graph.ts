// The pieces of an ONNX graph as bytes: tensors, nodes, attributes, inputs and outputs. Knows no network.
// Field numbers and enums: github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { bytesField, integerField, message, textField } from "./protobuf.ts";

// TensorProto.DataType
export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;
export const BOOL = 9;
export const DOUBLE = 11;

// AttributeProto.AttributeType
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_STRING = 3;
const ATTRIBUTE_FLOATS = 6;
const ATTRIBUTE_INTS = 7;
const ATTRIBUTE_STRINGS = 8;

/** ONNX stores little-endian, as every host that runs Node 24 does. */
export function raw({ buffer, byteOffset, byteLength }: Float32Array | Float64Array | BigInt64Array | Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

export function floats(name: string, dims: readonly number[], data: Uint8Array): Uint8Array {
  return tensor(name, FLOAT, dims, data);
}

export function tensor(name: string, type: number, dims: readonly number[], data: Uint8Array): Uint8Array {
  return message(...dims.map((size) => integerField(1, size)), integerField(2, type), textField(8, name), bytesField(9, data));
}

/** A node with one named output, or several, of which "" is left out. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: string | readonly string[],
  ...attributes: Uint8Array[]
): Uint8Array {
  return message(
    ...inputs.map((name) => textField(1, name)),
    ...[outputs].flat().map((name) => textField(2, name)),
    textField(3, `${operator} ${[outputs].flat().at(-1)}`), // names must differ
    textField(4, operator),
    ...attributes.map((bytes) => bytesField(5, bytes)),
  );
}

export function int(name: string, value: number): Uint8Array {
  return message(textField(1, name), integerField(3, value), integerField(20, ATTRIBUTE_INT));
}

export function ints(name: string, values: readonly number[]): Uint8Array {
  return message(textField(1, name), ...values.map((value) => integerField(8, value)), integerField(20, ATTRIBUTE_INTS));
}

export function string(name: string, value: string): Uint8Array {
  return message(textField(1, name), textField(4, value), integerField(20, ATTRIBUTE_STRING));
}

export function strings(name: string, values: readonly string[]): Uint8Array {
  return message(textField(1, name), ...values.map((value) => textField(9, value)), integerField(20, ATTRIBUTE_STRINGS));
}

/** Packed, as a reader must take them too. */
export function floatList(name: string, values: readonly number[]): Uint8Array {
  return message(textField(1, name), bytesField(7, raw(Float32Array.from(values))), integerField(20, ATTRIBUTE_FLOATS));
}

/** A graph input or output; a dimension given as text is symbolic. */
export function port(name: string, type: number, dims: readonly (string | number)[]): Uint8Array {
  const shape = dims.map((size) => bytesField(1, typeof size === "string" ? textField(2, size) : integerField(1, size)));
  return message(textField(1, name), bytesField(2, bytesField(1, message(integerField(1, type), bytesField(2, message(...shape))))));
}
