// A network of layers as layers of tfjs. tfjs' recurrent layers pass over masked rows and hand the mask on; its convolutions and poolings know
// no mask, so that they are written only where every sequence has all rows. Legend: T steps, R rows, W width, U units, G gates.
import { ArtifactError } from "../../../shared/errors.ts";
import type { Activation } from "../../../shared/networks/activation.ts";
import { describeLayer } from "../../../shared/networks/describe-layers.ts";
import {
  activationsOf,
  type Cell,
  GATES,
  type GLOBAL_POOLS,
  type Layer,
  type LayeredNetwork,
  rowsAfter,
  widthAfter,
} from "../../../shared/networks/layers.ts";
import { type LayerText, TFJS_HARD_SLOPE } from "./layer-text.ts";

/** Where a network begins: the layer whose output comes in, with `rows` rows where each sequence has as many. */
export interface Start {
  readonly prefix: string;
  readonly from: string;
  readonly rows: number | undefined;
}

type Draft = Omit<LayerText, "name" | "from">;
/** Drafts one behind the other. */
type Chain = readonly Draft[];

/** The layers of `network`, the last of which gives the logit. Throws ArtifactError, which names the layer that tfjs cannot hold. */
export function listLayers({ channels, layers }: LayeredNetwork, { prefix, from, rows }: Start): LayerText[] {
  const texts: LayerText[] = [];
  let [R, W] = [rows, channels];
  for (const [i, layer] of layers.entries()) {
    const name = `${prefix}layer${i}`;
    const before = texts[texts.length - 1]?.name ?? from;
    texts.push(
      ...(layer.kind === "branches"
        ? listBranches(layer, W, { prefix: name, from: before, rows: R })
        : connect(draftLayer(layer, R, W), name, before)),
    );
    W = widthAfter(layer, W);
    R &&= rowsAfter(layer, R);
  }
  return texts;
}

const MERGE_CLASSES = { concat: "Concatenate", sum: "Add", mul: "Multiply" } as const;

/** The layers of all branches, and the one that merges what they leave, which has the name `prefix`. */
function listBranches(layer: Extract<Layer, { kind: "branches" }>, channels: number, { prefix, from, rows }: Start): LayerText[] {
  if (rows === undefined) refuse(layer, "tfjs' layers that merge know no mask, and sequences may be shorter than others");
  const branches = layer.branches.map((layers, b) => listLayers({ channels, layers }, { prefix: `${prefix}_${b}_`, from, rows }));
  const ends = branches.map((branch) => branch.at(-1)?.name ?? from);
  const config = layer.merge === "concat" ? { axis: -1 } : {};
  return [...branches.flat(), { name: prefix, className: MERGE_CLASSES[layer.merge], config, from: ends }];
}

/** Chains side by side, joined where there are several. */
function connect(chains: readonly Chain[], name: string, from: string): LayerText[] {
  if (chains.length === 1) return nameChain(chains[0], name, from);
  const branches = chains.map((chain, b) => nameChain(chain, `${name}_${b}`, from));
  const ends = branches.map((branch) => branch[branch.length - 1].name);
  return [...branches.flat(), { name, className: "Concatenate", config: { axis: -1 }, from: ends }];
}

function nameChain(chain: Chain, name: string, from: string): LayerText[] {
  return chain.map((draft, k) => ({
    ...draft,
    name: nameAt(name, k, chain.length),
    from: [k === 0 ? from : nameAt(name, k - 1, chain.length)],
  }));
}

function nameAt(name: string, k: number, count: number): string {
  return k === count - 1 ? name : `${name}_part${k}`;
}

function refuse(layer: Layer, why: string): never {
  throw new ArtifactError(`has ${describeLayer(layer)}: ${why}`);
}

