// ONNX files: bytes → graph, checked as far as any graph is. Fields and enums: trainer/export/onnx/schema.ts. Knows no operator.
import { DataError } from "../../../shared/errors.ts";
import { decodeModel } from "../../export/onnx/protobuf.ts";
import {
  ATTRIBUTE,
  type AttributeProto,
  BOOL,
  DOUBLE,
  FLOAT,
  type GraphProto,
  INT8,
  INT32,
  INT64,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  UINT8,
  type ValueInfoProto,
} from "../../export/onnx/schema.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { Beside } from "../contract/said.ts";
import { embedExternalData, isExternal } from "./external-data.ts";
import { type Attribute, type Body, bodyOf, type Node, type Tensor } from "./operators/node.ts";

export interface Port {
  readonly name: string;
  /** null where a size is free or not said. */
  readonly dims: readonly (number | null)[];
}

export interface Graph {
  readonly opset: number;
  readonly producer: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, Tensor>;
  /** Without those that have a constant. */
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

const MAX_NODES = 1000; // PyTorch writes some 20, and the interpreter goes one call deeper for each
const MAX_RANK = 8;
const [OLDEST_OPSET, NEWEST_OPSET] = [7, 26]; // LSTM-7 to LSTM-22: github.com/onnx/onnx/blob/main/docs/Changelog.md

/** First bytes of most models: ir_version, producer_name or graph. */
const USUAL_TAGS: ReadonlySet<number | undefined> = new Set([0x08, 0x12, 0x3a]);

/**
 * Whether `bytes` may be a model. Protobuf has no signature, and fields may come in any order: what begins with another field than
 * usual is taken for a model where the whole file decodes to one with a graph.
 */
export function looksLikeOnnx(bytes: Uint8Array): boolean {
  if (USUAL_TAGS.has(bytes[0])) return true;
  try {
    return decodeModel(bytes).graph !== undefined;
  } catch {
    return false;
  }
}

/** The graph in an ONNX file, with weights from files `beside` it. Throws DataError: a damaged file, an unknown opset, tensors of other types. */
export function readGraph(bytes: Uint8Array, source: string, beside: Beside): Graph {
  const { graph, opsetImport, producerName, metadataProps } = embedExternalData(decode(bytes, source), beside, source);
  if (graph === undefined)
    return rejectFile(source, "holds no ONNX graph", "expected a model as torch.onnx.export, tf2onnx or quickstep writes it");
  const opset = opsetImport?.findLast(({ domain }) => isOnnx(domain))?.version ?? 0;
  if (opset < OLDEST_OPSET || opset > NEWEST_OPSET)
    rejectFile(
      source,
      `is written for opset ${opset}`,
      `quickstep reads ${OLDEST_OPSET} to ${NEWEST_OPSET}: export the model with another opset_version`,
    );
  const { nodes, constants } = partsOf(graph, source);
  return {
    opset,
    producer: producerName ?? "",
    metadata: new Map(metadataProps?.map(({ key = "", value = "" }) => [key, value])),
    nodes,
    constants,
    inputs: graph.input?.map(portOf).filter(({ name }) => !constants.has(name)) ?? [],
    outputs: graph.output?.map(portOf) ?? [],
  };
}

function partsOf(graph: GraphProto, source: string): Pick<Graph, "nodes" | "constants"> {
  checkGraph(graph, source);
  return {
    nodes: graph.node?.map((node) => nodeOf(node, source)) ?? [],
    constants: new Map(graph.initializer?.map((tensor) => [tensor.name ?? "", tensorOf(tensor, source)])),
  };
}

function readBody(graph: GraphProto, source: string): Body {
  const names = (ports: readonly ValueInfoProto[] = []): string[] => ports.map(({ name = "" }) => name);
  return { ...partsOf(graph, source), inputs: names(graph.input), outputs: names(graph.output) };
}

function decode(bytes: Uint8Array, source: string): ModelProto {
  try {
    return decodeModel(bytes);
  } catch (error) {
    throw new DataError(source, `cannot be read as ONNX: the file is cut short or damaged (${(error as Error).message})`);
  }
}

function checkGraph({ sparseInitializer, node }: GraphProto, source: string): void {
  if (sparseInitializer?.length) rejectFile(source, "stores weights as sparse tensors", "export dense weights");
  if (node && node.length > MAX_NODES)
    rejectFile(source, `has more than ${MAX_NODES} nodes`, "an LSTM and the operators around one take fewer");
}

/** The operators of ONNX itself have no domain, or this one. */
function isOnnx(domain: string | undefined): boolean {
  return !domain || domain === "ai.onnx";
}

function nodeOf({ opType = "", domain, name = "", input = [], output = [], attribute = [] }: NodeProto, source: string): Node {
  const attributes = new Map<string, Attribute>();
  for (const one of attribute) {
    const value = attributeOf(one, source);
    if (value !== undefined) attributes.set(one.name ?? "", value);
  }
  if (opType === "Split" && !attributes.has("num_outputs")) attributes.set("num_outputs", output.length); // before opset 18 it goes without saying
  return { operator: isOnnx(domain) ? opType : `${domain}.${opType}`, name, inputs: input, outputs: output, attributes };
}

/** Undefined for whatever no operator here takes. */
function attributeOf({ type, f = 0, i = 0, s, t = {}, g = {}, floats = [], ints = [], strings = [] }: AttributeProto, source: string) {
  const attributes: Readonly<Record<number, () => Attribute>> = {
    [ATTRIBUTE.FLOAT]: () => f,
    [ATTRIBUTE.INT]: () => i,
    [ATTRIBUTE.STRING]: () => textOf(s),
    [ATTRIBUTE.TENSOR]: () => tensorOf(t, source),
    [ATTRIBUTE.GRAPH]: () => readBody(g, source),
    [ATTRIBUTE.FLOATS]: () => floats,
    [ATTRIBUTE.INTS]: () => ints,
    [ATTRIBUTE.STRINGS]: () => strings.map(textOf),
  };
  return attributes[type ?? 0]?.();
}

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

/** How numbers of one TensorProto.DataType are stored: `bytes` each in rawData, or in a list of their own. */
interface Storage {
  readonly bytes: number;
  read(view: DataView, offset: number): number;
  listIn(tensor: TensorProto): readonly number[] | undefined;
}

const STORAGE: Readonly<Record<number, Storage>> = {
  [FLOAT]: { bytes: 4, read: (view, offset) => view.getFloat32(offset, true), listIn: ({ floatData }) => floatData },
  [DOUBLE]: { bytes: 8, read: (view, offset) => view.getFloat64(offset, true), listIn: ({ doubleData }) => doubleData },
  [UINT8]: { bytes: 1, read: (view, offset) => view.getUint8(offset), listIn: ({ int32Data }) => int32Data },
  [INT8]: { bytes: 1, read: (view, offset) => view.getInt8(offset), listIn: ({ int32Data }) => int32Data },
  [BOOL]: { bytes: 1, read: (view, offset) => view.getUint8(offset), listIn: ({ int32Data }) => int32Data },
  [INT32]: { bytes: 4, read: (view, offset) => view.getInt32(offset, true), listIn: ({ int32Data }) => int32Data },
  [INT64]: { bytes: 8, read: (view, offset) => Number(view.getBigInt64(offset, true)), listIn: ({ int64Data }) => int64Data },
};

function tensorOf(tensor: TensorProto, source: string): Tensor {
  const { name, dims = [], dataType = 0, rawData } = tensor;
  const what = `tensor ${name || "without a name"}`;
  if (isExternal(tensor)) rejectFile(source, `${what} lies in a file of its own (external data)`, "save the model with its weights inside");
  const storage = STORAGE[dataType];
  if (storage === undefined)
    rejectFile(
      source,
      `${what} is of ONNX's data type ${dataType}`,
      "quickstep reads float32, float64 and whole numbers: export the model in float32",
    );
  if (dims.length > MAX_RANK || !dims.every((size) => size >= 0))
    rejectFile(source, `${what} has the shape (${dims.join(", ")})`, "the file is damaged");
  const count = dims.reduce((product, size) => product * size, 1);
  const list = storage.listIn(tensor) ?? [];
  const stored = rawData ? rawData.length / storage.bytes : list.length;
  if (stored !== count)
    rejectFile(source, `${what} claims (${dims.join(", ")}) numbers, but holds ${stored}`, "the file is cut short or damaged");
  if (!rawData) return { dims, data: Float64Array.from(list) };
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  const data = new Float64Array(count);
  for (let i = 0; i < count; i++) data[i] = storage.read(view, i * storage.bytes);
  return { dims, data };
}

/** Throws DataError where a weight is NaN. Infinity is a number that graphs clip and compare with; so is NaN in quickstep's own exports. */
export function checkWeights({ constants, nodes }: Pick<Graph, "constants" | "nodes">, source: string): void {
  const damaged = (name: string): never => rejectFile(source, `tensor ${name || "without a name"} holds NaN`, "the weights are damaged");
  for (const [name, { data }] of constants) if (data.some(Number.isNaN)) damaged(name);
  for (const { attributes, name } of nodes)
    for (const value of attributes.values()) {
      if (typeof value === "object" && "data" in value && value.data.some(Number.isNaN)) damaged(name);
      const body = bodyOf(value);
      if (body) checkWeights(body, source);
    }
}

function portOf({ name = "", type }: ValueInfoProto): Port {
  const dims = type?.tensorType?.shape?.dim ?? [];
  return { name, dims: dims.map(({ dimValue }) => (dimValue && dimValue > 0 ? dimValue : null)) };
}
