// One infer request of the Open Inference Protocol v2, JSON with or without binary tensors behind it, checked and read; and its
// answer, written. Source: kserve.github.io, "Open Inference Protocol" and "Binary Tensor Data Extension". Knows no HTTP.
// Legend: N sequences, T steps, F features.
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import { numberRule, type Shape } from "../../shared/sequence.ts";
import { parseJson } from "../http/body.ts";
import { RequestError } from "../http/problem.ts";
import { alignTensor, BYTES_PER_NUMBER, checkShape, type Dtype, readNumbers } from "./tensor.ts";

export const INPUT = "sequences";
/** Datatypes that the input may have; the first is what metadata names. */
export const INPUT_DATATYPES = { FP64: "float64", FP32: "float32" } as const satisfies Record<string, Dtype>;

/** Answered in this order, each (N). The kernel's probability is a float32, which FP64 holds exactly. */
export const OUTPUTS = [
  { name: "probability", datatype: "FP64" },
  { name: "label", datatype: "INT32" },
  { name: "outOfRange", datatype: "BOOL" },
] as const;
export type OutputName = (typeof OUTPUTS)[number]["name"];

export interface InferRequest {
  readonly id?: string;
  /** As they came; what is for the transport alone is left out. */
  readonly parameters: Record<string, unknown>;
  /** (N,T,F) */
  readonly values: Float64Array;
  readonly pathOf: (n: number) => Path;
  readonly outputs: readonly { readonly name: OutputName; readonly binary: boolean }[];
}

/** `jsonBytes`: how many bytes of the body are JSON; the rest are tensors. Throws SequenceError, LimitError, RequestError. */
export function readInferRequest(body: Uint8Array<ArrayBuffer>, jsonBytes: number, shape: Shape, maxSequences: number): InferRequest {
  const request = object(parseJson(body.subarray(0, jsonBytes)), []);
  const { id, inputs, outputs } = request;
  if (id !== undefined && typeof id !== "string") throw new SequenceError(["id"], "must be text", describe(id));
  const { binary_data_output: binaryOutput = false, ...parameters } = parametersOf(request, []);
  if (!Array.isArray(inputs) || inputs.length !== 1)
    throw new SequenceError(["inputs"], `must be an array of one input, ${INPUT}`, describe(inputs));
  const path: Path = ["inputs", 0];
  const input = object(inputs[0], path);
  if (input.name !== INPUT) throw new SequenceError([...path, "name"], `must be ${JSON.stringify(INPUT)}`, describe(input.name));
  const { datatype } = input;
  if (datatype !== "FP64" && datatype !== "FP32")
    throw new SequenceError([...path, "datatype"], `must be ${Object.keys(INPUT_DATATYPES).join(" or ")}`, describe(datatype));
  const dims = parseShape(input.shape, [...path, "shape"]);
  checkShape(dims, shape, maxSequences, [...path, "shape"]); // first: it bounds what follows
  const count = dims.reduce((product, size) => product * size, 1);
  const { binary_data_size: binarySize } = parametersOf(input, path);
  let numbers: Float64Array;
  let place: Path = [...path, "data"];
  let numberPath: (i: number) => Path = (i) => [...place, i];
  if (binarySize === undefined) {
    if (jsonBytes !== body.length)
      throw new SequenceError([], "must end where its JSON ends, since no input has binary data", `${body.length - jsonBytes} bytes more`);
    numbers = new Float64Array(count);
    const isNested = flatten(input.data, place, { dims, count, datatype, gaps: shape.gaps }, numbers);
    if (isNested) numberPath = (i) => [...place, ...indicesOf(i, dims)];
  } else {
    if (input.data !== undefined) throw new SequenceError(place, "must be left out where binary_data_size is given", describe(input.data));
    place = [...path, "parameters", "binary_data_size"];
    const expected = count * BYTES_PER_NUMBER[INPUT_DATATYPES[datatype]];
    if (binarySize !== expected)
      throw new SequenceError(place, `must be ${expected}, what the shape and datatype take`, describe(binarySize));
    if (jsonBytes + expected !== body.length)
      throw new SequenceError(place, `must be what follows the JSON, ${body.length - jsonBytes} bytes`, describe(binarySize));
    numbers = readNumbers(body, jsonBytes, count, INPUT_DATATYPES[datatype]);
    numberPath = (i) => [...path, "data", i];
  }
  const values = alignTensor(numbers, dims, shape, numberPath);
  return {
    ...(id !== undefined && { id }),
    parameters,
    values,
    pathOf: (n) => (binarySize === undefined && Array.isArray((input.data as unknown[])[0]) ? [...path, "data", n] : path),
    outputs: parseOutputs(outputs, binaryOutput === true),
  };
}

function parseShape(shape: unknown, path: Path): number[] {
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size)))
    throw new SequenceError(
      path,
      "must be an array of whole numbers",
      Array.isArray(shape) ? JSON.stringify(shape).slice(0, 40) : describe(shape),
    );
  return shape;
}

/** What a tensor in JSON is said to be. */
interface TensorForm {
  readonly dims: readonly number[];
  /** The dims' product. */
  readonly count: number;
  readonly datatype: string;
  /** Whether null stands for a number that is missing. */
  readonly gaps?: boolean;
}

