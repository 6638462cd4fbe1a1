// Safetensors (github.com/huggingface/safetensors): bytes ⇄ named arrays of floats and texts. Knows no model.
import { refuse } from "./found.ts";

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

export function isSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 8 && bytes[8] === 0x7b && bytes[7] === 0 && bytes[6] === 0; // {, behind a length below 2^48
}

/** The header alone. Throws DataError. */
export function readHeader(
  bytes: Uint8Array,
  source: string,
): {
  readonly start: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: readonly [name: string, entry: unknown][];
} {
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES || 8 + headerBytes > bytes.length)
    return damaged(source, `claims a header of ${headerBytes} bytes, but the file has ${bytes.length}`);
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)));
  } catch {
    return damaged(source, "has a header that is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) return damaged(source, "has a header that is no object");
  const { __metadata__, ...entries } = header;
  const texts = Object.entries((__metadata__ ?? {}) as object).filter(([, text]) => typeof text === "string");
  return { start: 8 + headerBytes, metadata: Object.fromEntries(texts), entries: Object.entries(entries) };
}

/** Throws DataError. Tensors of other types than floats are passed over if they are single numbers, as counters are. */
export function readSafetensors(bytes: Uint8Array, source: string): Safetensors {
  const { start, metadata, entries } = readHeader(bytes, source);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tensors = new Map<string, { dtype: string; shape: number[]; data: Float64Array }>();
  let claimed = 0;
  for (const [name, entry] of entries) {
    const { dtype, shape, data_offsets } = (entry ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
    if (!Array.isArray(shape) || !Array.isArray(data_offsets) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
      return damaged(source, `describes ${name} in a way that cannot be read`);
    const count = shape.reduce((product, size) => product * size, 1);
    const known = DTYPES[String(dtype)];
    if (known === undefined) {
      if (count === 1) continue;
      refuse(source, `${name} is of type ${dtype}, expected F32, F64, F16 or BF16`, "save it as float32");
    }
    const [width, read] = known;
    const [from, to] = data_offsets.map(Number);
    claimed += count * width; // tensors do not overlap
    if (!(from >= 0 && to - from === count * width && start + Math.max(to, claimed) <= bytes.length))
      damaged(source, `${name} claims ${count} numbers at bytes ${from} to ${to} of ${bytes.length - start}`);
    const data = new Float64Array(count);
    for (let i = 0; i < count; i++) data[i] = read(view, start + from + i * width);
    if (!data.every(Number.isFinite)) refuse(source, `${name} holds a number that is not finite`, "the weights are damaged");
    tensors.set(name, { dtype: String(dtype), shape, data });
  }
  return { metadata, tensors };
}

function damaged(source: string, message: string): never {
  refuse(source, message, "it is cut short or damaged");
}

/** Float32 arrays, in the order given; the header is padded with spaces so that data starts at a multiple of 8. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, data }] of Object.entries(tensors))
    header[name] = { dtype: "F32", shape, data_offsets: [end, (end += data.byteLength)] };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = Math.ceil((8 + json.length) / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, 0, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(json, 8);
  let at = start;
  for (const { data } of Object.values(tensors)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

function float32OfBits(bits: number): number {
  return new Float32Array(Int32Array.of(bits).buffer)[0];
}

/** IEEE 754 binary16. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
