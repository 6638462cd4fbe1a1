// `quickstep/score`: the scorer in other people's Workers, servers and pages. One source, two bundles: a Worker's bundler makes
// of the kernel a module, since workerd compiles no bytes; everywhere else the bundle holds its bytes.
import inference from "../../shared/kernel/inference.wasm";
import { openScorer, type Scorer } from "../../shared/scorer.ts";

export type { ScoredSequence, Scorer } from "../../shared/scorer.ts";

/** Opens an artifact, the bytes of a `.safetensors` file that the trainer wrote. Throws an Error that says what is wrong with it. */
export async function load(artifact: Uint8Array | ArrayBuffer): Promise<Scorer> {
  const kernel = inference as WebAssembly.Module | Uint8Array<ArrayBuffer>;
  const module = kernel instanceof WebAssembly.Module ? kernel : await WebAssembly.compile(kernel);
  return openScorer(artifact instanceof ArrayBuffer ? new Uint8Array(artifact) : artifact, module);
}
