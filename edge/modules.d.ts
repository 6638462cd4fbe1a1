// What wrangler's rules make of the two binary imports.
declare module "*.safetensors" {
  const bytes: ArrayBuffer;
  export default bytes;
}
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
// What workerd gives of itself; narrower than its whole surface.
declare module "cloudflare:workers" {
  export const env: import("./worker-surroundings.ts").WorkerEnv;
}
