// Fused layers in Node: the kernels from their files, threads as the trainer has them.
import { readFileSync } from "node:fs";
import { ThreadPool } from "../training/thread-pool.ts";
import { type Device, type KernelHost, openDevice } from "./device.ts";
import { createFusedLayers, type FusedLayers } from "./fused-layers.ts";

const SHARED = {
  relaxed: new URL("../kernel/training.wasm", import.meta.url),
  strict: new URL("../kernel/training-strict.wasm", import.meta.url),
};
const SINGLE = {
  relaxed: new URL("../kernel/training-single-relaxed.wasm", import.meta.url),
  strict: new URL("../kernel/training-single.wasm", import.meta.url),
};

export interface NodeHostOptions {
  /** At most; the results are the same for any number. */
  readonly threads: number;
  /** Without relaxed multiply-adds: the same bits on every host. */
  readonly strict?: boolean;
  /** Hears what this host lacks. */
  readonly warn: (message: string) => void;
}

/** What Node offers. */
function describeNode({ threads, strict = false, warn }: NodeHostOptions): KernelHost {
  const read = ({ relaxed, strict: own }: typeof SHARED) => {
    const bytes = readFileSync(own);
    return { relaxed: strict ? bytes : readFileSync(relaxed), strict: bytes };
  };
  return { builds: { shared: read(SHARED), single: read(SINGLE) }, threads, openPool: (start) => new ThreadPool(start), warn };
}

/** A device in Node; undefined where it has no WebAssembly with SIMD. */
export function openNodeDevice(options: NodeHostOptions): Device | undefined {
  return openDevice(describeNode(options));
}

/** Fused layers on at most `threads` threads; the results are the same for any number. `warn` hears what this host lacks. */
export function openNodeLayers(
  threads: number,
  warn: (message: string) => void = (message) => console.warn(`quickstep/tfjs: ${message}`),
): FusedLayers {
  return createFusedLayers(describeNode({ threads, warn }));
}
