// Protocol Buffers' wire format, as much as writing a message needs (protobuf.dev/programming-guides/encoding).
// A message is the concatenation of its fields. Knows nothing of ONNX.

type Bytes = Uint8Array<ArrayBuffer>;

const VARINT = 0;
const LENGTH_DELIMITED = 2;

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