/** Row-major numbers, flat or nested as the shape is, into `out`. Returns whether they were nested. */
function flatten(data: unknown, path: Path, { dims, count, datatype, gaps }: TensorForm, out: Float64Array): boolean {
  if (!Array.isArray(data)) throw new SequenceError(path, "must be an array of numbers", describe(data));
  const isNested = dims.length > 1 && Array.isArray(data[0]);
  let at = 0;
  const put = (number: unknown, where: Path): void => {
    if (gaps && number === null) {
      out[at++] = Number.NaN;
      return;
    }
    if (typeof number !== "number") throw new SequenceError(where, `must be ${numberRule({ gaps })}`, describe(number));
    out[at++] = datatype === "FP32" ? Math.fround(number) : number;
  };
  const walk = (part: unknown, depth: number, where: Path): void => {
    if (depth === dims.length) {
      put(part, where);
      return;
    }
    if (!Array.isArray(part)) throw new SequenceError(where, `must be an array of ${dims[depth]}`, describe(part));
    if (part.length !== dims[depth])
      throw new SequenceError(where, `must have ${dims[depth]} entries, as the shape says`, `${part.length}`);
    for (let i = 0; i < part.length; i++) walk(part[i], depth + 1, [...where, i]);
  };
  if (isNested) walk(data, 0, path);
  else {
    if (data.length !== count) throw new SequenceError(path, `must have ${count} numbers, as the shape says`, `${data.length}`);
    for (let i = 0; i < count; i++) put(data[i], [...path, i]);
  }
  return isNested;
}

function indicesOf(i: number, dims: readonly number[]): number[] {
  const indices: number[] = [];
  for (let d = dims.length - 1; d >= 0; d--) {
    indices.unshift(i % dims[d]);
    i = Math.floor(i / dims[d]);
  }
  return indices;
}

function parseOutputs(outputs: unknown, binaryByDefault: boolean): InferRequest["outputs"] {
  if (outputs === undefined || (Array.isArray(outputs) && outputs.length === 0))
    return OUTPUTS.map(({ name }) => ({ name, binary: binaryByDefault }));
  if (!Array.isArray(outputs)) throw new SequenceError(["outputs"], "must be an array of outputs", describe(outputs));
  return outputs.map((value: unknown, i) => {
    const path: Path = ["outputs", i];
    const output = object(value, path);
    const known = OUTPUTS.find(({ name }) => name === output.name);
    if (known === undefined)
      throw new SequenceError([...path, "name"], `must be one of ${OUTPUTS.map(({ name }) => name).join(", ")}`, describe(output.name));
    if (outputs.findIndex((other: unknown) => (other as { name?: unknown } | null)?.name === known.name) !== i)
      throw new SequenceError([...path, "name"], "must name each output once", describe(known.name));
    const { binary_data: binary = binaryByDefault } = parametersOf(output, path);
    return { name: known.name, binary: binary === true };
  });
}

function object(value: unknown, path: Path): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SequenceError(path, "must be an object", describe(value));
  return value as Record<string, unknown>;
}

function parametersOf(holder: Record<string, unknown>, path: Path): Record<string, unknown> {
  if (holder.parameters === undefined) return {};
  const parameters = object(holder.parameters, [...path, "parameters"]);
  for (const [name, value] of Object.entries(parameters))
    if (!["string", "number", "boolean"].includes(typeof value))
      throw new SequenceError([...path, "parameters", name], "must be text, a number, true or false", describe(value));
  return parameters;
}

/** The header `Inference-Header-Content-Length` against the body's length. Throws RequestError. */
export function parseJsonLength(header: string | null, bodyBytes: number): number {
  if (header === null) return bodyBytes;
  const length = /^\d{1,9}$/.test(header) ? Number(header) : -1;
  if (length < 0 || length > bodyBytes)
    throw new RequestError(
      "malformed",
      `the header inference-header-content-length must be 0 to ${bodyBytes}, the body's bytes, got ${describe(header)}`,
    );
  return length;
}

/** (N) as its datatype lies in memory, little-endian. */
export type OutputData = Float64Array | Int32Array | Uint8Array;

export interface InferAnswer {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Bytes of JSON, where tensors follow. */
  readonly jsonBytes?: number;
}

/** The answer: `head`, then `outputs` in their order, each as JSON or, where it was asked for as binary, as bytes behind the JSON. */
export function encodeInferAnswer(
  head: Record<string, unknown>,
  outputs: InferRequest["outputs"],
  dataOf: (name: OutputName) => OutputData,
): InferAnswer {
  const tensors: Uint8Array[] = [];
  const described = outputs.map(({ name, binary }) => {
    const data = dataOf(name);
    const { datatype } = OUTPUTS.find((output) => output.name === name)!;
    const about = { name, datatype, shape: [data.length] };
    if (!binary) return { ...about, data: datatype === "BOOL" ? Array.from(data, (flag) => flag === 1) : Array.from(data) };
    tensors.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { ...about, parameters: { binary_data_size: data.byteLength } };
  });
  const json = new TextEncoder().encode(JSON.stringify({ ...head, outputs: described })) as Uint8Array<ArrayBuffer>;
  if (tensors.length === 0) return { body: json };
  const body = new Uint8Array(tensors.reduce((sum, tensor) => sum + tensor.length, json.length));
  body.set(json);
  let at = json.length;
  for (const tensor of tensors) {
    body.set(tensor, at);
    at += tensor.length;
  }
  return { body, jsonBytes: json.length };
}
