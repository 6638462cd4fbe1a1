// ONNX' messages ⇄ bytes, by protobufjs (wire format: protobuf.dev/programming-guides/encoding). A file is measured before it is decoded,
// since a message of two bytes becomes an object of a hundred. Knows the messages from schema.ts, and no network.
import protobuf from "protobufjs/light.js";
import { DESCRIPTOR, type ModelProto, type TensorProto } from "./schema.ts";

const root = protobuf.Root.fromJSON(DESCRIPTOR);
const MODEL = root.lookupType("ModelProto");
const TENSOR = root.lookupType("TensorProto");

/** What a file may hold to be decoded: each far more than an exporter writes for one recurrent network. */
const LIMITS = {
  /** Messages, and numbers and texts that stand alone: PyTorch writes some 300 (measured). */
  fields: 2 ** 17,
  /** Whole numbers in packed lists: shapes, not weights. */
  integers: 2 ** 20,
  /** Floats in packed lists: an LSTM of 2048 units has half of them. Weights in `rawData` stay bytes of the file. */
  floats: 2 ** 25,
  /** Bytes of text, recipes in metadata among them. */
  text: 2 ** 24,
};
/** Messages inside messages: a graph in a node of a graph takes six levels, a loop in a loop nine. */
const MAX_DEPTH = 16;
type Size = Record<keyof typeof LIMITS, number>;

/** The bytes of a model: fields in the order of their numbers, as onnx.proto's other writers have them. */
export function encodeModel(model: ModelProto): Uint8Array<ArrayBuffer> {
  return new Uint8Array(MODEL.encode(model).finish());
}

/**
 * The model in `bytes`. Lists are always there, empty where the file has none; bytes are views of the file, not copies. Throws Error
 * where the file is cut short, is no protobuf, or holds more than a model has.
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return decode(MODEL, bytes) as ModelProto;
}

/** A file that is one tensor, as the ONNX project's tests have them. As decodeModel does. */
export function decodeTensor(bytes: Uint8Array): TensorProto {
  return decode(TENSOR, bytes) as TensorProto;
}

function decode(type: protobuf.Type, bytes: Uint8Array): unknown {
  measure(type, protobuf.Reader.create(bytes), bytes.length, { fields: 0, integers: 0, floats: 0, text: 0 }, MAX_DEPTH);
  return type.toObject(type.decode(bytes), { longs: Number, arrays: true });
}

/** Walks from the reader's position to `end` without building anything, and adds to `size`. Throws RangeError beyond a limit. */
function measure(type: protobuf.Type, reader: protobuf.Reader, end: number, size: Size, depth: number): void {
  if (depth === 0) throw new RangeError(`messages in more than ${MAX_DEPTH} levels`);
  while (reader.pos < end) {
    const tag = reader.tag();
    const wireType = tag & 7;
    const field = type.fieldsById[tag >>> 3]?.resolve();
    if (field) add(size, "fields", 1);
    if (field === undefined || wireType !== LENGTH_DELIMITED) {
      reader.skipType(wireType, 0, tag >>> 3);
      continue;
    }
    const stop = reader.uint32() + reader.pos;
    if (stop > end) throw new RangeError(`${field.name} claims ${stop - reader.pos} bytes, where ${end - reader.pos} are left`);
    if (field.resolvedType instanceof protobuf.Type) measure(field.resolvedType, reader, stop, size, depth - 1);
    else if (field.type === "string") add(size, "text", stop - reader.pos);
    else if (field.type === "float") add(size, "floats", (stop - reader.pos) / 4);
    else if (field.type === "double") add(size, "floats", (stop - reader.pos) / 8);
    else if (field.type !== "bytes") add(size, "integers", stop - reader.pos); // a byte or more each
    reader.pos = stop;
  }
}

/** protobuf.dev/programming-guides/encoding/#structure */
const LENGTH_DELIMITED = 2;

function add(size: Size, what: keyof Size, count: number): void {
  size[what] += count;
  if (size[what] > LIMITS[what]) throw new RangeError(`more ${what} than a model has`);
}
