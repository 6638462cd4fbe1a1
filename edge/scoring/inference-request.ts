// One infer request of the Open Inference Protocol v2, JSON with or without binary tensors behind it, checked and read. What the
// protocol's types leave out may be null, as libraries write it, and a parameter that nobody knows here says nothing. Source:
// kserve.github.io, "Open Inference Protocol" and "Binary Tensor Data Extension". Knows no HTTP.
// Legend: N sequences, T steps, F features.
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import { numberRule, type Shape } from "../../shared/sequence.ts";
import { parseJson } from "../http/body.ts";
import { RequestError } from "../http/problem.ts";
import { bytesOf, DATATYPES, type Datatype, fitNumber, isDatatype, JSON_DATATYPES, readTensor, wholeNumberRule } from "./datatypes.ts";
import { OUTPUTS, type RequestedOutput } from "./inference-answer.ts";
import { alignTensor, checkShape } from "./tensor.ts";

/** What metadata calls the input; a request may call its one input as it likes. */
export const INPUT = "sequences";

export interface InferRequest {
  readonly id?: string;
  /** Those that the protocol allows an answer to have, and what scoring reads, as they came; what is for the transport alone is left out. */
  readonly parameters: Record<string, unknown>;
  /** (N,T,F) */
  readonly values: Float64Array;
  readonly pathOf: (n: number) => Path;
  readonly outputs: readonly RequestedOutput[];
}

/** `jsonBytes`: how many bytes of the body are JSON; the rest are tensors. Throws SequenceError, LimitError, RequestError. */
export function readInferRequest(body: Uint8Array<ArrayBuffer>, jsonBytes: number, shape: Shape, maxSequences: number): InferRequest {
  const request = object(parseJson(body.subarray(0, jsonBytes)), []);
  const { id, inputs, outputs } = request;
  if (id != null && typeof id !== "string") throw new SequenceError(["id"], "must be text", describe(id));
  const { binary_data_output: binaryOutput, ...parameters } = parametersOf(request, []);
  if (!Array.isArray(inputs) || inputs.length !== 1)
    throw new SequenceError(["inputs"], `must be an array of one input, ${INPUT}`, describe(inputs));
  const tensor = readInput(object(inputs[0], ["inputs", 0]), { body, jsonBytes }, shape, maxSequences);
  return {
    ...(typeof id === "string" && { id }),
    parameters: Object.fromEntries(Object.entries(parameters).filter(([name, value]) => isOption(name) || isScalar(value))),
    ...tensor,
    outputs: parseOutputs(outputs, binaryOutput === true),
  };
}

/** JSON of `jsonBytes`, then tensors. */
interface Bytes {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly jsonBytes: number;
}

function readInput(
  input: Record<string, unknown>,
  bytes: Bytes,
  shape: Shape,
  maxSequences: number,
): Pick<InferRequest, "values" | "pathOf"> {
  const path: Path = ["inputs", 0];
  const { name, datatype } = input;
  if (typeof name !== "string") throw new SequenceError([...path, "name"], "must be text", describe(name));
  if (!isDatatype(datatype)) throw new SequenceError([...path, "datatype"], `must be one of ${DATATYPES.join(", ")}`, describe(datatype));
  const dims = parseShape(input.shape, [...path, "shape"]);
  checkShape(dims, shape, maxSequences, [...path, "shape"]); // first: it bounds what follows
  const { binary_data_size: binarySize } = parametersOf(input, path);
  if (binarySize !== undefined) {
    const numbers = readBinary(input.data, binarySize, bytes, { dims, datatype });
    return { values: alignTensor(numbers, dims, shape, (i) => [...path, "data", i]), pathOf: () => path };
  }
  const { body, jsonBytes } = bytes;
  if (jsonBytes !== body.length)
    throw new SequenceError([], "must end where its JSON ends, since no input has binary data", `${body.length - jsonBytes} bytes more`);
  if (datatype === "BF16")
    throw new SequenceError([...path, "datatype"], `must be one of ${JSON_DATATYPES.join(", ")} in JSON: send BF16 as binary data`, "BF16");
  const place: Path = [...path, "data"];
  const { numbers, isNested } = flatten(input.data, place, { dims, datatype, gaps: shape.gaps });
  const numberPath = (i: number): Path => [...place, ...(isNested ? indicesOf(i, dims) : [i])];
  return { values: alignTensor(numbers, dims, shape, numberPath), pathOf: (n) => (isNested ? [...place, n] : path) };
}

