// tfjs' own LSTM and GRU layers, computed by the kernel: the layer keeps its class, configuration, weights and name, so that a saved model
// knows nothing of it; what changes is who does the work when it is called.
import * as tf from "@tensorflow/tfjs";
import { type Device, type KernelHost, openDevice } from "./device.ts";
import { type CallArguments, cellOf, findObstacle, innerLayers, type RecurrentLayer } from "./layer-parts.ts";
import { KernelLayer, type RecurrentOptions } from "./recurrent.ts";
import { applyRecurrent } from "./recurrent-op.ts";

type LstmArguments = Parameters<typeof tf.layers.lstm>[0];
type GruArguments = Parameters<typeof tf.layers.gru>[0];
type BidirectionalArguments = Parameters<typeof tf.layers.bidirectional>[0];

export interface FusedLayers {
  /** `tf.layers.lstm`, computed by the kernel. */
  fusedLstm(config: LstmArguments): ReturnType<typeof tf.layers.lstm>;
  /** `tf.layers.gru`, computed by the kernel; like it, without resetAfter, which tfjs refuses. */
  fusedGru(config: GruArguments): ReturnType<typeof tf.layers.gru>;
  /** `tf.layers.bidirectional` whose two layers are fused. tfjs' own copies the layer it is given, and copies are not fused. */
  bidirectional(config: BidirectionalArguments): ReturnType<typeof tf.layers.bidirectional>;
  /** Fuses every LSTM and GRU layer in a layer or a model, also one that was loaded, and gives it back. */
  fuse<L extends tf.layers.Layer | tf.LayersModel>(layer: L): L;
  /** What the kernel runs on; undefined where this host has no WebAssembly with SIMD, so that tfjs' own layers compute. */
  device(): Pick<Device, "simdPath" | "threads"> | undefined;
}

/** Fused layers on what a host offers. Nothing is opened before the first call of a layer. */
export function createFusedLayers(host: KernelHost): FusedLayers {
  const fused = new WeakSet<object>();
  const warned = new Set<string>();
  const warnOnce = (message: string): void => {
    if (!warned.has(message)) host.warn(message);
    warned.add(message);
  };
  let opened: { readonly device: Device | undefined } | undefined;
  const device = (): Device | undefined => {
    opened ??= { device: openDevice(host) };
    if (opened.device === undefined) warnOnce("this host has no WebAssembly with SIMD: tfjs' own layers compute, with the same results");
    return opened.device;
  };
  const freed = new FinalizationRegistry<() => void>((dispose) => dispose());

  function fuse<L extends tf.layers.Layer | tf.LayersModel>(layer: L): L {
    if (fused.has(layer)) return layer;
    fused.add(layer);
    const cell = cellOf(layer as tf.layers.Layer);
    if (cell) replaceCall(layer as unknown as RecurrentLayer, cell);
    for (const inner of innerLayers(layer)) fuse(inner);
    return layer;
  }

  function replaceCall(layer: RecurrentLayer, cell: "lstm" | "gru"): void {
    const own = layer.call.bind(layer);
    const obstacle = findObstacle(layer);
    let computed: { readonly options: RecurrentOptions; readonly kernel: KernelLayer } | undefined;
    layer.call = (inputs, kwargs) => {
      const reason = obstacle ?? (tf.getBackend() === "webgpu" ? "the backend webgpu gives no numbers at once" : undefined);
      if (reason !== undefined) warnOnce(`${layer.name}: tfjs' own layer computes, because ${reason}`);
      const on = reason === undefined ? device() : undefined;
      if (on === undefined) return own(inputs, kwargs);
      if (computed === undefined) {
        const options = optionsOf(layer, cell);
        computed = { options, kernel: new KernelLayer(on, options) };
        const { kernel } = computed;
        freed.register(layer, () => kernel.dispose());
      }
      const { kernel, options } = computed;
      return tf.tidy(() => callFused(layer, kernel, options, inputs, (kwargs ?? {}) as CallArguments));
    };
  }

  return {
    fusedLstm: (config) => fuse(tf.layers.lstm(config)),
    fusedGru: (config) => fuse(tf.layers.gru(config)),
    bidirectional: (config) => fuse(tf.layers.bidirectional(config)),
    fuse,
    device,
  };
}

function optionsOf(layer: RecurrentLayer, cell: "lstm" | "gru"): RecurrentOptions {
  return {
    cell,
    units: layer.cell.units,
    hardGates: layer.getConfig().recurrentActivation === "hardSigmoid",
    sequences: layer.returnSequences,
    backwards: layer.goBackwards,
  };
}

/** What tfjs' RNN.call does, by the kernel. */
function callFused(
  layer: RecurrentLayer,
  kernel: KernelLayer,
  options: RecurrentOptions,
  inputs: tf.Tensor | tf.Tensor[],
  { mask, training, initialState }: CallArguments,
): tf.Tensor | tf.Tensor[] {
  const { cell, returnState, stateful } = layer;
  const given = Array.isArray(inputs) ? inputs[0] : inputs;
  const initial = initialState ?? (stateful ? (layer.states as tf.Tensor[]) : undefined);
  const needed = options.cell === "lstm" ? 2 : 1;
  if (initial && initial.length !== needed)
    throw new Error(`RNN Layer has ${needed} state(s) but was passed ${initial.length} initial state(s).`);
  const { output, states } = applyRecurrent(
    kernel,
    options,
    {
      x: drop(given, cell, training ?? false),
      mask: (Array.isArray(mask) ? mask[0] : mask) ?? undefined,
      kernel: cell.kernel.read(),
      recurrent: cell.recurrentKernel.read(),
      bias: cell.bias?.read(),
      initial,
    },
    returnState || stateful,
  );
  if (stateful) layer.resetStates(states, training ?? false);
  return returnState ? [output, ...states] : output;
}

/** As tfjs drops inputs out: in training, one mask (B,C) for all steps. */
function drop(x: tf.Tensor, { dropout, dropoutFunc = tf.dropout }: RecurrentLayer["cell"], training: boolean): tf.Tensor {
  if (!training || !(dropout > 0 && dropout < 1)) return x;
  const [B, , C] = x.shape;
  return tf.mul(x, tf.expandDims(dropoutFunc(tf.ones([B, C]), dropout), 1));
}
