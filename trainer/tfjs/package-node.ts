// `quickstep/tfjs` in Node.
import { availableParallelism } from "node:os";
import type { FusedLayers } from "./fused-layers.ts";
import { openNodeLayers } from "./node.ts";

export type { FusedLayers } from "./fused-layers.ts";

const layers = openNodeLayers(availableParallelism());

/** `tf.layers.lstm`, computed by the kernel. */
export const fusedLstm: FusedLayers["fusedLstm"] = layers.fusedLstm;
/** `tf.layers.gru`, computed by the kernel. */
export const fusedGru: FusedLayers["fusedGru"] = layers.fusedGru;
/** `tf.layers.bidirectional` whose two layers are fused. */
export const bidirectional: FusedLayers["bidirectional"] = layers.bidirectional;
/** Fuses every LSTM and GRU layer in a layer or a model, in place. */
export const fuse: FusedLayers["fuse"] = layers.fuse;
/** What the kernel runs on; undefined where tfjs' own layers compute. */
export const device: FusedLayers["device"] = layers.device;
