// An artifact as a file: read, decoded, and made ready to score with the kernel that serves it.
import { createHash } from "node:crypto";
import { decodeArtifact } from "../../shared/artifact/artifact.ts";
import type { Kernel, MemberEngine } from "../../shared/engine.ts";
import { ArtifactError, DataError } from "../../shared/errors.ts";
import { type Predictor, soleGraph } from "../../shared/members.ts";
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
    if (soleGraph(model) !== undefined) return { model, bytes, id: describeModel(model, bytes), score: () => rejectGraph(path) };
    const engine = createEngine(model);
    checkGolden(model, engine, kernel.log);
    return {
      model,
      bytes,
      id: describeModel(model, bytes),
      score: (values, first = 0) => score(model, engine, kernel.log, values, (n) => ["sequences", first + n]),
    };
  } catch (error) {
    if (!(error instanceof ArtifactError)) throw error;
    if (isNpz(bytes)) throw new DataError(path, "is an archive of NumPy, not an artifact: expected a model that train or import wrote");
    const kind = foreignKind(bytes);
    if (kind === undefined && bytes[HEADER_START] !== OPENING_BRACE)
      throw new DataError(path, "is no artifact, which train or import writes: the artifact comes first, then the data");
    throw new DataError(
      path,
      kind ? `is ${kind}, not an artifact: make one with quickstep import ${path} --out FILE.safetensors` : error.message,
    );
  }
}

/** Throws DataError: what the second engine alone computes. */
function rejectGraph(path: string): never {
  throw new DataError(
    path,
    "is the artifact of an ONNX graph, which the second engine runs: serve both with wrangler dev --env onnx (docs/operations.md)",
  );
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

/** First bytes of the files in which other programs keep models. */
const FOREIGN: readonly [begins: readonly number[], kind: string][] = [
  [[0x89, 0x48, 0x44, 0x46], "an HDF5 file, as Keras saves models"],
  [[0x50, 0x4b, 0x03, 0x04], "a zip archive, as Keras and PyTorch save models"],
  [[0x80, 0x02], "a pickle, as PyTorch saves models"],
];
/** Where a safetensors file has the `{` of its header. */
const HEADER_START = 8;
/** Of the JSON that a header is. */
const OPENING_BRACE = 0x7b;
/** More than the header of any artifact has. */
const MOST_HEADER_BYTES = 2 ** 22;

/** What a file is that is no artifact, in words; undefined where nothing is known of it, and where the file says that it is one. */
function foreignKind(bytes: Uint8Array): string | undefined {
  if (bytes[HEADER_START] === OPENING_BRACE) return hasOurFormat(bytes) ? undefined : "a safetensors file of another program";
  const known = FOREIGN.find(([begins]) => begins.every((byte, k) => bytes[k] === byte));
  if (known) return known[1];
  return bytes[0] === 0x08 && bytes[2] === 0x12 ? "an ONNX model" : undefined; // ir_version, producer_name
}

/** Whether the first file in a zip is an array of NumPy: the length of its name is at byte 26, the name at byte 30 (PKWARE's APPNOTE, 4.3.7). */
function isNpz(bytes: Uint8Array): boolean {
  if (!Buffer.from(bytes.subarray(0, 4)).equals(Buffer.from("PK\u0003\u0004"))) return false;
  return Buffer.from(bytes.subarray(30, 30 + bytes[26] + 256 * bytes[27]))
    .toString()
    .endsWith(".npy");
}

/** Whether a header of safetensors says `quickstep/…`. */
function hasOurFormat(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MOST_HEADER_BYTES)).includes("quickstep/");
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
