// ONNX files: bytes → graph. Field numbers and enums: github.com/onnx/onnx/blob/main/onnx/onnx.proto. Knows no operator.
import { DataError } from "../../../shared/errors.ts";
import { type Field, readFields, readVarints } from "../../export/onnx/protobuf.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { Attribute, Node, Tensor } from "./operators/node.ts";

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
const [OLDEST_OPSET, NEWEST_OPSET] = [7, 26];

/** ir_version comes first, a varint; whoever leaves it out begins with another field of a model. */
export function looksLikeProtobuf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x08 || bytes[0] === 0x12 || bytes[0] === 0x3a;
}

/** Throws DataError. */
export function readGraph(bytes: Uint8Array, source: string): Graph {
  try {
    return parseModel(bytes, source);
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(source, `cannot be read as ONNX: it is cut short or damaged (${(error as Error).message})`);
  }
}

function parseModel(bytes: Uint8Array, source: string): Graph {
  let graph: Uint8Array | undefined;
  let producer = "";
  let opset = 0;
  const metadata = new Map<string, string>();
  for (const { field, bytes: part } of readFields(bytes)) {
    if (field === 2) producer = text(part);
    if (field === 7) graph = part;
    if (field === 8) {
      const fields = [...readFields(part)];
      if (["", "ai.onnx"].includes(text(find(fields, 1)?.bytes))) opset = Number(find(fields, 2)?.integer ?? 0n);
    }
    if (field === 14) {
      const fields = [...readFields(part)];
      metadata.set(text(find(fields, 1)?.bytes), text(find(fields, 2)?.bytes));
    }
  }
  if (graph === undefined)
    rejectFile(source, "holds no ONNX graph", "expected a model as torch.onnx.export, tf2onnx or quickstep writes it");
  if (opset < OLDEST_OPSET || opset > NEWEST_OPSET)
    rejectFile(
      source,
      `is written for opset ${opset}`,
      `quickstep reads ${OLDEST_OPSET} to ${NEWEST_OPSET}: export it with another opset_version`,
    );
  const nodes: Node[] = [];
  const constants = new Map<string, Tensor>();
  const inputs: Port[] = [];
  const outputs: Port[] = [];
  for (const { field, bytes: part } of readFields(graph)) {
    if (field === 1) nodes.push(parseNode(part, source));
    if (field === 5) {
      const { name, tensor } = parseTensor(part, source);
      constants.set(name, tensor);
    }
    if (field === 11) inputs.push(parsePort(part));
    if (field === 12) outputs.push(parsePort(part));
    if (field === 15) rejectFile(source, "stores weights as sparse tensors", "export them dense");
    if (nodes.length > MAX_NODES)
      rejectFile(source, `has more than ${MAX_NODES} nodes`, "that is more than an LSTM with what is around it");
  }
  return { opset, producer, metadata, nodes, constants, inputs: inputs.filter(({ name }) => !constants.has(name)), outputs };
}

function parseNode(bytes: Uint8Array, source: string): Node {
  const fields = [...readFields(bytes)];
  const all = (field: number): string[] => fields.filter((one) => one.field === field).map((one) => text(one.bytes));
  const operator = all(4)[0] ?? "";
  const domain = all(7)[0] ?? "";
  const attributes = new Map<string, Attribute>();
  for (const { field, bytes: part } of fields) {
    if (field !== 5) continue;
    const [name, attribute] = parseAttribute(part, source);
    if (attribute !== null) attributes.set(name, attribute);
  }
  const full = domain === "" || domain === "ai.onnx" ? operator : `${domain}.${operator}`;
  return { operator: full, name: all(3)[0] ?? "", inputs: all(1), outputs: all(2), attributes };
}

/** Null for graphs, which no operator here takes. */
function parseAttribute(bytes: Uint8Array, source: string): [name: string, value: Attribute | null] {
  const fields = [...readFields(bytes)];
  const name = text(find(fields, 1)?.bytes);
  const type = Number(find(fields, 20)?.integer ?? 0n);
  const lists = (field: number, read: (bytes: Uint8Array, integer: bigint | null) => number[]): number[] =>
    fields.filter((one) => one.field === field).flatMap((one) => read(one.bytes, one.integer));
  switch (type) {
    case 1:
      return [name, lists(2, floatsOf)[0] ?? 0];
    case 2:
      return [name, Number(find(fields, 3)?.integer ?? 0n)];
    case 3:
      return [name, text(find(fields, 4)?.bytes)];
    case 4:
      return [name, parseTensor(find(fields, 5)?.bytes ?? new Uint8Array(), source).tensor];
    case 6:
      return [name, lists(7, floatsOf)];
    case 7:
      return [name, lists(8, integersOf)];
    case 8:
      return [name, fields.filter((one) => one.field === 9).map((one) => text(one.bytes))];
    default:
      return [name, null];
  }
}

