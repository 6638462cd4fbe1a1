// Model → ONNX bytes: the network and its calibration as one graph on the recipe's channels; or with the recipe in front of them, in
// float64 like everywhere, so that any ONNX runtime scores raw sequences. The recipe travels as metadata, too.
// LSTM: github.com/onnx/onnx/blob/main/docs/Operators.md#LSTM
// Legend: N sequences, T steps, C channels, U units.
import { ArtifactError } from "../../../shared/errors.ts";
import { soleNetwork } from "../../../shared/members.ts";
import type { Model } from "../../../shared/model.ts";
import type { Calibration, Network } from "../../../shared/networks/lstm.ts";
import { describeChannel } from "../../../shared/recipe/channel.ts";
import type { Recipe } from "../../../shared/recipe/recipe.ts";
import { floatList, floats, int, ints, node, port, raw, string, strings, tensor } from "./graph.ts";
import { encodeModel } from "./protobuf.ts";
import { describeRecipe, type RecipeGraph } from "./recipe-graph.ts";
import { type AttributeProto, DOUBLE, FLOAT, INT32, INT64, type NodeProto, type TensorProto, type ValueInfoProto } from "./schema.ts";

const OPSET = 17;
const IR_VERSION = 8; // the one that came with opset 17 (github.com/onnx/onnx/blob/main/docs/Versioning.md)

/** ONNX's gate order i,o,f,c as indices into Keras' order i,f,c,o. */
const GATES = [0, 3, 1, 2];

/**
 * Encodes a graph with inputs `channels` float32 (N,T,C), left-aligned as applyRecipe gives them, and `lengths` int32 (N), each
 * 1 to T; output `probability` float32 (N), calibration applied. With `preprocessing` the one input is `sequences` float64 (N,T,F),
 * raw, shorter ones padded with zero rows in front; a sequence of nothing but padding gives NaN, which is no score. Throws
 * ArtifactError where the model is not one network alone.
 */
export function encodeOnnx(
  model: Pick<Model, "members" | "stack" | "calibration" | "recipe" | "name">,
  { preprocessing = false }: { readonly preprocessing?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const { calibration, recipe, name } = model;
  const network = soleNetwork(model);
  if (network === undefined) throw new ArtifactError("has several members: --onnx writes a model that is one network alone");
  const recipeGraph: RecipeGraph = preprocessing ? describeRecipe(recipe) : { nodes: [], constants: [], last: [] };
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: "quickstep",
    docString: describeInputs(name, recipe, preprocessing),
    graph: {
      node: [...recipeGraph.nodes, ...networkNodes(network, preprocessing ? "scored" : "probability"), ...recipeGraph.last],
      name: "quickstep",
      initializer: [...networkConstants(network, calibration), ...recipeGraph.constants],
      input: inputsOf(recipe, preprocessing),
      output: [port("probability", FLOAT, ["N"])],
    },
    opsetImport: [{ domain: "", version: OPSET }],
    metadataProps: [
      { key: "name", value: name },
      { key: "recipe", value: JSON.stringify(withLists(recipe)) },
    ],
  });
}

function inputsOf({ timesteps, features, channels }: Recipe, preprocessing: boolean): ValueInfoProto[] {
  if (preprocessing) return [port("sequences", DOUBLE, ["N", timesteps, features.length])];
  return [port("channels", FLOAT, ["N", timesteps, channels.length]), port("lengths", INT32, ["N"])];
}

function describeInputs(name: string, { features, channels }: Recipe, preprocessing: boolean): string {
  if (preprocessing) return `${name}: input sequences are raw rows of ${features.join(", ")}, padded in front`;
  return `${name}: input channels are ${channels.map((channel) => describeChannel(channel, features)).join(", ")}, as metadata recipe says`;
}

