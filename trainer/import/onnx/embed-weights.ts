// A model with all of its weights inside, whatever else is in the file kept byte by byte: fields that schema.ts does not name are kept, too.
// Wire format: protobuf.dev/programming-guides/encoding. Field numbers: github.com/onnx/onnx/blob/main/onnx/onnx.proto.
import protobuf from "protobufjs/light.js";
import { decodeModel } from "../../export/onnx/protobuf.ts";
import type { Beside } from "../contract/said.ts";
import { embedExternalData, isExternal } from "./external-data.ts";

const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR = { rawData: 9, externalData: 13, dataLocation: 14 } as const;
const LENGTH_DELIMITED = 2;

/** `bytes` of a model, with the numbers of initializers from files `beside` it inside. Throws DataError, and Error where the file is no model. */
export function embedWeights(bytes: Uint8Array, beside: Beside, source: string): Uint8Array<ArrayBuffer> {
  const model = decodeModel(bytes);
  if (!model.graph?.initializer?.some(isExternal)) return new Uint8Array(bytes);
  const tensors = embedExternalData(model, beside, source).graph!.initializer!;
  const external = model.graph.initializer.map(isExternal);
  let next = 0;
  return rewrite(bytes, MODEL_GRAPH, (graph) =>
    rewrite(graph, GRAPH_INITIALIZER, (tensor) => {
      const k = next++;
      return external[k] ? withNumbers(tensor, tensors[k].rawData!) : tensor;
    }),
  );
}

function withNumbers(tensor: Uint8Array, numbers: Uint8Array): Uint8Array {
  const kept = fieldsOf(tensor).filter(({ field }) => !Object.values<number>(TENSOR).includes(field));
  return join([...kept.map(({ whole }) => whole), ...fieldBytes(TENSOR.rawData, numbers)]);
}

/** The message, with the contents of each `field` of it changed. */
function rewrite(message: Uint8Array, field: number, change: (content: Uint8Array) => Uint8Array): Uint8Array<ArrayBuffer> {
  return join(
    fieldsOf(message).flatMap((one) => (one.field === field && one.content ? fieldBytes(field, change(one.content)) : [one.whole])),
  );
}

interface Field {
  readonly field: number;
  /** Tag and all. */
  readonly whole: Uint8Array;
  readonly content: Uint8Array | undefined;
}

function fieldsOf(message: Uint8Array): Field[] {
  const reader = protobuf.Reader.create(message);
  const found: Field[] = [];
  while (reader.pos < message.length) {
    const from = reader.pos;
    const tag = reader.tag();
    const isMessage = (tag & 7) === LENGTH_DELIMITED;
    const length = isMessage ? reader.uint32() : 0;
    const start = reader.pos;
    if (isMessage) reader.skip(length);
    else reader.skipType(tag & 7, 0, tag >>> 3);
    const content = isMessage ? message.subarray(start, start + length) : undefined;
    found.push({ field: tag >>> 3, whole: message.subarray(from, reader.pos), content });
  }
  return found;
}

/** Tag and length, then the content. */
function fieldBytes(field: number, content: Uint8Array): Uint8Array[] {
  const writer = protobuf.Writer.create();
  return [
    writer
      .uint32(field * 8 + LENGTH_DELIMITED)
      .uint32(content.length)
      .finish(),
    content,
  ];
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
