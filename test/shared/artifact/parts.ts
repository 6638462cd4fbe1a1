// Artifacts taken apart and put together, so that a test can put one thing wrong.

/** An artifact taken apart so that a test can put one thing wrong. */
export interface Parts {
  // biome-ignore lint/suspicious/noExplicitAny: a test writes into it whatever it likes
  header: Record<string, any>;
  /** The JSON texts of `__metadata__`, parsed. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  metadata: Record<string, any>;
  data: Uint8Array<ArrayBuffer>;
}

const TEXTS = ["format", "name", "checksum"];

/** The header, its metadata parsed, and the data, copied. */
export function takeApart(artifact: Uint8Array<ArrayBuffer>): Parts {
  const headerBytes = Number(new DataView(artifact.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(artifact.subarray(8, 8 + headerBytes)));
  const metadata = Object.fromEntries(
    Object.entries<string>(header.__metadata__).map(([key, text]) => [key, TEXTS.includes(key) ? text : JSON.parse(text)]),
  );
  return { header, metadata, data: artifact.slice(8 + headerBytes) };
}

/** An artifact again; its checksum is as it was. */
export function putTogether({ header, metadata, data }: Parts): Uint8Array<ArrayBuffer> {
  const __metadata__ = Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [key, TEXTS.includes(key) ? value : JSON.stringify(value)]),
  );
  return frame(JSON.stringify({ ...header, __metadata__ }), data);
}

/** A safetensors file of a header. */
export function frame(header: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(header);
  const padded = Math.ceil((8 + json.length) / 16) * 16 - 8;
  const out = new Uint8Array(8 + padded + data.length).fill(0x20);
  new DataView(out.buffer).setBigUint64(0, BigInt(padded), true);
  out.set(json, 8);
  out.set(data, 8 + padded);
  return out;
}

/** A view of one tensor's values inside `data`. */
export function tensor<T>(
  parts: Parts,
  name: string,
  type: { new (buffer: ArrayBuffer, offset: number, length: number): T; BYTES_PER_ELEMENT: number },
): T {
  const [from, to] = parts.header[name].data_offsets;
  return new type(parts.data.buffer, from, (to - from) / type.BYTES_PER_ELEMENT);
}
