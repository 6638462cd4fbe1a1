// An ONNX graph for the second engine → an artifact beside the graph: recipe, golden vectors and a calibration that changes nothing yet. Whatever the
// graph is made of, ONNX Runtime runs it; the artifact says what goes in and how what comes out is read.
// Legend: T steps, F features.
import { decodeArtifact, encodeArtifact } from "../../shared/artifact/artifact.ts";
import type { Engine } from "../../shared/engine.ts";
import { ArtifactError, DataError } from "../../shared/errors.ts";
import type { OutputKind } from "../../shared/members.ts";
import { checkGolden } from "../../shared/model.ts";
import { createOnnxEngine, findOutputKind, shapeOfOnnx } from "../../shared/onnx/onnx-engine.ts";
import type { Session } from "../../shared/onnx/session.ts";
import type { Recipe } from "../../shared/recipe/recipe.ts";
import { DEFAULT_SHAPE, type Padding } from "../../shared/sequence.ts";
import type { Engines } from "../artifact/artifact-file.ts";
import { synthesiseGolden } from "../artifact/golden.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { draftModel, goldenOf, type ImportedModel, type ImportOptions, importedCard, plainRecipe } from "./assemble.ts";
import { addFront, plainFront } from "./contract/front.ts";
import { printable } from "./contract/reject-file.ts";

/** What a person says of a graph. */
export interface GraphSaid {
  readonly timesteps: number | null;
  readonly padding?: Padding;
  readonly isLogit: boolean;
}

export interface ImportedGraph extends ImportedModel {
  /** Computes on the graph what the artifact says. */
  readonly engine: Engine;
}

/**
 * Makes the artifact of a graph, whose weights are inside. Throws DataError: a graph that the second engine cannot serve, or options that do not
 * fit the graph.
 */
export function assembleGraph(
  source: string,
  onnx: Uint8Array,
  open: (onnx: Uint8Array) => Session,
  said: GraphSaid,
  options: ImportOptions,
  { kernel }: Engines,
): ImportedGraph {
  const { session, T, F, output, takesLengths, isFree } = blameFile(source, () => examine(onnx, open, said, options));
  const padding = said.padding ?? (takesLengths ? "leading" : "none");
  const { scaler } = options;
  const front = scaler ? addFront(plainFront(F), scaler.mean, scaler.scale) : plainFront(F);
  const recipe = plainRecipe(
    source,
    { front, channels: F, padding, timesteps: isFree ? null : T },
    { ...options, timesteps: isFree ? T : options.timesteps },
  );
  const calibration = { slope: 1, intercept: 0 };
  const predictor = { members: [{ kind: "onnx", output } as const], calibration };
  const engine = createOnnxEngine(session, { timesteps: T, channels: F }, output, kernel, calibration);
  const findings = describe({ T, F, output, takesLengths, padding }, scaler !== undefined).map(printable);
  const golden = blameFile(source, () =>
    goldenOf(recipe, kernel.log, engine, limit(synthesiseGolden(recipe, createRandom(1, STREAMS.golden)), recipe)),
  );
  const draft = draftModel(predictor, recipe, options.name, golden);
  const card = importedCard(0, "ONNX, for the second engine", findings, 0, options);
  const bytes = encodeArtifact({ ...draft, card });
  const model = decodeArtifact(bytes);
  blameFile(source, () => checkGolden(model, engine, kernel.log));
  return { model, bytes, findings, parity: 0, engine };
}

/** Golden inputs of up to ten scales: nothing clips what a graph is given, and a normalisation makes no number of the largest. */
function limit(inputs: Float64Array, { featureMean, featureScale }: Recipe): Float64Array {
  const F = featureMean.length;
  return inputs.map((x, at) => {
    const [mean, span] = [featureMean[at % F], 10 * featureScale[at % F]];
    return Math.min(Math.max(x, mean - span), mean + span);
  });
}

interface Examined {
  readonly session: Session;
  readonly T: number;
  readonly F: number;
  readonly output: OutputKind;
  readonly takesLengths: boolean;
  readonly isFree: boolean;
}

/** What goes into the graph and comes out, as the Worker asks it at its start. Throws ArtifactError. */
function examine(
  onnx: Uint8Array,
  open: (onnx: Uint8Array) => Session,
  { timesteps, isLogit }: GraphSaid,
  { features }: ImportOptions,
): Examined {
  const session = open(onnx);
  const shape = shapeOfOnnx(session);
  const T = shape.timesteps ?? timesteps ?? DEFAULT_SHAPE.timesteps;
  const F = shape.channels ?? features?.length ?? DEFAULT_SHAPE.features;
  const said = { logits: "--logits", probabilities: "" };
  const output = findOutputKind(session, onnx, { timesteps: T, channels: F }, isLogit ? "logits" : undefined, said);
  return { session, T, F, output, takesLengths: shape.takesLengths, isFree: shape.timesteps === undefined };
}

function describe(
  { T, F, output, takesLengths, padding }: Omit<Examined, "session" | "isFree"> & { padding: Padding },
  isScaled: boolean,
): string[] {
  return [
    `the whole graph, on sequences of ${T} rows of ${F} numbers${isScaled ? ", which the scaler standardises" : ""}`,
    `answers ${output}`,
    takesLengths
      ? "takes lengths: rows stand in front, then zero rows"
      : "takes no lengths: zero rows stand in front of a shorter sequence",
    `padding: ${padding}`,
  ];
}

/** What cannot be served is the file's fault. */
function blameFile<T>(source: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof ArtifactError)) throw error;
    throw new DataError(
      source,
      printable(error.message.replace(/^model\.onnx cannot be served: /, "cannot be served by the second engine: ")),
    );
  }
}
