// ONNX' messages against the wire format itself (protobuf.dev/programming-guides/encoding), byte by byte.
import protobuf from "protobufjs/light.js";
import { expect, test } from "vitest";
import { floats, raw } from "../../../../trainer/export/onnx/graph.ts";
import { decodeModel, decodeTensor, encodeModel } from "../../../../trainer/export/onnx/protobuf.ts";
import { INT64 } from "../../../../trainer/export/onnx/schema.ts";

test("a model is its fields in the order of their numbers; zeros and empty texts are written", () => {
  // ir_version 8: 08 08; producer_name "q": 12 01 71; opset_import of four bytes: 42 04, domain "": 0a 00, version 17: 10 11
  const bytes = encodeModel({ opsetImport: [{ version: 17, domain: "" }], producerName: "q", irVersion: 8 });
  expect(Buffer.from(bytes).toString("hex")).toBe("08081201714204" + "0a001011");
  expect(Buffer.from(encodeModel({ irVersion: 0 })).toString("hex")).toBe("0800");
});

test("int64 is exact up to 2^53, below zero too", () => {
  for (const version of [-1, 0, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])
    expect(decodeModel(encodeModel({ opsetImport: [{ version }] })).opsetImport).toEqual([{ version }]);
});

test("lists are read packed and unpacked", () => {
  const packed = new protobuf.Writer().uint32(16).int32(INT64).uint32(58).int64s([1, -2, 300]).uint32(10).int64s([3]).finish();
  const unpacked = new protobuf.Writer().uint32(16).int32(INT64).uint32(56).int64(1).uint32(56).int64(-2).uint32(56).int64(300);
  for (const bytes of [packed, unpacked.uint32(8).int64(3).finish()])
    expect(decodeTensor(bytes)).toMatchObject({ dims: [3], dataType: INT64, int64Data: [1, -2, 300] });
});

test("a tensor's bytes are a view of the file: weights are not copied on the way in, and lie whole in what is written", () => {
  const weights = Float32Array.from({ length: 1000 }, (_, k) => k);
  const bytes = encodeModel({ graph: { initializer: [floats("W", [1000], raw(weights))] } });
  const { rawData } = decodeModel(bytes).graph!.initializer![0];
  expect(rawData!.buffer).toBe(bytes.buffer);
  expect(new Float32Array(Uint8Array.from(rawData!).buffer)).toEqual(weights);
  expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, bytes.length]);
});

test("fields that the schema does not name are skipped, whatever they hold", () => {
  const known = new protobuf.Writer().uint32(8).int64(8);
  const bytes = known
    .uint32(9 * 8 + 2)
    .string("training")
    .uint32(15 * 8 + 1)
    .double(1)
    .uint32(99 * 8 + 5)
    .float(1)
    .uint32(98 * 8)
    .uint32(7);
  expect(decodeModel(bytes.finish())).toMatchObject({ irVersion: 8 });
});
