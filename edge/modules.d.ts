// What wrangler's rules make of the imports that are no code.
declare module "*.safetensors" {
  const bytes: ArrayBuffer;
  export default bytes;
}
declare module "*.onnx" {
  const bytes: ArrayBuffer;
  export default bytes;
}
declare module "onnxruntime-web/ort-wasm-simd-threaded.mjs" {
  const create: import("../shared/onnx/session.ts").RuntimeFactory;
  export default create;
}
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
declare module "*/wrangler-command.js" {
  /** Which of wrangler's commands built the Worker: `dev`, `deploy`, …; empty: none. */
  const command: string;
  export default command;
}
// What workerd gives of itself; narrower than its whole surface.
declare module "cloudflare:workers" {
  export const env: import("./worker-env.ts").WorkerEnv;
  /** Keeps whatever runs now alive for `promise`, 30 s at most after its answer. */
  export function waitUntil(promise: Promise<unknown>): void;
  export abstract class DurableObject {
    constructor(context: import("./streams/storage.ts").ObjectContext, env: unknown);
  }
}
