// Model → ONNX bytes: the network and its calibration as one graph on the recipe's channels; or with the recipe in front of them, in
// float64 like everywhere, so that any ONNX runtime scores raw sequences. The recipe travels as metadata, too.
// LSTM: github.com/onnx/onnx/blob/main/docs/Operators.md#LSTM
// Legend: N sequences, T steps, C channels, U units.
import { textOfLayer } from "../../../shared/artifact/layer-texts.ts";
import { ArtifactError } from "../../../shared/errors.ts";
import { soleLayers, soleNetwork, summariseMembers } from "../../../shared/members.ts";
import type { Model } from "../../../shared/model.ts";
import type { LayeredNetwork } from "../../../shared/networks/layers.ts";
import type { Calibration, Network } from "../../../shared/networks/lstm.ts";
import { describeChannel } from "../../../shared/recipe/channel.ts";
import { type Recipe, shapeOf } from "../../../shared/recipe/recipe.ts";
import { recipeLists } from "../recipe-lists.ts";
import { type Builder, createBuilder } from "./builder.ts";
import { floatList, floats, int, ints, node, port, raw, string, strings, tensor } from "./graph.ts";
import { buildLayers } from "./layer-graph.ts";
import { buildLinear, buildStack, buildTrees, ML_DOMAIN, ML_OPSET } from "./member-graph.ts";
import { encodeModel } from "./protobuf.ts";
import { buildRecipe, describeRecipe } from "./recipe-graph.ts";
import { type AttributeProto, DOUBLE, FLOAT, INT32, INT64, type NodeProto, type TensorProto, type ValueInfoProto } from "./schema.ts";
import { buildView } from "./view-graph.ts";

const OPSET = 17;
const IR_VERSION = 8; // the one that came with opset 17 (github.com/onnx/onnx/blob/main/docs/Versioning.md)

/** ONNX's gate order i,o,f,c as indices into Keras' order i,f,c,o. */
const GATES = [0, 3, 1, 2];

/**
 * Encodes a graph with inputs `channels` float32 (N,T,C), left-aligned as applyRecipe gives them, and `lengths` int32 (N), each
 * 1 to T; output `probability` float32 (N), calibration applied. With `preprocessing` the one input is `sequences` float64 (N,T,F),
 * raw, shorter ones padded with zero rows in front, NaN where a recipe that takes gaps lacks a number, the row's time last where it has
 * one; a sequence of nothing but padding gives NaN, which is no score. Throws ArtifactError where a model of several members is to be written without preprocessing.
 */
export function encodeOnnx(
  model: ExportedModel,
  { preprocessing = false }: { readonly preprocessing?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const { recipe, name } = model;
  if (preprocessing && recipe.mask !== undefined)
    throw new ArtifactError(`passes over rows of ${recipe.mask}, which no export with --preprocessing does: leave --preprocessing out`);
  const graph = preprocessing ? describeWhole(model) : describeChannelsAlone(model);
  const layered = soleLayers(model);
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: "quickstep",
    docString: describeInputs(name, recipe, preprocessing),
    graph: {
      node: graph.nodes,
      name: "quickstep",
      initializer: graph.constants,
      input: inputsOf(recipe, preprocessing),
      output: [port("probability", FLOAT, ["N"])],
    },
    opsetImport: [{ domain: "", version: OPSET }, ...(hasTrees(model) ? [{ domain: ML_DOMAIN, version: ML_OPSET }] : [])],
    metadataProps: [
      { key: "name", value: name },
      { key: "recipe", value: JSON.stringify(recipeLists(recipe)) },
      ...(layered ? [{ key: "layers", value: JSON.stringify(layered.layers.map(textOfLayer)) }] : []),
      ...(model.stack ? [{ key: "members", value: JSON.stringify(summariseMembers(model)) }] : []),
    ],
  });
}

/** What of a model a graph holds. */
export type ExportedModel = Pick<Model, "members" | "stack" | "view" | "calibration" | "recipe" | "name">;

interface Nodes {
  readonly nodes: readonly NodeProto[];
  readonly constants: readonly TensorProto[];
}

