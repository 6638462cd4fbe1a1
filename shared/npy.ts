// NumPy's array format (numpy.org/doc/stable/reference/generated/numpy.lib.format.html), versions 1 to 3: bytes ⇄ one array.
// Numbers come out as float64 in C order, whatever they were. Pickled objects are never read. Knows no file system.
import { DataError } from "./errors.ts";

export interface NpyArray {
  readonly shape: readonly number[];
  /** In C order, a view of the bytes that were read where these are float64 already; text arrays give their strings. */
  readonly data: Float64Array | readonly string[];
  /** What the file holds, as NumPy calls it: `float32`, `int64`, …, or `text`. */
  readonly dtype: string;
}

type Read = (view: DataView, at: number, little: boolean) => number;

/** NumPy's kind and item size → how to read one number. int64 beyond 2^53 is rounded. */
export const NUMBER_READERS: Readonly<Record<string, Read>> = {
  f2: (view, at, little) => toFloat16(view.getUint16(at, little)),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
  i1: (view, at) => view.getInt8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  b1: (view, at) => view.getUint8(at),
};

/** The number with these bits: sign, 5 of exponent, 10 of fraction (IEEE 754, binary16). */
function toFloat16(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits >> 15 === 1 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return (sign * fraction) / 16_777_216;
  return (sign * (1024 + fraction) * (1 << exponent)) / 33_554_432;
}

/** What else may stand there, as people call it. */
const OTHERS: Readonly<Record<string, string>> = {
  f: "floats of another width",
  c: "complex numbers",
  S: "bytes",
  V: "records",
  M: "dates",
  m: "time spans",
  U: "text",
};

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const MAX_DIMENSIONS = 32; // NumPy 1's own limit

/**
 * Reads one array. `source` names it in errors, `objectAdvice` says what to do about Python objects. Throws DataError.
 */
export function readNpy(
  bytes: Uint8Array,
  source: string,
  objectAdvice = "convert it with np.asarray(…, dtype=float) and save again",
): NpyArray {
  const fail = (message: string): never => {
    throw new DataError(source, message);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) fail(`does not start like an array of NumPy: write it with np.save or np.savez`);
  const version = bytes[6];
  if (!(version >= 1 && version <= 3)) fail(`is in npy version ${version}, expected 1 to 3`);
  const prefix = version === 1 ? 10 : 12;
  if (bytes.length < prefix) fail(`is cut short: ${bytes.length} bytes, not even a header`);
  const start = prefix + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (start > bytes.length) fail(`is cut short: ${bytes.length} bytes, where the header alone claims ${start}`);
  const header = new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(bytes.subarray(prefix, start));

  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  if (descr === undefined && /'descr':\s*\[/.test(header))
    fail("holds records of several fields, expected plain numbers: save each field by itself");
  const fortran = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const dimensions = /'shape':\s*\(([\d\s,L]*)\)/.exec(header)?.[1];
  const [, order, kind, size] = /^([<>|=]?)([A-Za-z])(\d*)/.exec(descr ?? "") ?? [];
  if (kind === undefined || fortran === undefined || dimensions === undefined)
    return fail("has a header that cannot be read: it is damaged");
  if (kind === "O") fail(`holds Python objects (a pickle), which are never read: ${objectAdvice}`);
  const read = NUMBER_READERS[kind + size];
  if (read === undefined && kind !== "U")
    fail(
      `holds ${OTHERS[kind] ?? "something unknown"} (${descr}), expected floats, whole numbers or bool: save it with .astype('float64')`,
    );

  const shape = (dimensions.match(/\d+/g) ?? []).map(Number);
  if (shape.length > MAX_DIMENSIONS || !shape.every(Number.isSafeInteger))
    fail(`claims an absurd shape (${dimensions.slice(0, 40)}…): it is damaged`);
  const count = shape.reduce((product, size) => product * size, 1);
  const width = Number(size) * (kind === "U" ? 4 : 1);
  if (width === 0) fail("holds text of no width: it is damaged"); // any shape would fit
  if (start + count * width !== bytes.length)
    fail(
      `has ${bytes.length - start} bytes of data, but its header claims ${showShape(shape)} of ${width} bytes each: it is cut short or damaged`,
    );

  const little = order !== ">";
  if (kind === "U") return { shape, data: readText(view, start, count, width, little, fail), dtype: "text" };
  const isFloat64 = kind + size === "f8" && little && (bytes.byteOffset + start) % 8 === 0; // NumPy aligns its data to 64 bytes
  const data = isFloat64 ? new Float64Array(bytes.buffer, bytes.byteOffset + start, count) : new Float64Array(count);
  if (!isFloat64) for (let i = 0; i < count; i++) data[i] = read(view, start + i * width, little);
  return { shape, data: fortran === "True" ? toCOrder(data, shape) : data, dtype: nameOf(kind, width) };
}

/** `f`, 4 → `float32` */
function nameOf(kind: string, width: number): string {
  return kind === "b" ? "bool" : `${kind === "f" ? "float" : kind === "i" ? "int" : "uint"}${8 * width}`;
}

/** Fixed-width UTF-32, filled up with zeros. */
function readText(
  view: DataView,
  start: number,
  count: number,
  width: number,
  little: boolean,
  fail: (message: string) => never,
): string[] {
  return Array.from({ length: count }, (_, i) => {
    let text = "";
    for (let at = start + i * width; at < start + (i + 1) * width; at += 4) {
      const code = view.getUint32(at, little);
      if (code > 0x10ffff) fail("holds text that is not Unicode: it is damaged");
      if (code !== 0) text += String.fromCodePoint(code);
    }
    return text;
  });
}

/** First index fastest → last index fastest. */
function toCOrder(data: Float64Array, shape: readonly number[]): Float64Array {
  const out = new Float64Array(data.length);
  const index = shape.map(() => 0);
  for (let at = 0; at < data.length; at++) {
    let target = 0;
    for (let d = 0; d < shape.length; d++) target = target * shape[d] + index[d];
    out[target] = data[at];
    for (let d = 0; d < shape.length && ++index[d] === shape[d]; d++) index[d] = 0;
  }
  return out;
}

/** `(3, 10, 5)`, as NumPy shows it. */
export function showShape(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

/** Writes one array of `shape`, version 1.0, C order. */
export function encodeNpy(
  data: Float64Array | Float32Array | Uint8Array | readonly string[],
  shape: readonly number[],
): Uint8Array<ArrayBuffer> {
  const [descr, content] =
    data instanceof Float64Array
      ? ["<f8", data]
      : data instanceof Float32Array
        ? ["<f4", data]
        : data instanceof Uint8Array
          ? ["|u1", data]
          : encodeText(data as readonly string[]);
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${showShape(shape)}, }`;
  const start = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + content.byteLength).fill(0x20, 0, start);
  bytes.set([...MAGIC, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, start - 10, true);
  bytes.set(new TextEncoder().encode(dictionary), 10);
  bytes[start - 1] = 0x0a;
  bytes.set(new Uint8Array(content.buffer, content.byteOffset, content.byteLength), start);
  return bytes;
}

function encodeText(texts: readonly string[]): [descr: string, content: Uint32Array] {
  const codes = texts.map((text) => Array.from(text, (character) => character.codePointAt(0) ?? 0));
  const width = Math.max(1, ...codes.map((text) => text.length));
  const content = new Uint32Array(texts.length * width);
  for (const [i, text] of codes.entries()) content.set(text, i * width);
  return [`<U${width}`, content];
}
