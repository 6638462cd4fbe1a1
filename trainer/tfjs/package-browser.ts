// `quickstep/tfjs` in browsers, and wherever there is no Node: the kernels stand in the bundle. A page's main thread may not block, so there
// the kernel runs on one thread; in a Worker of a page that is cross-origin isolated it takes all cores.

import sharedRelaxed from "../kernel/training.wasm";
import singleStrict from "../kernel/training-single.wasm";
import singleRelaxed from "../kernel/training-single-relaxed.wasm";
import sharedStrict from "../kernel/training-strict.wasm";
import { openBrowserPool } from "./browser-pool.ts";
import { createFusedLayers, type FusedLayers } from "./fused-layers.ts";

export type { FusedLayers } from "./fused-layers.ts";

/** The bundler makes bytes of a kernel. */
const bytes = (kernel: unknown) => kernel as Uint8Array<ArrayBuffer>;

const { WorkerGlobalScope, crossOriginIsolated, navigator } = globalThis as {
  readonly WorkerGlobalScope?: unknown;
  readonly crossOriginIsolated?: boolean;
  readonly navigator?: { readonly hardwareConcurrency?: number };
};

const layers = createFusedLayers({
  builds: {
    shared: { relaxed: bytes(sharedRelaxed), strict: bytes(sharedStrict) },
    single: { relaxed: bytes(singleRelaxed), strict: bytes(singleStrict) },
  },
  threads: WorkerGlobalScope !== undefined && crossOriginIsolated ? (navigator?.hardwareConcurrency ?? 1) : 1,
  openPool: openBrowserPool,
  warn: (message) => console.warn(`quickstep/tfjs: ${message}`),
});

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