/** One chain; one for each kind of a global pooling. */
function draftLayer(layer: Exclude<Layer, { kind: "branches" }>, R: number | undefined, W: number): readonly Chain[] {
  const plain = (className: string, config: LayerText["config"], weights?: LayerText["weights"]): readonly Chain[] => [
    [{ className, config, weights }],
  ];
  switch (layer.kind) {
    case "recurrent": {
      if (layer.returns === "cell") refuse(layer, "tfjs gives no cell state alone");
      if (layer.backwards && layer.returns === "sequence") refuse(layer, "tfjs gives rows that are read backwards in another order");
      const draft = draftCell(layer, layer.cell, W, "", layer.returns);
      return [[{ ...draft, config: { ...draft.config, go_backwards: layer.backwards === true } }]];
    }
    case "bidirectional":
      return [[draftBoth(layer, W)]];
    case "dense":
      return plain("Dense", { units: layer.units, activation: "linear", use_bias: true }, [
        { name: "kernel", shape: [W, layer.units], data: layer.kernel },
        { name: "bias", shape: [layer.units], data: layer.bias },
      ]);
    case "activation":
      return [[draftActivation(layer, layer.activation)]];
    case "affine":
      return plain("BatchNormalization", { axis: -1, momentum: 0.99, epsilon: 0, center: true, scale: true }, [
        { name: "gamma", shape: [W], data: layer.scale },
        { name: "beta", shape: [W], data: layer.shift },
        { name: "moving_mean", shape: [W], data: new Float32Array(W) },
        { name: "moving_variance", shape: [W], data: new Float32Array(W).fill(1) },
      ]);
    case "layerNormalization":
      return plain("LayerNormalization", { axis: -1, epsilon: layer.epsilon, center: true, scale: true }, [
        { name: "gamma", shape: [W], data: layer.gamma },
        { name: "beta", shape: [W], data: layer.beta },
      ]);
    case "reverse":
      return refuse(layer, "tfjs has no layer that turns rows round");
    case "attentionPooling":
      return refuse(layer, "tfjs has no layer that weights rows so");
    default:
      if (R === undefined) refuse(layer, "tfjs' layer knows no mask, and sequences may be shorter than others");
      return draftOfAllRows(layer, R, W);
  }
}

/** Layers that need to know where a sequence ends: R rows come in. */
function draftOfAllRows(
  layer: Extract<Layer, { kind: "conv" | "pooling" | "globalPooling" | "flatten" }>,
  R: number,
  W: number,
): readonly Chain[] {
  switch (layer.kind) {
    case "conv":
      return [[draftConv(layer, W)]];
    case "pooling":
      if (layer.pads[0] + layer.pads[1] > 0) refuse(layer, "tfjs pads by rules of its own");
      return [
        [
          {
            className: layer.by === "max" ? "MaxPooling1D" : "AveragePooling1D",
            config: { pool_size: layer.poolSize, strides: layer.strides, padding: "valid" },
          },
        ],
      ];
    case "flatten":
      return [[{ className: "Flatten", config: {} }]];
    case "globalPooling":
      return layer.by.map((by) => draftGlobal(by, R, W));
  }
}

function draftGlobal(by: (typeof GLOBAL_POOLS)[number], R: number, W: number): Chain {
  if (by === "mean" || by === "max") return [{ className: by === "max" ? "GlobalMaxPooling1D" : "GlobalAveragePooling1D", config: {} }];
  const kernel = new Float32Array(R * W * W); // a convolution over all rows that takes one as it is: tfjs has no layer for it
  for (let w = 0; w < W; w++) kernel[((by === "last" || (by === "ends" && w < W / 2) ? R - 1 : 0) * W + w) * W + w] = 1;
  const config = {
    filters: W,
    kernel_size: [R],
    strides: [1],
    padding: "valid",
    dilation_rate: [1],
    activation: "linear",
    use_bias: false,
  };
  return [
    { className: "Conv1D", config, weights: [{ name: "kernel", shape: [R, W, W], data: kernel }] },
    { className: "Flatten", config: {} },
  ];
}