function hasTrees({ members }: ExportedModel): boolean {
  return members.some(({ kind }) => kind === "trees");
}

/** One network and its calibration, on the recipe's channels. */
function describeChannelsAlone(model: ExportedModel): Nodes {
  const layered = soleLayers(model);
  if (layered) {
    const build = createBuilder();
    buildLayers(build, layered, model.recipe.timesteps);
    return appendCalibration(build, model.calibration, "probability");
  }
  const network = soleNetwork(model);
  if (network === undefined)
    throw new ArtifactError("has several members, which look at raw sequences: --onnx needs --preprocessing, which writes them all");
  return appendCalibration(networkGraph(network, ""), model.calibration, "probability");
}

/** The recipe, and the network or all members of the stack behind it. */
function describeWhole(model: ExportedModel): Nodes {
  const { recipe, view, members, stack, calibration } = model;
  if (stack === undefined) {
    const layered = soleLayers(model);
    if (layered) return describeLayersWhole(model, layered);
    const { nodes, constants, last } = describeRecipe(recipe);
    const network = networkGraph(members.flatMap((member) => (member.kind === "lstm" ? member.networks : []))[0], "");
    const calibrated = appendCalibration(network, calibration, "scored");
    return { nodes: [...nodes, ...calibrated.nodes, ...last], constants: [...calibrated.constants, ...constants] };
  }
  const build = createBuilder();
  const { rows, last } = buildRecipe(build, recipe);
  const columns = view && buildView(build, view, rows, recipe.timesteps);
  const logits = members.map((member, m) => {
    if (member.kind === "lstm") return buildNetworks(build, member.networks, `member${m}`);
    if (member.kind === "layers") return buildLayeredNetworks(build, member.networks, recipe.timesteps, `member${m}`);
    if (member.kind === "onnx") throw new RangeError("a graph in a stack");
    if (columns === undefined) throw new RangeError(`a ${member.kind} member without a view`);
    return member.kind === "linear" ? buildLinear(build, member.classifier, columns) : buildTrees(build, member.ensemble, columns);
  });
  buildStack(build, stack, calibration, logits);
  return { nodes: [...build.nodes, ...last], constants: build.constants };
}

function describeLayersWhole({ recipe, calibration }: ExportedModel, network: LayeredNetwork): Nodes {
  const build = createBuilder();
  const { last } = buildRecipe(build, recipe);
  buildLayers(build, network, recipe.timesteps);
  const { nodes, constants } = appendCalibration(build, calibration, "scored");
  return { nodes: [...nodes, ...last], constants };
}

/** The mean of the networks' logits, (N,1) float64. */
function buildNetworks(build: Builder, networks: readonly Network[], name: string): string {
  const logits = networks.map((network, k) => {
    const prefix = `${name}network${k}`;
    const { nodes, constants } = networkGraph(network, prefix);
    build.nodes.push(...nodes);
    build.constants.push(...constants);
    return build.cast(`${prefix}logit`, DOUBLE);
  });
  return buildMean(build, logits);
}

/** The same of networks of layers. */
function buildLayeredNetworks(build: Builder, networks: readonly LayeredNetwork[], timesteps: number, name: string): string {
  const logits = networks.map((network, k) => {
    const prefix = `${name}network${k}`;
    buildLayers(build, network, timesteps, prefix);
    return build.cast(`${prefix}logit`, DOUBLE);
  });
  return buildMean(build, logits);
}

function buildMean(build: Builder, logits: readonly string[]): string {
  const sum = logits.reduce((sum, logit) => build.op("Add", [sum, logit]));
  return build.op("Div", [sum, build.number(logits.length)]);
}

function inputsOf({ timesteps, features, channels }: Recipe, preprocessing: boolean): ValueInfoProto[] {
  if (preprocessing) return [port("sequences", DOUBLE, ["N", timesteps, features.length])];
  return [port("channels", FLOAT, ["N", timesteps, channels.length]), port("lengths", INT32, ["N"])];
}