/** The tensor behind the JSON, whose size is said to be `binarySize`. */
function readBinary(
  data: unknown,
  binarySize: unknown,
  { body, jsonBytes }: Bytes,
  { dims, datatype }: Pick<TensorForm, "dims" | "datatype">,
): Float64Array {
  const path: Path = ["inputs", 0];
  if (data != null) throw new SequenceError([...path, "data"], "must be left out where binary_data_size is given", describe(data));
  const place: Path = [...path, "parameters", "binary_data_size"];
  const count = countOf(dims);
  const expected = count * bytesOf(datatype);
  if (binarySize !== expected)
    throw new SequenceError(place, `must be ${expected}, what the shape and datatype take`, describe(binarySize));
  if (jsonBytes + expected !== body.length)
    throw new SequenceError(place, `must be what follows the JSON, ${body.length - jsonBytes} bytes`, describe(binarySize));
  return readTensor(body, jsonBytes, count, datatype);
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
  readonly datatype: Datatype;
  /** Whether null stands for a number that is missing. */
  readonly gaps?: boolean;
}

function countOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** Row-major numbers, flat or nested as the shape is; and whether they were nested. */
function flatten(data: unknown, path: Path, form: TensorForm): { readonly numbers: Float64Array; readonly isNested: boolean } {
  const { dims } = form;
  if (!Array.isArray(data)) throw new SequenceError(path, "must be an array of numbers", describe(data));
  const count = countOf(dims);
  const numbers = new Float64Array(count);
  const isNested = Array.isArray(data[0]);
  let at = 0;
  const walk = (part: unknown, depth: number, where: Path): void => {
    if (depth === dims.length) {
      numbers[at++] = numberOf(part, where, form);
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
    for (let i = 0; i < count; i++) numbers[i] = numberOf(data[i], [...path, i], form);
  }
  return { numbers, isNested };
}

/** NaN where a number is missing. */
function numberOf(number: unknown, where: Path, { datatype, gaps }: TensorForm): number {
  if (gaps && number === null) return Number.NaN;
  if (typeof number !== "number") throw new SequenceError(where, `must be ${numberRule({ gaps })}`, describe(number));
  const fitted = fitNumber(number, datatype);
  if (fitted === undefined) throw new SequenceError(where, wholeNumberRule(datatype), describe(number));
  return fitted;
}

function indicesOf(i: number, dims: readonly number[]): number[] {
  const indices: number[] = [];
  for (let d = dims.length - 1; d >= 0; d--) {
    indices.unshift(i % dims[d]);
    i = Math.floor(i / dims[d]);
  }
  return indices;
}

function parseOutputs(outputs: unknown, binaryByDefault: boolean): readonly RequestedOutput[] {
  if (outputs == null || (Array.isArray(outputs) && outputs.length === 0))
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
    const { binary_data: binary = binaryByDefault, classification } = parametersOf(output, path);
    if (classification !== undefined)
      throw new SequenceError(
        [...path, "parameters", "classification"],
        "must be left out (class_count, in Triton's clients): the outputs probability and label say it all",
        describe(classification),
      );
    return { name: known.name, binary: binary === true };
  });
}

function object(value: unknown, path: Path): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SequenceError(path, "must be an object", describe(value));
  return value as Record<string, unknown>;
}

/** Without those that are null. Whoever knows a parameter checks it. */
function parametersOf({ parameters }: Record<string, unknown>, path: Path): Record<string, unknown> {
  if (parameters == null) return {};
  return Object.fromEntries(Object.entries(object(parameters, [...path, "parameters"])).filter(([, value]) => value !== null));
}

/** What scoring reads: of another type than the option has, it is refused, never passed over. */
function isOption(name: string): boolean {
  return name === "operatingPoint" || name === "prior";
}

/** What the protocol lets a parameter be. */
function isScalar(value: unknown): boolean {
  return ["string", "number", "boolean"].includes(typeof value);
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
