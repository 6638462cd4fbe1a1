// What an isolate with ONNX Runtime serves: a model.onnx that is the network of model.safetensors, as `export --onnx` writes it,
// with that artifact's recipe, names and metrics; the graph that model.safetensors is the artifact of, as `import --engine onnx` writes
// both; or any other that takes rows as they are, of whose training nothing is known.
// Legend: T steps, F features.
import { decodeArtifact, readFormat } from "../../shared/artifact/artifact.ts";
import type { Engine } from "../../shared/engine.ts";
import { networksOf, type Predictor, soleGraph } from "../../shared/members.ts";
import { atPrecision, checkGolden, DEFAULT_POINT, type Model, type ScorableModel, score } from "../../shared/model.ts";
import { createOnnxEngine, findOutputKind, shapeOfOnnx } from "../../shared/onnx/onnx-engine.ts";
import type { Session } from "../../shared/onnx/session.ts";
import type { Channel } from "../../shared/recipe/channel.ts";
import { fitRecipe } from "../../shared/recipe/fit.ts";
import { DEFAULT_SHAPE } from "../../shared/sequence.ts";
import { memoisedSha256, type ServableModel } from "./servable-model.ts";

/** What the kernel computes, and what scores by it. */
export interface Functions {
  log(x: number): number;
  exp(x: number): number;
  createEngine(predictor: Predictor): Engine;
}

/** The first input of what `export --onnx` writes: the recipe's channels. */
const CHANNELS = "channels";

/** Never throws, as openModel. `declared`: the variable ONNX_OUTPUT, what the output of another's graph is. */
export function openOnnxModel(
  onnx: Uint8Array<ArrayBuffer>,
  artifact: Uint8Array<ArrayBuffer>,
  openSession: (onnx: Uint8Array) => Session,
  functions: Functions,
  declared?: string,
): ServableModel {
  const both = new Uint8Array(onnx.length + artifact.length);
  both.set(onnx);
  both.set(artifact, onnx.length);
  const sha256 = memoisedSha256(both);
  try {
    const session = openSession(onnx);
    const { log } = functions;
    const decoded = tryDecode(artifact);
    const { model, engine } =
      decoded !== undefined && soleGraph(decoded) !== undefined
        ? openWith(decoded, session, functions)
        : session.inputs[0]?.name === CHANNELS
          ? openWith(inFloat(decoded ?? decodeArtifact(artifact), functions), session, functions) // throws why it cannot be decoded
          : openForeign(session, onnx, functions, declared);
    return { model, engine, log, format: readFormat(artifact), sha256 };
  } catch (error) {
    return { unready: error instanceof Error ? error.message : String(error), sha256 };
  }
}

interface Opened {
  readonly model: ScorableModel;
  readonly engine: Engine;
}

/** Undefined where it cannot be decoded: beside another's graph it need not be. */
function tryDecode(artifact: Uint8Array): Model | undefined {
  try {
    return decodeArtifact(artifact);
  } catch {
    return undefined;
  }
}

/** The graph with an artifact's recipe and card, if it reproduces the golden vectors. What export wrote has the calibration inside. */
function openWith(model: Model, session: Session, functions: Functions): Opened {
  const { timesteps, channels } = model.recipe;
  const output = soleGraph(model);
  const calibration = output === undefined ? undefined : model.calibration;
  const engine = createOnnxEngine(session, { timesteps, channels: channels.length }, output ?? "probabilities", functions, calibration);
  checkGolden(model, engine, functions.log);
  return { model, engine };
}

/** The model as exports have it: in float32, and so are its golden vectors' probabilities. Throws ArtifactError where its own do not fit. */
function inFloat(model: Model, { log, createEngine }: Functions): Model {
  if (networksOf(model).every(({ precision }) => precision === undefined)) return model;
  checkGolden(model, createEngine(model), log);
  return atPrecision(model, "float", createEngine, log);
}

/**
 * The rows go to the graph as float32, oldest first: zero rows in front of a shorter sequence, as it came; or behind it, if the graph
 * takes lengths.
 */
function openForeign(session: Session, onnx: Uint8Array, functions: Functions, declared: string | undefined): Opened {
  const { timesteps: T = DEFAULT_SHAPE.timesteps, channels: F = DEFAULT_SHAPE.features, takesLengths } = shapeOfOnnx(session);
  const size = { timesteps: T, channels: F };
  const kind = findOutputKind(session, onnx, size, declared);
  const channels = Array.from({ length: F }, (_, a): Channel => ({ base: "feature", view: "level", a }));
  const features = channels.map((_, a) => `f${a}`);
  const plan = { timesteps: T, features, padding: "none", channels, standardise: false } as const;
  const nothing = fitRecipe(plan, new Float64Array(T * F), [0], functions.log); // a fit on zeros: every mean is 0, explanations' too, every scale 1
  const recipe = { ...nothing, padding: takesLengths ? ("leading" as const) : ("none" as const), lengths: [1, T] as const };
  const engine = createOnnxEngine(session, size, kind, functions);
  const inputs = new Float64Array(T * F).fill(1); // whether it runs at all
  const { probabilities } = score({ recipe }, engine, functions.log, inputs);
  return {
    model: { name: "onnx", recipe, operatingPoints: [{ name: DEFAULT_POINT, threshold: 0.5 }], golden: { inputs, probabilities } },
    engine,
  };
}