function describeInputs(name: string, recipe: Recipe, preprocessing: boolean): string {
  const { features, channels, gaps, clock } = recipe;
  const { statics = 0 } = shapeOf(recipe);
  const end = features.length - (clock ? 1 : 0);
  const given = statics > 0 ? `, ${features.slice(end - statics, end).join(", ")} the same in every row` : "";
  const special = `${given}${gaps ? ", NaN where a number is missing" : ""}${clock ? `, ${features.at(-1)} in seconds since 1970` : ""}`;
  if (preprocessing) return `${name}: input sequences are raw rows of ${features.join(", ")}${special}, padded in front`;
  return `${name}: input channels are ${channels.map((channel) => describeChannel(channel, features)).join(", ")}, as metadata recipe says`;
}

/** `channels`, `lengths` → `logit` (N,1). Every name begins with `prefix`. */
function networkGraph(network: Network, prefix: string): Nodes {
  const { units, initial, hardGates, backwards } = network;
  const own = (name: string): string => `${prefix}${name}`;
  const states = initial ? [own("firstHidden"), own("firstCell")] : [];
  const settings = lstmAttributes(units, hardGates, backwards);
  const weights = ["W", "R", "B"].map(own);
  const nodes = [
    node("Transpose", ["channels"], own("steps"), ints("perm", [1, 0, 2])), // (T,N,C): ONNX Runtime's CPU LSTM knows only layout 0
    ...(initial ? initialStateNodes(own) : []),
    node("LSTM", [own("steps"), ...weights, "lengths", ...states], ["", own("last")], ...settings), // last (1,N,U): at each one's own length
    node("Squeeze", [own("last"), own("directions")], own("state")), // (N,U)
    node("Gemm", [own("state"), own("headKernel"), own("headBias")], own("logit")), // (N,1)
  ];
  return { nodes, constants: networkConstants(network, own) };
}

/** The graph, and behind it `logit` (N,1) → `output` (N), a probability. */
function appendCalibration({ nodes, constants }: Nodes, { slope, intercept }: Calibration, output: string): Nodes {
  return {
    nodes: [
      ...nodes,
      node("Mul", ["logit", "slope"], "scaled"),
      node("Add", ["scaled", "intercept"], "calibrated"),
      node("Sigmoid", ["calibrated"], "probabilities"),
      node("Reshape", ["probabilities", "flat"], output), // (N)
    ],
    constants: [
      ...constants,
      floats("slope", [], raw(Float32Array.of(slope))),
      floats("intercept", [], raw(Float32Array.of(intercept))),
      tensor("flat", INT64, [1], raw(BigInt64Array.of(-1n))),
    ],
  };
}

/** The state before the first step, once for every sequence: (1,1,U) → (1,N,U). */
function initialStateNodes(own: (name: string) => string): NodeProto[] {
  return [
    node("Shape", ["lengths"], own("count")),
    node("Concat", [own("one"), own("count"), own("one")], own("stateShape"), int("axis", 0)),
    node("Expand", [own("hidden"), own("stateShape")], own("firstHidden")),
    node("Expand", [own("cell"), own("stateShape")], own("firstCell")),
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

function networkConstants(network: Network, own: (name: string) => string): TensorProto[] {
  const { channels: C, units: U, initial } = network;
  return [
    floats(own("W"), [1, 4 * U, C], gateRows(network.kernel, C, U)),
    floats(own("R"), [1, 4 * U, U], gateRows(network.recurrent, U, U)),
    floats(own("B"), [1, 8 * U], twoBiases(gateRows(network.bias, 1, U))),
    floats(own("headKernel"), [U, 1], raw(network.headKernel)),
    floats(own("headBias"), [1], raw(network.headBias)),
    tensor(own("directions"), INT64, [1], raw(BigInt64Array.of(0n))),
    ...(initial
      ? [
          floats(own("hidden"), [1, 1, U], raw(initial.hidden)),
          floats(own("cell"), [1, 1, U], raw(initial.cell)),
          tensor(own("one"), INT64, [1], raw(BigInt64Array.of(1n))),
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
