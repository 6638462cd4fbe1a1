// What this isolate serves: the decoded, proven model, or the reason why there is none. Opened once, at module scope.
// Knows no HTTP, and no implementation of the engine.
import { decodeArtifact, readFormat } from "../../shared/artifact/artifact.ts";
import type { DecodingKernel } from "../../shared/artifact/kernel-decoder.ts";
import type { Engine } from "../../shared/engine.ts";
import { checkGolden, type Model, type ScorableModel } from "../../shared/model.ts";
import type { Log, Recipe } from "../../shared/recipe/recipe.ts";
import { digestOf } from "../http/hashes.ts";

export interface Ready {
  readonly model: ScorableModel;
  readonly engine: Engine;
  readonly log: Log;
  /** Of the artifact, `quickstep/2` say. */
  readonly format: string;
  /**
   * Hears of sequences, `values` (N,T,F), that were scored at the model's own prior. `apart`: they share no row with others that were
   * heard of, so far as is known. `ids` (N): by which their outcomes can be told; absent, or null: none can.
   */
  readonly onScored?: (values: Float64Array, probabilities: Float32Array, apart: boolean, ids?: readonly (string | null)[]) => void;
  /** The ids of predictions that are remembered until their outcomes come; null where one is lost. */
  readonly remember?: (probabilities: Float32Array) => readonly (string | null)[];
}

export interface Unready {
  /** Why nothing can be scored, in one sentence. */
  readonly unready: string;
}

export type ServableModel = (Ready | Unready) & {
  /** SHA-256 of the bytes served, the artifact's, as hexadecimal digits; asynchronous because global scope may not wait for it. */
  readonly sha256: () => Promise<string>;
};

/** Never throws: an isolate that crashes cannot say what is wrong with its artifact. `kernel`: decodes sooner, in its own memory. */
export function openModel(
  bytes: Uint8Array<ArrayBuffer>,
  log: Log,
  createEngine: (model: Model) => Engine,
  kernel?: DecodingKernel,
): ServableModel {
  const sha256 = memoisedSha256(bytes);
  try {
    const model = decodeArtifact(bytes, kernel);
    const engine = createEngine(model);
    checkGolden(model, engine, log);
    return { model, engine, log, format: readFormat(bytes), sha256 };
  } catch (error) {
    return { unready: error instanceof Error ? error.message : String(error), sha256 };
  }
}

/** A model opened from `artifact`, with the bytes that it takes: the kernel's memories, and tensors, which are about what the file holds. */
export function measured(servable: ServableModel, artifact: Uint8Array): { readonly servable: ServableModel; readonly bytes: number } {
  const memory = "unready" in servable ? 0 : (servable.engine.memoryBytes?.() ?? 0);
  return { servable, bytes: memory + artifact.length };
}

/** Remembers the digest, not its promise: in workerd a promise dies with the request that made it. */
export function memoisedSha256(bytes: Uint8Array<ArrayBuffer>): () => Promise<string> {
  let digest: string | undefined;
  return async () => (digest ??= await digestOf(bytes));
}

/** Whether `other`, of the same schema, may score the numbers that were read for a model: what they came from is the same, and may be missing. */
export function readsAlike({ model: { recipe } }: Ready, { model: other }: Ready): boolean {
  const sourceOf = ({ inputs, clock }: typeof recipe) => JSON.stringify([inputs, clock]);
  return sourceOf(recipe) === sourceOf(other.recipe) && (recipe.gaps === undefined || other.recipe.gaps !== undefined);
}

/** By recipe: each event of a stream asks three times. */
const schemas = new WeakMap<object, string>();

/** What a model takes, as text: models of one schema may share a window. Its steps, and the names of its features in their order. */
export function schemaOf(recipe: Pick<Recipe, "timesteps" | "features">): string {
  let schema = schemas.get(recipe);
  if (schema === undefined) schemas.set(recipe, (schema = JSON.stringify([recipe.timesteps, ...recipe.features])));
  return schema;
}