/** TensorProto.DataType → width in raw_data and how one number is read there. */
const RAW: Readonly<Record<number, [bytes: number, read: (view: DataView, at: number) => number]>> = {
  1: [4, (view, at) => view.getFloat32(at, true)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [1, (view, at) => view.getInt8(at)],
  6: [4, (view, at) => view.getInt32(at, true)],
  7: [8, (view, at) => Number(view.getBigInt64(at, true))],
  9: [1, (view, at) => view.getUint8(at)],
  11: [8, (view, at) => view.getFloat64(at, true)],
};

/** TensorProto; a file of one tensor, as the ONNX project's tests have them, is the same message. */
export function parseTensor(bytes: Uint8Array, source: string): { name: string; tensor: Tensor } {
  const fields = [...readFields(bytes)];
  const of = (...numbers: number[]): Field[] => fields.filter(({ field }) => numbers.includes(field));
  const name = text(find(fields, 8)?.bytes);
  const what = `tensor ${name || "without a name"}`;
  if (of(13).length > 0 || find(fields, 14)?.integer === 1n)
    rejectFile(source, `${what} lies in a file of its own (external data)`, "save the model with its weights inside: they are small");
  const dims = of(1).flatMap(({ bytes: part, integer }) => integersOf(part, integer));
  const count = dims.reduce((product, size) => product * size, 1);
  const type = Number(find(fields, 2)?.integer ?? 0n);
  const known = RAW[type];
  if (known === undefined)
    rejectFile(
      source,
      `${what} is of ONNX's data type ${type}`,
      "quickstep reads float32, float64 and whole numbers: export it in float32",
    );
  if (dims.length > MAX_RANK || !dims.every((size) => size >= 0))
    rejectFile(source, `${what} has the shape (${dims.join(", ")})`, "it is damaged");
  const raw = find(fields, 9)?.bytes;
  const listed = raw
    ? []
    : [
        ...of(4, 10).flatMap(({ field, bytes: part }) => (field === 4 ? floatsOf(part) : doublesOf(part))),
        ...of(5, 7, 11).flatMap(({ bytes: part, integer }) => integersOf(part, integer)),
      ];
  const [width, read] = known;
  const stored = raw ? raw.length / width : listed.length;
  if (stored !== count)
    rejectFile(source, `${what} claims (${dims.join(", ")}) numbers, but holds ${stored}`, "it is cut short or damaged");
  if (!raw) return { name, tensor: { dims, data: Float64Array.from(listed) } };
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return { name, tensor: { dims, data: Float64Array.from({ length: count }, (_, i) => read(view, i * width)) } };
}

function parsePort(bytes: Uint8Array): Port {
  const fields = [...readFields(bytes)];
  const inside = (part: Uint8Array | undefined, field: number): Uint8Array | undefined => part && find([...readFields(part)], field)?.bytes;
  const shape = inside(inside(find(fields, 2)?.bytes, 1), 2);
  const dims = [...readFields(shape ?? new Uint8Array())].map(({ bytes: part }) => {
    const size = find([...readFields(part)], 1)?.integer;
    return size && size > 0n ? Number(size) : null;
  });
  return { name: text(find(fields, 1)?.bytes), dims };
}

function find(fields: readonly Field[], number: number): Field | undefined {
  return fields.findLast(({ field }) => field === number);
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

/** One varint, or a packed list of them. */
function integersOf(bytes: Uint8Array, integer: bigint | null): number[] {
  return integer === null ? Array.from(readVarints(bytes), Number) : [Number(integer)];
}

function floatsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length >> 2 }, (_, i) => view.getFloat32(4 * i, true));
}

function doublesOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length >> 3 }, (_, i) => view.getFloat64(8 * i, true));
}
