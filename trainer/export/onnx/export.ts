// Model → ONNX bytes: the network and its calibration as one graph on the recipe's channels; or with the recipe in front of them, in
// float64 like everywhere, so that any ONNX runtime scores raw sequences. The recipe travels as metadata, too.
// Field numbers and enums: github.com/onnx/onnx/blob/main/onnx/onnx.proto. LSTM: github.com/onnx/onnx/blob/main/docs/Operators.md#LSTM
// Legend: N sequences, T steps, C channels, U units.
import type { Model } from "../../../shared/model.ts";
import { describeChannel } from "../../../shared/recipe/recipe.ts";
import { DOUBLE, FLOAT, floatList, floats, INT32, INT64, int, ints, node, port, raw, string, strings, tensor } from "./graph.ts";
import { bytesField, integerField, message, textField } from "./protobuf.ts";
import { describeRecipe } from "./recipe-graph.ts";

const OPSET = 17;
const IR_VERSION = 8; // the one that came with opset 17 (github.com/onnx/onnx/blob/main/docs/Versioning.md)

/** ONNX's gate order i,o,f,c as places in Keras' order i,f,c,o. */
const GATES = [0, 3, 1, 2];

/**
 * Encodes a graph with inputs `channels` float32 (N,T,C), left-aligned as applyRecipe gives them, and `lengths` int32 (N), each
 * 1 to T; output `probability` float32 (N), calibration applied. With `preprocessing` the one input is `sequences` float64 (N,T,F),
 * raw, shorter ones padded with zero rows in front; a sequence of nothing but padding gives NaN, which is no score.
 */
export function encodeOnnx(
  model: Pick<Model, "network" | "calibration" | "recipe" | "name">,
  { preprocessing = false }: { readonly preprocessing?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const { network, calibration, recipe, name } = model;
  const { channels: C, units: U, hardGates, backwards, initial } = network;
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
    ...(initial ? [floats("hidden", [1, 1, U], raw(initial.hidden)), floats("cell", [1, 1, U], raw(initial.cell))] : []),
  ];
  const attributes = [
    int("hidden_size", U),
    ...(backwards ? [string("direction", "reverse")] : []),
    ...(hardGates === undefined
      ? []
      : [
          strings("activations", ["HardSigmoid", "Tanh", "Tanh"]),
          floatList("activation_alpha", [hardGates]),
          floatList("activation_beta", [0.5]),
        ]),
  ];
  // The state before the first step, once for every sequence: (1,1,U) → (1,N,U)
  const start = initial
    ? [
        node("Shape", ["lengths"], "count"),
        node("Concat", ["one", "count", "one"], "stateShape", int("axis", 0)),
        node("Expand", ["hidden", "stateShape"], "firstHidden"),
        node("Expand", ["cell", "stateShape"], "firstCell"),
      ]
    : [];
  const states = initial ? ["firstHidden", "firstCell"] : [];
  if (initial) weights.push(tensor("one", INT64, [1], raw(BigInt64Array.of(1n))));
  const nodes = [
    node("Transpose", ["channels"], "steps", ints("perm", [1, 0, 2])), // (T,N,C): ONNX Runtime's CPU LSTM knows only layout 0
    ...start,
    node("LSTM", ["steps", "W", "R", "B", "lengths", ...states], ["", "last"], ...attributes), // last (1,N,U): at each one's own length
    node("Squeeze", ["last", "directions"], "state"), // (N,U)
    node("Gemm", ["state", "headKernel", "headBias"], "logit"), // (N,1)
    node("Mul", ["logit", "slope"], "scaled"),
    node("Add", ["scaled", "intercept"], "calibrated"),
    node("Sigmoid", ["calibrated"], "probabilities"),
    node("Reshape", ["probabilities", "flat"], preprocessing ? "scored" : "probability"), // (N)
  ];
  const recipeGraph = preprocessing ? describeRecipe(recipe) : { nodes: [], constants: [], last: [] };
  const graph = message(
    ...[...recipeGraph.nodes, ...nodes, ...recipeGraph.last].map((bytes) => bytesField(1, bytes)),
    textField(2, "quickstep"),
    ...[...weights, ...recipeGraph.constants].map((bytes) => bytesField(5, bytes)),
    ...(preprocessing
      ? [bytesField(11, port("sequences", DOUBLE, ["N", recipe.timesteps, recipe.features.length]))]
      : [bytesField(11, port("channels", FLOAT, ["N", recipe.timesteps, C])), bytesField(11, port("lengths", INT32, ["N"]))]),
    bytesField(12, port("probability", FLOAT, ["N"])),
  );
  const { timesteps, features, padding, channels, clip, lengths } = recipe;
  const [mean, scale, floor] = [recipe.mean, recipe.scale, recipe.floor].map((array) => [...array]);
  const [featureMean, featureScale] = [recipe.featureMean, recipe.featureScale].map((array) => [...array]);
  const steps = { timesteps, features, padding, channels, clip, lengths, mean, scale, floor, featureMean, featureScale };
  return message(
    integerField(1, IR_VERSION),
    textField(2, "quickstep"),
    textField(
      6,
      preprocessing
        ? `${name}: input sequences are raw rows of ${features.join(", ")}, padded in front`
        : `${name}: input channels are ${channels.map((channel) => describeChannel(channel, features)).join(", ")}, as metadata recipe says`,
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
