// The weights of a model as tfjs stores them: a manifest of groups, each one run of bytes over its files (shards), plain or quantised
// (github.com/tensorflow/tfjs, tfjs-core/src/io/io_utils.ts, decodeWeights). Knows no model.
import { halfToNumber } from "../contract/half-float.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { Beside } from "../contract/said.ts";

/** An array by its name, in the order of the manifest. */
export interface NamedArray {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Far above any model: shapes are multiplied before anything is read. */
const MAX_NUMBERS = 2 ** 26;
const MAX_SHARDS = 10_000;

/** How one stored number is read: `bytes` wide. */
interface Storage {
  readonly bytes: number;
  read(view: DataView, at: number): number;
}

const STORAGE: ReadonlyMap<unknown, Storage> = new Map([
  ["float32", { bytes: 4, read: (view, at) => view.getFloat32(at, true) }],
  ["int32", { bytes: 4, read: (view, at) => view.getInt32(at, true) }],
  ["bool", { bytes: 1, read: (view, at) => view.getUint8(at) }],
  ["uint8", { bytes: 1, read: (view, at) => view.getUint8(at) }],
  ["uint16", { bytes: 2, read: (view, at) => view.getUint16(at, true) }],
  ["float16", { bytes: 2, read: (view, at) => halfToNumber(view.getUint16(at, true)) }],
] satisfies [string, Storage][]);

/** Reads every array that `manifest` lists. Throws DataError: another structure, types that are not read, shards that are missing or too short, numbers that are not finite. */
export function readWeights(manifest: unknown, beside: Beside, source: string): NamedArray[] {
  if (!Array.isArray(manifest)) return rejectFile(source, "has no weightsManifest", "save the whole model with model.save(…)");
  return manifest.flatMap((group: unknown) => {
    const { paths, weights } = (group ?? {}) as { paths?: unknown; weights?: unknown };
    if (!Array.isArray(paths) || !paths.every((path) => typeof path === "string") || !Array.isArray(weights) || paths.length > MAX_SHARDS)
      return rejectFile(source, "has a weightsManifest that cannot be read", "the file is damaged: save the model again");
    return readGroup(weights, joinShards(paths, beside, source), paths, source);
  });
}

function joinShards(paths: readonly string[], beside: Beside, source: string): Uint8Array {
  let total = 0;
  const shards = paths.map((path) => {
    const shard = beside(path);
    total += shard.length;
    if (total > 4 * MAX_NUMBERS)
      rejectFile(source, `has shards of more than ${4 * MAX_NUMBERS} bytes together`, "more than a model has: the file is damaged");
    return shard;
  });
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const shard of shards) {
    bytes.set(shard, at);
    at += shard.length;
  }
  return bytes;
}

function readGroup(weights: readonly unknown[], bytes: Uint8Array, paths: readonly string[], source: string): NamedArray[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  return weights.map((entry) => {
    const { name, shape, count, storage, widen } = readEntry(entry, source);
    const end = offset + count * storage.bytes;
    if (end > bytes.length)
      rejectFile(
        source,
        `${name} claims bytes ${offset} to ${end} of ${paths.join(", ")}, which have ${bytes.length}`,
        "a shard is cut short, or of another model",
      );
    const data = new Float64Array(count);
    for (let i = 0; i < count; i++) data[i] = widen(storage.read(view, offset + i * storage.bytes));
    if (!data.every(Number.isFinite)) rejectFile(source, `${name} holds a number that is not finite`, "the weights are damaged");
    offset = end;
    return { name, shape, data };
  });
}

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly count: number;
  readonly storage: Storage;
  widen(stored: number): number;
}

function readEntry(entry: unknown, source: string): Entry {
  const { name, shape, dtype, quantization } = (entry ?? {}) as Record<string, unknown>;
  if (typeof name !== "string" || !Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    return rejectFile(source, "describes a weight in a way that cannot be read", "the file is damaged: save the model again");
  const count = shape.reduce((product: number, size: number) => product * size, 1);
  if (!(count <= MAX_NUMBERS)) rejectFile(source, `${name} claims ${count} numbers, more than a model has`, "the file is damaged");
  const { dtype: quantised, scale, min } = (quantization ?? {}) as Record<string, unknown>;
  const storage = STORAGE.get(quantization === undefined || quantization === null ? dtype : quantised);
  if (storage === undefined)
    return rejectFile(
      source,
      `${name} is of type ${String(quantised ?? dtype)}`,
      "save the model in float32, or quantised to float16, uint16 or uint8",
    );
  if (quantised !== "uint8" && quantised !== "uint16") return { name, shape, count, storage, widen: (stored) => stored };
  if (!Number.isFinite(scale) || !Number.isFinite(min))
    return rejectFile(source, `${name} is quantised without a scale and a min`, "the file is damaged: convert the model again");
  // tfjs computes in double precision and stores float32
  return { name, shape, count, storage, widen: (stored) => Math.fround(stored * Number(scale) + Number(min)) };
}
