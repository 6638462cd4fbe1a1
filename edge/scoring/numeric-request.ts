// POST /v1/score without JSON: raw binary numbers and arrays of NumPy, read and checked; and probabilities in the same form.
// Legend: N sequences, T steps, t ≤ T steps as they came, F features.
import { DataError, describe, type Path, SequenceError } from "../../shared/errors.ts";
import { encodeNpy, readNpy } from "../../shared/npy.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { RequestError } from "../http/problem.ts";
import type { Ready } from "../models/servable-model.ts";
import { maxSequences } from "./scoring.ts";
import { alignTensor, BYTES_PER_NUMBER, checkShape, type Dtype, readNumbers } from "./tensor.ts";

export interface NumericRequest {
  /** (N,T,F) */
  readonly values: Float64Array;
  /** Where sequence n would stand in a JSON body. */
  readonly pathOf: (n: number) => Path;
}

/** The parameter `dtype` of application/octet-stream; float64 where it is left out. Throws RequestError. */
export function dtypeOf(parameters: ReadonlyMap<string, string>): Dtype {
  const dtype = parameters.get("dtype") ?? "float64";
  if (dtype !== "float32" && dtype !== "float64")
    throw new RequestError("mediaType", `content-type's dtype must be float64 or float32, got ${describe(dtype)}`);
  return dtype;
}

/** Little-endian (N,T,F). Throws SequenceError, and LimitError for too many sequences. */
export function parseRawBinary(bytes: Uint8Array<ArrayBuffer>, dtype: Dtype, { model: { recipe } }: Ready): NumericRequest {
  const { timesteps: T, features: F } = shapeOf(recipe);
  const sequenceBytes = T * F * BYTES_PER_NUMBER[dtype];
  if (bytes.length === 0 || bytes.length % sequenceBytes !== 0)
    throw new SequenceError([], `must be whole sequences of ${T} × ${F} ${dtype}, ${sequenceBytes} bytes each`, `${bytes.length} bytes`);
  const shape = [bytes.length / sequenceBytes, T, F];
  checkShape(shape, shapeOf(recipe), maxSequences(recipe), []);
  const numbers = readNumbers(bytes, 0, bytes.length / BYTES_PER_NUMBER[dtype], dtype);
  return { values: alignTensor(numbers, shape, shapeOf(recipe), jsonPathIn(T, F)), pathOf };
}

/** An array (N,t,F), and the type to answer in. Throws RequestError where the bytes are no array, SequenceError, and LimitError. */
export function parseNpy(bytes: Uint8Array<ArrayBuffer>, { model: { recipe } }: Ready): NumericRequest & { readonly dtype: Dtype } {
  const { data, shape, dtype } = readArray(bytes);
  if (!(data instanceof Float64Array)) throw new SequenceError([], "must be an array of numbers", "text");
  checkShape(shape, shapeOf(recipe), maxSequences(recipe), []);
  const values = alignTensor(data, shape, shapeOf(recipe), jsonPathIn(shape[1], shape[2]));
  return { values, pathOf, dtype: dtype === "float32" ? dtype : "float64" };
}

/** (N) probabilities, little-endian. */
export function encodeRawNumbers(probabilities: Float32Array, dtype: Dtype): Uint8Array<ArrayBuffer> {
  return new Uint8Array(numbersOf(probabilities, dtype).buffer as ArrayBuffer);
}

/** (N) probabilities as an array of NumPy. */
export function encodeNpyNumbers(probabilities: Float32Array, dtype: Dtype): Uint8Array<ArrayBuffer> {
  return encodeNpy(numbersOf(probabilities, dtype), [probabilities.length]);
}

function numbersOf(probabilities: Float32Array, dtype: Dtype): Float32Array | Float64Array {
  return dtype === "float32" ? probabilities : Float64Array.from(probabilities);
}

function pathOf(n: number): Path {
  return ["sequences", n];
}

/** Where number `i` of (N,t,F) would stand in a JSON body. */
function jsonPathIn(t: number, F: number): (i: number) => Path {
  return (i) => ["sequences", Math.floor(i / (t * F)), Math.floor(i / F) % t, i % F];
}

function readArray(bytes: Uint8Array): ReturnType<typeof readNpy> {
  try {
    return readNpy(bytes, "the body");
  } catch (error) {
    throw error instanceof DataError ? new RequestError("malformed", error.message) : error;
  }
}