function draftConv(layer: Extract<Layer, { kind: "conv" }>, W: number): Draft {
  const { filters, kernelSize: K, strides, dilationRate, pads, kernel, bias } = layer;
  const more = (K - 1) * dilationRate;
  const [front, back] = pads;
  const isSame = strides === 1 && front === Math.floor(more / 2) && back === Math.ceil(more / 2);
  const padding = front + back === 0 ? "valid" : isSame ? "same" : refuse(layer, "tfjs pads by rules of its own");
  return {
    className: "Conv1D",
    config: { filters, kernel_size: [K], strides: [strides], padding, dilation_rate: [dilationRate], activation: "linear", use_bias: true },
    weights: [
      { name: "kernel", shape: [K, W, filters], data: kernel },
      { name: "bias", shape: [filters], data: bias },
    ],
  };
}

const CLASSES = { lstm: "LSTM", gru: "GRU", rnn: "SimpleRNN" } as const;

function draftCell(layer: Layer, cell: Cell, W: number, prefix: string, returns: "sequence" | "state"): Draft {
  const { units: U, kernel, recurrent, bias } = cell;
  if (cell.initialHidden || (cell.cell === "lstm" && cell.initialCell))
    refuse(layer, "tfjs' layer cannot hold a state before the first step");
  if (cell.cell === "gru" && cell.recurrentBias) refuse(layer, "tfjs' GRU has its reset gate before the recurrent weights alone");
  const { activation, recurrentActivation } = activationsOf(cell);
  const gates = cell.cell === "rnn" ? {} : { recurrent_activation: nameActivation(layer, recurrentActivation) };
  const GU = GATES[cell.cell] * U;
  return {
    className: CLASSES[cell.cell],
    config: {
      units: U,
      activation: nameActivation(layer, activation),
      ...gates,
      use_bias: true,
      return_sequences: returns === "sequence",
      return_state: false,
      go_backwards: false,
      stateful: false,
      unroll: false,
    },
    weights: [
      { name: `${prefix}kernel`, shape: [W, GU], data: kernel },
      { name: `${prefix}recurrent_kernel`, shape: [U, GU], data: recurrent },
      { name: `${prefix}bias`, shape: [GU], data: bias },
    ],
  };
}

function draftBoth(layer: Extract<Layer, { kind: "bidirectional" }>, W: number): Draft {
  const { forward, backward, merge, returns } = layer;
  if (returns === "cell") refuse(layer, "tfjs gives no cell state alone");
  const [one, other] = [draftCell(layer, forward, W, "forward_cell/", returns), draftCell(layer, backward, W, "backward_cell/", returns)];
  if (one.className !== other.className || JSON.stringify(one.config) !== JSON.stringify(other.config))
    refuse(layer, "tfjs has two directions of one kind and size alone");
  const config = { layer: { class_name: one.className, config: { name: "cell", ...one.config } }, merge_mode: merge };
  return { className: "Bidirectional", config, weights: [...one.weights!, ...other.weights!] };
}

function draftActivation(layer: Layer, activation: Activation): Draft {
  if (activation.kind === "leakyRelu") return { className: "LeakyReLU", config: { alpha: activation.alpha } };
  return { className: "Activation", config: { activation: nameActivation(layer, activation) } };
}

/** As tfjs writes it. */
function nameActivation(layer: Layer, activation: Activation): string {
  if (activation.kind === "silu") return "swish";
  if (activation.kind === "gelu") return activation.approximate ? "gelu_new" : "gelu";
  if (activation.kind === "hardSigmoid" && activation.slope === TFJS_HARD_SLOPE) return "hard_sigmoid";
  if (activation.kind === "hardSigmoid" || activation.kind === "leakyRelu" || (activation.kind === "elu" && activation.alpha !== 1))
    return refuse(layer, `tfjs has no ${activation.kind} of that slope in such a layer`);
  return activation.kind;
}