/** `channels`, `lengths` → `output` (N), by the constants of networkConstants. */
function networkNodes({ units, initial, hardGates, backwards }: Network, output: string): NodeProto[] {
  const states = initial ? ["firstHidden", "firstCell"] : [];
  const settings = lstmAttributes(units, hardGates, backwards);
  return [
    node("Transpose", ["channels"], "steps", ints("perm", [1, 0, 2])), // (T,N,C): ONNX Runtime's CPU LSTM knows only layout 0
    ...(initial ? initialStateNodes() : []),
    node("LSTM", ["steps", "W", "R", "B", "lengths", ...states], ["", "last"], ...settings), // last (1,N,U): at each one's own length
    node("Squeeze", ["last", "directions"], "state"), // (N,U)
    node("Gemm", ["state", "headKernel", "headBias"], "logit"), // (N,1)
    node("Mul", ["logit", "slope"], "scaled"),
    node("Add", ["scaled", "intercept"], "calibrated"),
    node("Sigmoid", ["calibrated"], "probabilities"),
    node("Reshape", ["probabilities", "flat"], output), // (N)
  ];
}

/** The state before the first step, once for every sequence: (1,1,U) → (1,N,U). */
function initialStateNodes(): NodeProto[] {
  return [
    node("Shape", ["lengths"], "count"),
    node("Concat", ["one", "count", "one"], "stateShape", int("axis", 0)),
    node("Expand", ["hidden", "stateShape"], "firstHidden"),
    node("Expand", ["cell", "stateShape"], "firstCell"),
  ];
}

function lstmAttributes(U: number, hardGates: Network["hardGates"], backwards: Network["backwards"]): AttributeProto[] {
  const activations = (slope: number): AttributeProto[] => [
    strings("activations", ["HardSigmoid", "Tanh", "Tanh"]),
    floatList("activation_alpha", [slope]),
    floatList("activation_beta", [0.5]),
  ];
  return [
    int("hidden_size", U),
    ...(backwards ? [string("direction", "reverse")] : []),
    ...(hardGates === undefined ? [] : activations(hardGates)),
  ];
}

function networkConstants(network: Network, calibration: Calibration): TensorProto[] {
  const { channels: C, units: U, initial } = network;
  return [
    floats("W", [1, 4 * U, C], gateRows(network.kernel, C, U)),
    floats("R", [1, 4 * U, U], gateRows(network.recurrent, U, U)),
    floats("B", [1, 8 * U], twoBiases(gateRows(network.bias, 1, U))),
    floats("headKernel", [U, 1], raw(network.headKernel)),
    floats("headBias", [1], raw(network.headBias)),
    floats("slope", [], raw(Float32Array.of(calibration.slope))),
    floats("intercept", [], raw(Float32Array.of(calibration.intercept))),
    tensor("directions", INT64, [1], raw(BigInt64Array.of(0n))),
    tensor("flat", INT64, [1], raw(BigInt64Array.of(-1n))),
    ...(initial
      ? [
          floats("hidden", [1, 1, U], raw(initial.hidden)),
          floats("cell", [1, 1, U], raw(initial.cell)),
          tensor("one", INT64, [1], raw(BigInt64Array.of(1n))),
        ]
      : []),
  ];
}

/** (rows,4U) in gates i,f,c,o → little-endian (4U,rows) in gates i,o,f,c. */
function gateRows(weights: Float32Array, rows: number, U: number): Uint8Array {
  const out = new Float32Array(4 * U * rows);
  let at = 0;
  for (const gate of GATES)
    for (let u = 0; u < U; u++) for (let row = 0; row < rows; row++) out[at++] = weights[row * 4 * U + gate * U + u];
  return raw(out);
}

/** Keras has one bias where ONNX has two: the bias goes to the first, Wb; the second, Rb, stays zero. */
function twoBiases(bias: Uint8Array): Uint8Array {
  const both = new Uint8Array(2 * bias.length);
  both.set(bias);
  return both;
}

/** The recipe with its arrays as lists, as JSON has them. */
function withLists(recipe: Recipe): Record<string, unknown> {
  const { timesteps, features, padding, channels, clip, lengths } = recipe;
  const [mean, scale, floor] = [recipe.mean, recipe.scale, recipe.floor].map((array) => [...array]);
  const [featureMean, featureScale] = [recipe.featureMean, recipe.featureScale].map((array) => [...array]);
  return { timesteps, features, padding, channels, clip, lengths, mean, scale, floor, featureMean, featureScale };
}
