// ONNX Runtime in Node, the same build as edge/worker-onnx.ts has in workerd. Loaded where a graph is imported for it, and nowhere else.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { DataError } from "../../shared/errors.ts";
import { openRuntime, openSession, type RuntimeFactory, type Session } from "../../shared/onnx/session.ts";

/** Without an ending: the glue (.mjs) and the module (.wasm). */
const RUNTIME = "onnxruntime-web/ort-wasm-simd-threaded";

/** Opens graphs on a runtime of its own. Throws DataError where the package is not there. */
export async function openOnnxRuntime(): Promise<(onnx: Uint8Array) => Session> {
  const { resolve } = createRequire(import.meta.url);
  let glue: string;
  let module: string;
  try {
    [glue, module] = [resolve(`${RUNTIME}.mjs`), resolve(`${RUNTIME}.wasm`)];
  } catch {
    throw new DataError("--engine onnx", "needs the package onnxruntime-web beside quickstep: npm install onnxruntime-web");
  }
  const { default: create } = (await import(pathToFileURL(glue).href)) as { default: RuntimeFactory };
  const runtime = await openRuntime(create, new WebAssembly.Module(readFileSync(module)));
  return (onnx) => openSession(runtime, onnx);
}
