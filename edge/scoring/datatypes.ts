// The number types of the Open Inference Protocol: how many bytes one takes, how it is read from them, and what JSON may say of it.
// Whatever came, float64 is what is scored: exactly, but for whole numbers beyond 2^53, of which it is the nearest.
import { NUMBER_READERS } from "../../shared/npy.ts";
import { readNumbers } from "./tensor.ts";

/** Each with NumPy's kind and item size; a bfloat16 is the first half of a float32. */
const KINDS = {
  FP64: "f8",
  FP32: "f4",
  FP16: "f2",
  BF16: "bf",
  INT8: "i1",
  INT16: "i2",
  INT32: "i4",
  INT64: "i8",
  UINT8: "u1",
  UINT16: "u2",
  UINT32: "u4",
  UINT64: "u8",
} as const;
export type Datatype = keyof typeof KINDS;

/** All that an input may have; the first is what metadata names. */
export const DATATYPES = Object.keys(KINDS) as Datatype[];
/** JSON has no way to write bfloat16; the clients that have it send it as bytes. */
export const JSON_DATATYPES = DATATYPES.filter((name) => name !== "BF16");

/** Whether `value` names a number type. */
export function isDatatype(value: unknown): value is Datatype {
  return DATATYPES.some((name) => name === value);
}

/** Of one number. */
export function bytesOf(datatype: Datatype): number {
  return datatype === "BF16" ? 2 : Number(KINDS[datatype][1]);
}

/** `count` little-endian numbers from `at` on. */
export function readTensor(bytes: Uint8Array<ArrayBuffer>, at: number, count: number, datatype: Datatype): Float64Array {
  if (datatype === "FP64") return readNumbers(bytes, at, count, "float64");
  if (datatype === "FP32") return readNumbers(bytes, at, count, "float32");
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const width = bytesOf(datatype);
  const read = datatype === "BF16" ? readBfloat16 : NUMBER_READERS[KINDS[datatype]];
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = read(view, i * width, true);
  return out;
}

const word = new DataView(new ArrayBuffer(4));

function readBfloat16(view: DataView, at: number): number {
  word.setUint32(0, view.getUint16(at, true) << 16);
  return word.getFloat32(0);
}

/** What a number in JSON is as `datatype`: a float is rounded to it; undefined for what is none of its whole numbers. */
export function fitNumber(value: number, datatype: Datatype): number | undefined {
  if (datatype === "FP64") return value;
  if (datatype === "FP32") return Math.fround(value);
  if (datatype === "FP16") {
    word.setFloat16(0, value);
    return word.getFloat16(0);
  }
  const { min, max } = rangeOf(datatype);
  return Number.isInteger(value) && value >= min && value <= max ? value : undefined;
}

/** What fitNumber takes, as an error says it. */
export function wholeNumberRule(datatype: Datatype): string {
  const { min, max } = rangeOf(datatype);
  return `must be a whole number from ${min} to ${max}, as ${datatype} says`;
}

/** Of a type of whole numbers; of 64 bits as float64 has it. */
function rangeOf(datatype: Datatype): { readonly min: number; readonly max: number } {
  const isSigned = KINDS[datatype][0] === "i";
  let values = 1;
  for (let bit = 0; bit < 8 * bytesOf(datatype); bit++) values *= 2;
  return isSigned ? { min: -values / 2, max: values / 2 - 1 } : { min: 0, max: values - 1 };
}
