// Model → ONNX bytes: the network and its calibration as one graph. The preprocessing stays outside, for a graph of float32
// could not take differences before rounding: inputs are the recipe's channels, and the recipe travels as metadata.
// Field numbers and enums: github.com/onnx/onnx/blob/main/onnx/onnx.proto. LSTM: github.com/onnx/onnx/blob/main/docs/Operators.md#LSTM
// Legend: N sequences, T steps, C channels, U units.
import type { Model } from "../../shared/model.ts";
import { describeChannel } from "../../shared/recipe.ts";
import { bytesField, integerField, message, textField } from "./protobuf.ts";

const OPSET = 17;
const IR_VERSION = 8; // the one that came with opset 17 (github.com/onnx/onnx/blob/main/docs/Versioning.md)

// TensorProto.DataType
const FLOAT = 1;
const INT32 = 6;
const INT64 = 7;

// AttributeProto.AttributeType
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

/** ONNX's gate order i,o,f,c as places in Keras' order i,f,c,o. */
const GATES = [0, 3, 1, 2];

/**
 * Encodes a graph with inputs `channels` float32 (N,T,C), left-aligned as applyRecipe gives them, and `lengths` int32 (N), each
 * 1 to T; output `probability` float32 (N), calibration applied.
 */
export function encodeOnnx(model: Pick<Model, "network" | "calibration" | "recipe" | "name">): Uint8Array<ArrayBuffer> {
  const { network, calibration, recipe, name } = model;
  const { channels: C, units: U } = network;
  const weights = [
    floats("W", [1, 4 * U, C], gateRows(network.kernel, C, U)),
    floats("R", [1, 4 * U, U], gateRows(network.recurrent, U, U)),
    // Keras has one bias where ONNX has two: it goes to the first, Wb; the second, Rb, stays zero.
    floats("B", [1, 8 * U], message(gateRows(network.bias, 1, U), new Uint8Array(16 * U))),
    floats("headKernel", [U, 1], raw(network.headKernel)),
    floats("headBias", [1], raw(network.headBias)),
    floats("slope", [], raw(Float32Array.of(calibration.slope))),
    floats("intercept", [], raw(Float32Array.of(calibration.intercept))),
    tensor("directions", INT64, [1], raw(BigInt64Array.of(0n))),
    tensor("flat", INT64, [1], raw(BigInt64Array.of(-1n))),
  ];
  const nodes = [
    node("Transpose", ["channels"], "steps", ints("perm", [1, 0, 2])), // (T,N,C): ONNX Runtime's CPU LSTM knows only layout 0
    node("LSTM", ["steps", "W", "R", "B", "lengths"], ["", "last"], int("hidden_size", U)), // last (1,N,U): at each one's own length
    node("Squeeze", ["last", "directions"], "state"), // (N,U)
    node("Gemm", ["state", "headKernel", "headBias"], "logit"), // (N,1)
    node("Mul", ["logit", "slope"], "scaled"),
    node("Add", ["scaled", "intercept"], "calibrated"),
    node("Sigmoid", ["calibrated"], "probabilities"),
    node("Reshape", ["probabilities", "flat"], "probability"), // (N)
  ];
  const graph = message(
    ...nodes.map((bytes) => bytesField(1, bytes)),
    textField(2, "quickstep"),
    ...weights.map((bytes) => bytesField(5, bytes)),
    bytesField(11, port("channels", FLOAT, ["N", recipe.timesteps, C])),
    bytesField(11, port("lengths", INT32, ["N"])),
    bytesField(12, port("probability", FLOAT, ["N"])),
  );
  const { timesteps, features, padding, channels, clip, lengths, mean, scale, floor } = recipe;
  const steps = { timesteps, features, padding, channels, clip, lengths, mean: [...mean], scale: [...scale], floor: [...floor] };
  return message(
    integerField(1, IR_VERSION),
    textField(2, "quickstep"),
    textField(
      6,
      `${name}: input channels are ${channels.map((channel) => describeChannel(channel, features)).join(", ")}, as metadata recipe says`,
    ),
    bytesField(7, graph),
    bytesField(8, message(textField(1, ""), integerField(2, OPSET))),
    bytesField(14, message(textField(1, "name"), textField(2, name))),
    bytesField(14, message(textField(1, "recipe"), textField(2, JSON.stringify(steps)))),
  );
}

/** (rows,4U) in gates i,f,c,o → little-endian (4U,rows) in gates i,o,f,c. */
function gateRows(weights: Float32Array, rows: number, U: number): Uint8Array {
  const out = new Float32Array(4 * U * rows);
  let at = 0;
  for (const gate of GATES)
    for (let u = 0; u < U; u++) for (let row = 0; row < rows; row++) out[at++] = weights[row * 4 * U + gate * U + u];
  return raw(out);
}

/** ONNX stores little-endian, as every host that runs Node 24 does. */
function raw({ buffer, byteOffset, byteLength }: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function floats(name: string, dims: readonly number[], data: Uint8Array): Uint8Array {
  return tensor(name, FLOAT, dims, data);
}

function tensor(name: string, type: number, dims: readonly number[], data: Uint8Array): Uint8Array {
  return message(...dims.map((size) => integerField(1, size)), integerField(2, type), textField(8, name), bytesField(9, data));
}

/** A node with one named output, or several, of which "" is left out. */
function node(operator: string, inputs: readonly string[], outputs: string | readonly string[], ...attributes: Uint8Array[]): Uint8Array {
  return message(
    ...inputs.map((name) => textField(1, name)),
    ...[outputs].flat().map((name) => textField(2, name)),
    textField(3, operator),
    textField(4, operator),
    ...attributes.map((bytes) => bytesField(5, bytes)),
  );
}

function int(name: string, value: number): Uint8Array {
  return message(textField(1, name), integerField(3, value), integerField(20, ATTRIBUTE_INT));
}

function ints(name: string, values: readonly number[]): Uint8Array {
  return message(textField(1, name), ...values.map((value) => integerField(8, value)), integerField(20, ATTRIBUTE_INTS));
}

/** A graph input or output; a dimension given as text is symbolic. */
function port(name: string, type: number, dims: readonly (string | number)[]): Uint8Array {
  const shape = dims.map((size) => bytesField(1, typeof size === "string" ? textField(2, size) : integerField(1, size)));
  return message(textField(1, name), bytesField(2, bytesField(1, message(integerField(1, type), bytesField(2, message(...shape))))));
}
