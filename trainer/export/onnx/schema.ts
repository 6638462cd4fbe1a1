// ONNX' messages, as far as a model with one recurrent network needs them: their fields, once for TypeScript and once for protobufjs.
// Names (in camelCase), numbers, types and enums: github.com/onnx/onnx/blob/main/onnx/onnx.proto (proto2). Fields that are not named here
// are skipped. Knows no bytes: protobuf.ts does.

/** TensorProto.DataType */
export const FLOAT = 1;
export const UINT8 = 2;
export const INT8 = 3;
export const INT32 = 6;
export const INT64 = 7;
export const BOOL = 9;
export const DOUBLE = 11;

/** AttributeProto.AttributeType */
export const ATTRIBUTE = { FLOAT: 1, INT: 2, STRING: 3, TENSOR: 4, GRAPH: 5, FLOATS: 6, INTS: 7, STRINGS: 8 } as const;

/** TensorProto.DataLocation.EXTERNAL */
export const EXTERNAL = 1;

/** int64 fields hold numbers: whole, exact up to 2^53. */
export interface ModelProto {
  readonly irVersion?: number;
  readonly producerName?: string;
  readonly docString?: string;
  readonly graph?: GraphProto;
  readonly opsetImport?: readonly { readonly domain?: string; readonly version?: number }[];
  readonly metadataProps?: readonly StringStringEntryProto[];
}

export interface StringStringEntryProto {
  readonly key?: string;
  readonly value?: string;
}

export interface GraphProto {
  readonly node?: readonly NodeProto[];
  readonly name?: string;
  readonly initializer?: readonly TensorProto[];
  readonly input?: readonly ValueInfoProto[];
  readonly output?: readonly ValueInfoProto[];
  /** SparseTensorProto: only whether there are any is read. */
  readonly sparseInitializer?: readonly Uint8Array[];
}

export interface NodeProto {
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly name?: string;
  readonly opType?: string;
  readonly attribute?: readonly AttributeProto[];
  readonly domain?: string;
}

export interface AttributeProto {
  readonly name?: string;
  readonly f?: number;
  readonly i?: number;
  /** UTF-8 */
  readonly s?: Uint8Array;
  readonly t?: TensorProto;
  /** The body of a Loop. */
  readonly g?: GraphProto;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  /** UTF-8 */
  readonly strings?: readonly Uint8Array[];
  readonly type?: number;
}

export interface TensorProto {
  readonly dims?: readonly number[];
  readonly dataType?: number;
  readonly floatData?: readonly number[];
  readonly int32Data?: readonly number[];
  readonly int64Data?: readonly number[];
  readonly name?: string;
  /** Little-endian, in C order. */
  readonly rawData?: Uint8Array;
  readonly doubleData?: readonly number[];
  readonly externalData?: readonly StringStringEntryProto[];
  readonly dataLocation?: number;
}

export interface ValueInfoProto {
  readonly name?: string;
  readonly type?: { readonly tensorType?: { readonly elemType?: number; readonly shape?: TensorShapeProto } };
}

export interface TensorShapeProto {
  readonly dim?: readonly { readonly dimValue?: number; readonly dimParam?: string }[];
}

interface FieldDescriptor {
  readonly id: number;
  readonly type: string;
  readonly rule?: "repeated";
  readonly options?: { readonly packed: true };
}

/** Without its edition, protobufjs takes a message for proto3, which leaves out zeros and empty texts. */
const message = (fields: Readonly<Record<string, FieldDescriptor>>) => ({ edition: "proto2", fields });
const one = (id: number, type: string): FieldDescriptor => ({ id, type });
const many = (id: number, type: string): FieldDescriptor => ({ id, type, rule: "repeated" });
/** A list of numbers in one field. */
const packed = (id: number, type: string): FieldDescriptor => ({ id, type, rule: "repeated", options: { packed: true } });

/** The same messages as protobufjs' JSON descriptor (protobufjs.github.io/protobuf.js, "Using JSON descriptors"). */
export const DESCRIPTOR = {
  nested: {
    ModelProto: message({
      irVersion: one(1, "int64"),
      producerName: one(2, "string"),
      docString: one(6, "string"),
      graph: one(7, "GraphProto"),
      opsetImport: many(8, "OperatorSetIdProto"),
      metadataProps: many(14, "StringStringEntryProto"),
    }),
    OperatorSetIdProto: message({ domain: one(1, "string"), version: one(2, "int64") }),
    StringStringEntryProto: message({ key: one(1, "string"), value: one(2, "string") }),
    GraphProto: message({
      node: many(1, "NodeProto"),
      name: one(2, "string"),
      initializer: many(5, "TensorProto"),
      input: many(11, "ValueInfoProto"),
      output: many(12, "ValueInfoProto"),
      sparseInitializer: many(15, "bytes"),
    }),
    NodeProto: message({
      input: many(1, "string"),
      output: many(2, "string"),
      name: one(3, "string"),
      opType: one(4, "string"),
      attribute: many(5, "AttributeProto"),
      domain: one(7, "string"),
    }),
    AttributeProto: message({
      name: one(1, "string"),
      f: one(2, "float"),
      i: one(3, "int64"),
      s: one(4, "bytes"),
      t: one(5, "TensorProto"),
      g: one(6, "GraphProto"),
      floats: packed(7, "float"), // onnx.proto packs no attribute, but every reader takes both
      ints: many(8, "int64"),
      strings: many(9, "bytes"),
      type: one(20, "int32"),
    }),
    TensorProto: message({
      dims: many(1, "int64"),
      dataType: one(2, "int32"),
      floatData: packed(4, "float"),
      int32Data: packed(5, "int32"),
      int64Data: packed(7, "int64"),
      name: one(8, "string"),
      rawData: one(9, "bytes"),
      doubleData: packed(10, "double"),
      externalData: many(13, "StringStringEntryProto"),
      dataLocation: one(14, "int32"),
    }),
    ValueInfoProto: message({ name: one(1, "string"), type: one(2, "TypeProto") }),
    TypeProto: message({ tensorType: one(1, "TensorTypeProto") }),
    TensorTypeProto: message({ elemType: one(1, "int32"), shape: one(2, "TensorShapeProto") }), // TypeProto.Tensor
    TensorShapeProto: message({ dim: many(1, "DimensionProto") }),
    DimensionProto: message({ dimValue: one(1, "int64"), dimParam: one(2, "string") }), // TensorShapeProto.Dimension
  },
} as const;
