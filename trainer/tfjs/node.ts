// Fused layers in Node: the kernels from their files, threads as the trainer has them.
import { readFileSync } from "node:fs";
import { ThreadPool } from "../training/thread-pool.ts";
import { createFusedLayers, type FusedLayers } from "./fused-layers.ts";

const SHARED = {
  relaxed: new URL("../kernel/training.wasm", import.meta.url),
  strict: new URL("../kernel/training-strict.wasm", import.meta.url),
};
const SINGLE = {
  relaxed: new URL("../kernel/training-single-relaxed.wasm", import.meta.url),
  strict: new URL("../kernel/training-single.wasm", import.meta.url),
};

/** Fused layers on at most `threads` threads; the results are the same for any number. `warn` hears what this host lacks. */
export function openNodeLayers(
  threads: number,
  warn: (message: string) => void = (message) => console.warn(`quickstep/tfjs: ${message}`),
): FusedLayers {
  return createFusedLayers({
    builds: {
      shared: { relaxed: readFileSync(SHARED.relaxed), strict: readFileSync(SHARED.strict) },
      single: { relaxed: readFileSync(SINGLE.relaxed), strict: readFileSync(SINGLE.strict) },
    },
    threads,
    openPool: (start) => new ThreadPool(start),
    warn,
  });
}
