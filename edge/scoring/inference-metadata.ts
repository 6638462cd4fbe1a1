// What the Open Inference Protocol says of the server and of its model: what the routes answer with, and the document shows.
// Source: kserve.github.io, "Open Inference Protocol"; Triton's "Model Configuration Extension". Legend: T steps, F features.
import type { ScorableModel } from "../../shared/model.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { VERSION } from "../../shared/version.ts";
import { DATATYPES } from "./datatypes.ts";
import { OUTPUTS } from "./inference-answer.ts";
import type { NamedVersion } from "./inference-counts.ts";
import { INPUT } from "./inference-request.ts";
import { maxSequences } from "./scoring.ts";

const PLATFORM = "quickstep";
/** The version that clients name which count them. The other is the beginning of the artifact's hash. */
export const FIRST_VERSION = "1";

/** The body of GET /v2, with the extensions that are spoken here. */
export function describeServer() {
  return { name: "quickstep", version: VERSION, extensions: ["binary_tensor_data", "model_configuration", "statistics"] };
}

/** The body of POST /v2/repository/index. `fault`: why the model is not what its pointer says. */
export function indexModels(models: readonly (NamedVersion & { readonly fault?: string })[]) {
  return models.map(({ name, version, fault = "" }) => ({ name, version, state: fault === "" ? "READY" : "UNAVAILABLE", reason: fault }));
}

/** The body of GET /v2/models/{name}: inputs (N,T,F) and outputs (N) of any N, which is written -1. */
export function describeModel({ name, recipe }: ScorableModel, version: string) {
  const { timesteps, features } = shapeOf(recipe);
  return {
    name,
    versions: [version, FIRST_VERSION],
    platform: PLATFORM,
    inputs: [{ name: INPUT, datatype: DATATYPES[0], shape: [-1, timesteps, features] }],
    outputs: OUTPUTS.map((output) => ({ ...output, shape: [-1] })),
  };
}

/** The body of GET /v2/models/{name}/ready. */
export function describeReady(name: string) {
  return { name, ready: true };
}

/** The body of GET /v2/models/{name}/config, as Triton's model configuration has it: shapes are without the batch. */
export function configureModel({ name, recipe }: ScorableModel) {
  const { timesteps, features } = shapeOf(recipe);
  return {
    name,
    platform: PLATFORM,
    backend: PLATFORM,
    max_batch_size: maxSequences(recipe),
    input: [{ name: INPUT, data_type: `TYPE_${DATATYPES[0]}`, dims: [timesteps, features] }],
    output: OUTPUTS.map(({ name: output, datatype }) => ({
      name: output,
      data_type: `TYPE_${datatype}`,
      dims: [1],
      reshape: { shape: [] },
    })),
  };
}
