// An artifact as a file: read, decoded, and made ready to score with the kernel that serves it.
import { createHash } from "node:crypto";
import { decodeArtifact } from "../../shared/artifact/artifact.ts";
import type { Kernel, MemberEngine } from "../../shared/engine.ts";
import { ArtifactError, DataError } from "../../shared/errors.ts";
import type { Predictor } from "../../shared/members.ts";
import { type Card, checkGolden, type Model, modelId, type Scores, score } from "../../shared/model.ts";
import { readWhole } from "../files/whole-files.ts";
import type { Dataset } from "../readers/dataset.ts";
import { plainName } from "../readers/quoting.ts";

export interface Engines {
  readonly kernel: Kernel;
  /** The kernel's module, for threads that make engines of their own. */
  readonly module: WebAssembly.Module;
  createEngine(predictor: Predictor): MemberEngine;
}

/** An LSTM of 4,096 units, the most that an artifact holds, has some 270 MB. */
const MAX_ARTIFACT_BYTES = 2 ** 29;

export interface LoadedModel {
  readonly model: Model;
  readonly bytes: Uint8Array;
  readonly id: string;
  /** Scores raw sequences, `values` (N,T,F) float64; an error counts from `first`. */
  score(values: Float64Array, first?: number): Scores;
}

/** Reads, decodes and checks the golden vectors. Throws DataError naming the file. */
export function loadModel(path: string, { kernel, createEngine }: Engines): LoadedModel {
  const bytes = readWhole(path, MAX_ARTIFACT_BYTES);
  try {
    const model = makePlain(decodeArtifact(bytes));
    const engine = createEngine(model);
    checkGolden(model, engine, kernel.log);
    return {
      model,
      bytes,
      id: describeModel(model, bytes),
      score: (values, first = 0) => score(model, engine, kernel.log, values, (n) => ["sequences", first + n]),
    };
  } catch (error) {
    if (error instanceof ArtifactError) throw new DataError(path, error.message);
    throw error;
  }
}

/** The model with texts of one line each, whoever wrote them: they go to a terminal, and name columns. No number changes. */
function makePlain(model: Model): Model {
  const { recipe, operatingPoints } = model;
  return {
    ...model,
    name: plainName(model.name),
    recipe: { ...recipe, features: recipe.features.map(plainName) },
    operatingPoints: operatingPoints.map((point) => ({ ...point, name: plainName(point.name) })),
    card: makeTextsPlain(model.card) as Card,
  };
}

function makeTextsPlain(value: unknown): unknown {
  if (typeof value === "string") return plainName(value);
  if (Array.isArray(value)) return value.map(makeTextsPlain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [plainName(name), makeTextsPlain(inner)]));
}

/** The model's id, from the bytes it is decoded from. */
export function describeModel(model: Model, bytes: Uint8Array): string {
  return modelId(model, createHash("sha256").update(bytes).digest("hex"));
}

/** The data as this model takes it: shorter sequences are filled with zeros in front. Throws DataError. */
export function fitShape(data: Pick<Dataset, "shape" | "values">, source: string, { recipe }: Model): Float64Array {
  const { timesteps: T, features } = recipe;
  const { shape, values } = data;
  if (shape.features !== features.length)
    throw new DataError(source, `has ${shape.features} features a row, but the model takes ${features.length} (${features.join(", ")})`);
  if (shape.timesteps > T) throw new DataError(source, `has sequences of ${shape.timesteps} rows, but the model takes at most ${T}`);
  if (shape.timesteps === T) return values;
  const from = shape.timesteps * shape.features;
  const to = T * shape.features;
  const out = new Float64Array((values.length / from) * to);
  for (let n = 0; n * from < values.length; n++) out.set(values.subarray(n * from, (n + 1) * from), (n + 1) * to - from);
  return out;
}
