// The safetensors frame (github.com/huggingface/safetensors): a u64 little-endian header length, a JSON header, raw data.
// Knows where tensors lie, not what they mean: which names, types and shapes are expected is the caller's to check.

/** Arrays that can be written, one a tensor; in C order. */
export type TensorData = Float64Array | Float32Array | Uint32Array | Uint16Array | Uint8Array;

/** Widest first. */
export const DTYPES = { F64: Float64Array, F32: Float32Array, U32: Uint32Array, U16: Uint16Array, U8: Uint8Array } as const;
export type Dtype = keyof typeof DTYPES;

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** Tensors laid end to end, without holes, as the format wants them. */
export interface PackedTensors {
  /** name → `{dtype, shape, data_offsets}`, in the order of the data */
  readonly entries: Readonly<Record<string, unknown>>;
  readonly data: Uint8Array<ArrayBuffer>;
}

export interface Frame {
  /** `__metadata__` as the header has it, unchecked; undefined where there is none. */
  readonly metadata: unknown;
  /** Every other key of the header, unchecked: name → what should be `{dtype, shape, data_offsets}`, offsets into `data`. */
  readonly entries: Readonly<Record<string, unknown>>;
  /** The byte of the file at which `data` begins. */
  readonly dataStart: number;
  /** A view of the file's bytes: nothing is copied. */
  readonly data: Uint8Array;
}

/**
 * Takes a file apart. The header may have up to `maxHeaderBytes`. What is wrong goes to `fail` as one clause that begins with
 * "the file" or "the header"; `fail` throws the caller's own error.
 */
export function decodeFrame(bytes: Uint8Array, maxHeaderBytes: number, fail: (message: string) => never): Frame {
  if (bytes.length < 8) fail(`the file has ${bytes.length} bytes, expected a safetensors header`);
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (headerBytes > maxHeaderBytes)
    fail(
      `the file is no safetensors file, or damaged: the first 8 bytes claim a header of ${headerBytes} bytes, expected at most ${maxHeaderBytes}`,
    );
  const dataStart = 8 + headerBytes;
  if (dataStart > bytes.length)
    fail(`the header claims ${headerBytes} bytes, but the file has ${bytes.length}: the file is cut short or damaged`);
  const { __metadata__, ...entries } = parseHeader(bytes.subarray(8, dataStart), fail);
  return { metadata: __metadata__, entries, dataStart, data: bytes.subarray(dataStart) };
}

function parseHeader(bytes: Uint8Array, fail: (message: string) => never): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return fail("the header is not JSON: the file is damaged, or no safetensors file");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header))
    return fail("the header is not a JSON object: the file is damaged");
  return header as Record<string, unknown>;
}

/** Lays `tensors` end to end in the order given. Alignment within the data is the caller's: widest types first keeps it. */
export function packTensors(tensors: Readonly<Record<string, Tensor>>): PackedTensors {
  const entries: Record<string, unknown> = {};
  let end = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    entries[name] = { dtype: dtypeOf(data), shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const packed = new Uint8Array(end);
  let offset = 0;
  for (const { data } of Object.values(tensors)) {
    packed.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return { entries, data: packed };
}

/** Puts a file together. The header is padded with spaces, as the format allows, so that the data begins at a multiple of `alignment`. */
export function encodeFrame(
  metadata: Readonly<Record<string, string>>,
  { entries, data }: PackedTensors,
  alignment: number,
): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata, ...entries }));
  const dataStart = Math.ceil((8 + json.length) / alignment) * alignment;
  const bytes = new Uint8Array(dataStart + data.length).fill(0x20, 0, dataStart);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  bytes.set(json, 8);
  bytes.set(data, dataStart);
  return bytes;
}

function dtypeOf(data: TensorData): Dtype {
  return (Object.keys(DTYPES) as Dtype[]).find((dtype) => data instanceof DTYPES[dtype])!;
}
