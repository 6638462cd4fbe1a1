// The JSON body of TensorFlow Serving's predict, checked and read; and its answer. Source: tensorflow.org/tfx/serving/api_rest, "Predict
// API". Knows no HTTP. Legend: N sequences, T steps, F features.
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { checkSequences, parseSequence } from "../../shared/sequence.ts";
import type { Ready } from "../models/servable-model.ts";
import { maxSequences } from "./scoring.ts";

/** The one signature of a served Keras model that predicts. */
const SIGNATURE = "serving_default";
const PREDICT_KEYS = ["signature_name", "instances", "inputs"] as const;

export interface PredictRequest {
  /** (N,T,F) */
  readonly values: Float64Array;
  /** Where in the body sequence n stands. */
  readonly pathOf: (n: number) => Path;
  /** Whether `inputs` came, all sequences as one tensor. */
  readonly isColumnar: boolean;
}

/**
 * Either `instances`, each a sequence, or `inputs`, all of them; by themselves, or under the name of the model's one input, whatever it
 * is. Throws SequenceError, and LimitError for too many sequences.
 */
export function parsePredictRequest(body: unknown, { model }: Ready): PredictRequest {
  if (!isObject(body)) throw new SequenceError([], "must be an object with instances or inputs", describe(body));
  const unknownKey = Object.keys(body).find((key) => !PREDICT_KEYS.some((known) => known === key));
  if (unknownKey !== undefined) throw new SequenceError([], `must have no keys but ${PREDICT_KEYS.join(", ")}`, describe(unknownKey));
  const { signature_name: signature, instances, inputs } = body;
  if (signature != null && signature !== SIGNATURE)
    throw new SequenceError(["signature_name"], `must be ${JSON.stringify(SIGNATURE)}, or be left out`, describe(signature));
  if ((instances === undefined) === (inputs === undefined))
    throw new SequenceError([], "must have either instances or inputs", instances === undefined ? "neither" : "both");
  const isColumnar = inputs !== undefined;
  const [given, at] = isColumnar ? unnamed(inputs, ["inputs"]) : [instances, ["instances"]];
  const sequences = checkSequences(given, at, maxSequences(model.recipe));
  const shape = shapeOf(model.recipe);
  const size = shape.timesteps * shape.features;
  const values = new Float64Array(sequences.length * size);
  const paths = sequences.map((sequence, n) => {
    const [rows, path] = isColumnar ? [sequence, [...at, n]] : unnamed(sequence, [...at, n]);
    parseSequence(rows, path, shape, values, n * size);
    return path;
  });
  return { values, pathOf: (n) => paths[n], isColumnar };
}

/** What stands under the one key of an object, and where; else `value` itself. Throws SequenceError for other keys beside it. */
function unnamed(value: unknown, path: Path): readonly [value: unknown, path: Path] {
  if (!isObject(value)) return [value, path];
  const names = Object.keys(value);
  if (names.length !== 1) throw new SequenceError(path, "must have one key, the input's name", `${names.length}`);
  return [value[names[0]], [...path, names[0]]];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The answer: (N,1), the shape of what Keras' predict returns. */
export function describePredictions(probabilities: Float32Array, isColumnar: boolean): object {
  const rows = Array.from(probabilities, (probability) => [probability]);
  return isColumnar ? { outputs: rows } : { predictions: rows };
}

/** The version that clients name which count them. */
export const STATUS_VERSION = "1";

/** The body of GET /v1/models/{name}: `name` and `ready` are KServe's, the rest is TensorFlow Serving's. */
export function describeStatus(name: string) {
  const status = { error_code: "OK", error_message: "" };
  return { name, ready: true, model_version_status: [{ version: STATUS_VERSION, state: "AVAILABLE", status }] };
}
