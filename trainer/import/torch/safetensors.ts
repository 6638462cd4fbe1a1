// Safetensors of any writer → named arrays of floats, widened to float64, and texts. Knows no model.
import { decodeFrame, type Frame } from "../../../shared/artifact/safetensors.ts";
import { DataError } from "../../../shared/errors.ts";
import { halfToNumber } from "../contract/half-float.ts";
import { rejectFile } from "../contract/reject-file.ts";

export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, { readonly dtype: string; readonly shape: readonly number[]; readonly data: Float64Array }>;
}

const MAX_HEADER_BYTES = 100_000_000; // as the format's own reader has it

/** Widths in bytes, and how one number is read: half floats are widened, which is exact. */
const DTYPES: Readonly<Record<string, [bytes: number, read: (view: DataView, at: number) => number]>> = {
  F64: [8, (view, at) => view.getFloat64(at, true)],
  F32: [4, (view, at) => view.getFloat32(at, true)],
  F16: [2, (view, at) => halfToNumber(view.getUint16(at, true))],
  BF16: [2, (view, at) => float32OfBits(view.getUint16(at, true) << 16)],
};

/** Whether `bytes` begin as a safetensors file does: a header length below 2^48, then `{`. */
export function isSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 8 && bytes[8] === 0x7b && bytes[7] === 0 && bytes[6] === 0;
}

/** The texts of `__metadata__`, without reading a tensor. Throws DataError. */
export function readMetadata(bytes: Uint8Array, source: string): Readonly<Record<string, string>> {
  return textsOf(openFrame(bytes, source));
}

function openFrame(bytes: Uint8Array, source: string): Frame {
  return decodeFrame(bytes, MAX_HEADER_BYTES, (message) => {
    throw new DataError(source, message);
  });
}

function textsOf({ metadata }: Frame): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries((metadata ?? {}) as object).filter(([, text]) => typeof text === "string"));
}

/**
 * Every tensor of floats, widened to float64, which is exact. Tensors of other types are passed over where they are single numbers, as
 * counters are. Throws DataError: a damaged file, other types, numbers that are not finite.
 */
export function readSafetensors(bytes: Uint8Array, source: string): Safetensors {
  const frame = openFrame(bytes, source);
  const view = new DataView(frame.data.buffer, frame.data.byteOffset, frame.data.byteLength);
  const tensors = new Map<string, { dtype: string; shape: number[]; data: Float64Array }>();
  let claimed = 0;
  for (const [name, entry] of Object.entries(frame.entries)) {
    const { dtype, shape, data_offsets } = (entry ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
    if (!Array.isArray(shape) || !Array.isArray(data_offsets) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
      return damaged(source, `describes ${name} in a way that cannot be read`);
    const count = shape.reduce((product, size) => product * size, 1);
    const known = DTYPES[String(dtype)];
    if (known === undefined) {
      if (count === 1) continue;
      rejectFile(source, `${name} is of type ${dtype}, expected F32, F64, F16 or BF16`, "save the tensor as float32");
    }
    const [width, read] = known;
    const [from, to] = data_offsets.map(Number);
    claimed += count * width; // tensors do not overlap
    if (!(from >= 0 && to - from === count * width && Math.max(to, claimed) <= view.byteLength))
      damaged(source, `${name} claims ${count} numbers at bytes ${from} to ${to} of ${view.byteLength}`);
    const data = new Float64Array(count);
    for (let i = 0; i < count; i++) data[i] = read(view, from + i * width);
    if (!data.every(Number.isFinite)) rejectFile(source, `${name} holds a number that is not finite`, "the weights are damaged");
    tensors.set(name, { dtype: String(dtype), shape, data });
  }
  return { metadata: textsOf(frame), tensors };
}

function damaged(source: string, message: string): never {
  rejectFile(source, message, "the file is cut short or damaged");
}

function float32OfBits(bits: number): number {
  return new Float32Array(Int32Array.of(bits).buffer)[0];
}
