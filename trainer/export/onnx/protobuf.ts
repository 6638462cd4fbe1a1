// Protocol Buffers' wire format, as much as ONNX needs (protobuf.dev/programming-guides/encoding): written and read.
// A message is the concatenation of its fields. Knows nothing of ONNX.

type Bytes = Uint8Array<ArrayBuffer>;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

export function message(...fields: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(fields.reduce((total, field) => total + field.length, 0));
  let at = 0;
  for (const field of fields) {
    out.set(field, at);
    at += field.length;
  }
  return out;
}

/** An int32, int64, bool or enum field. `value` is a whole number from 0 to 2^53 − 1. */
export function integerField(field: number, value: number): Bytes {
  return Uint8Array.from([...varint(field * 8 + VARINT), ...varint(value)]);
}

/** A bytes field or an embedded message. */
export function bytesField(field: number, value: Uint8Array): Bytes {
  return message(Uint8Array.from([...varint(field * 8 + LENGTH_DELIMITED), ...varint(value.length)]), value);
}

export function textField(field: number, value: string): Bytes {
  return bytesField(field, new TextEncoder().encode(value));
}

/** Seven bits a byte, lowest first; the eighth says that more follow. */
function varint(value: number): number[] {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`a varint must be a whole number from 0, got ${value}`);
  const out: number[] = [];
  while (value > 127) {
    out.push((value % 128) + 128);
    value = Math.floor(value / 128); // bit operators would cut at 32 bits
  }
  out.push(value);
  return out;
}

/** One field as it lies in a message: the bytes of a string, message or packed list, or a number's own bytes. */
export interface Field {
  readonly field: number;
  /** Of a varint, as int64; of fixed widths, nothing. */
  readonly integer: bigint | null;
  readonly bytes: Uint8Array;
}

/** The fields of a message, in order. Takes no more memory than the message has. Throws RangeError where it is cut short or damaged. */
export function* readFields(bytes: Uint8Array): Generator<Field> {
  for (let at = 0; at < bytes.length; ) {
    const key = readVarint(bytes, at);
    at = key.end;
    const field = Number(key.value >> 3n);
    const kind = Number(key.value & 7n);
    if (field === 0) throw new RangeError(`no field has the number 0, at byte ${at}`);
    if (kind === VARINT) {
      const { value, end } = readVarint(bytes, at);
      yield { field, integer: BigInt.asIntN(64, value), bytes: bytes.subarray(at, end) };
      at = end;
      continue;
    }
    let length = kind === FIXED64 ? 8 : kind === FIXED32 ? 4 : -1;
    if (kind === LENGTH_DELIMITED) {
      const { value, end } = readVarint(bytes, at);
      at = end;
      if (value > BigInt(bytes.length - at))
        throw new RangeError(`field ${field} claims ${value} bytes, where ${bytes.length - at} are left`);
      length = Number(value);
    }
    if (length < 0 || at + length > bytes.length) throw new RangeError(`field ${field} cannot be read at byte ${at}`);
    yield { field, integer: null, bytes: bytes.subarray(at, at + length) };
    at += length;
  }
}

/** The numbers of a packed list of varints, as int64. */
export function* readVarints(bytes: Uint8Array): Generator<bigint> {
  for (let at = 0; at < bytes.length; ) {
    const { value, end } = readVarint(bytes, at);
    yield BigInt.asIntN(64, value);
    at = end;
  }
}

function readVarint(bytes: Uint8Array, at: number): { value: bigint; end: number } {
  let value = 0n;
  for (let shift = 0n; shift < 70n && at < bytes.length; shift += 7n) {
    const byte = bytes[at++];
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return { value, end: at };
  }
  throw new RangeError(`a number without an end, at byte ${at}`);
}
