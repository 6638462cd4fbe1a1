// Reads an HDF5 file with the HDF5 library itself, compiled to wasm, in a thread of its own: whatever a damaged file makes of it
// stays here. Its file system is memory alone, so that a file cannot name others of this machine.
import { parentPort, workerData } from "node:worker_threads";
import h5wasm, { type Attribute, Dataset, Group } from "h5wasm";
import { halfToNumber } from "../contract/half-float.ts";
import type { Hdf5 } from "./hdf5.ts";

/** A convolution of Keras 1 over steps has four. */
const MAX_AXES = 4;
/** Groups, arrays and attributes: a model of a few layers has some dozens (measured). */
const MAX_ENTRIES = 10_000;
/** Keras nests its arrays up to 6 deep (measured). */
const MAX_DEPTH = 16;
/** Of numbers in all arrays together: an LSTM of 2048 units has half of it. */
const MAX_NUMBERS = 2 ** 25;
/** Of one attribute: the config of a model is one. */
const MAX_TEXT_BYTES = 1 << 24;

/** HDF5's classes of types by their numbers; the others are named as such. */
const CLASSES: Readonly<Record<number, string>> = { 0: "whole numbers", 1: "floats", 3: "texts", 5: "opaque values", 8: "an enumeration" };
/**
 * The rest of the message of a floating-point type of two bytes, from its size on, as IEEE 754 and NumPy's float16 have it: 16 bits from
 * bit 0, exponent of 5 bits at bit 10, fraction of 10 at bit 0, bias 15 (HDF5 File Format Specification, IV.A.2.d).
 */
const IEEE_HALF = [2, 0, 0, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0];
const FLOAT_CLASS = 1;

const { bytes } = workerData as { bytes: Uint8Array };
const library = await h5wasm.ready;
library.FS.writeFile("model.h5", bytes);
const attributes: Hdf5["attributes"] = new Map();
const arrays: Hdf5["arrays"] = new Map();
const unread: Hdf5["unread"] = new Map();
let entries = 0;
let numbers = 0;

function collectAttributes(path: string, found: Record<string, Attribute>): void {
  for (const [name, attribute] of Object.entries(found)) {
    const { size, total_size } = attribute.metadata;
    if (size * total_size > MAX_TEXT_BYTES || ++entries > MAX_ENTRIES) throw new RangeError("more text than a model has");
    const { value } = attribute;
    if (typeof value === "string") attributes.set(`${path}@${name}`, value);
    else if (Array.isArray(value) && value.every((part) => typeof part === "string")) attributes.set(`${path}@${name}`, value as string[]);
  }
}

function walk(group: Group, path: string, depth: number): void {
  collectAttributes(path, group.attrs);
  for (const key of group.keys()) {
    if (++entries > MAX_ENTRIES || depth > MAX_DEPTH) throw new RangeError("more groups than a model has");
    if (key === "optimizer_weights" || key === "optimizer") continue;
    const entry = group.get(key);
    const at = path === "" ? key : `${path}/${key}`;
    if (entry instanceof Group) walk(entry, at, depth + 1);
    if (!(entry instanceof Dataset)) continue;
    const shape = entry.shape ?? [];
    if (shape.length > MAX_AXES) continue;
    const type = unreadable(entry);
    if (type !== null) {
      if (countOf(entry) > 1) unread.set(at, type); // a single one is a count of steps or the like
      continue;
    }
    numbers += countOf(entry);
    if (numbers > MAX_NUMBERS) throw new RangeError(`${at} claims ${shape.join(" × ")} numbers, more than a model has`);
    arrays.set(at, { shape, data: readNumbers(entry) });
  }
}

function countOf({ shape }: Dataset): number {
  return (shape ?? []).reduce((product, size) => product * size, 1);
}

/** What an array holds in place of float16, float32 or float64; null where its numbers are read. */
function unreadable({ metadata: { type, size } }: Dataset): string | null {
  if (type !== FLOAT_CLASS) return `${CLASSES[type] ?? `HDF5's type ${type}`} of ${8 * size} bits`;
  if (size === 2) return hasOtherHalves ? "floats of 16 bits that are not IEEE 754's (bfloat16, perhaps)" : null;
  return size === 4 || size === 8 ? null : `floats of ${8 * size} bits`;
}

/** The library tells types by their size alone; the description of each is in the file's bytes. */
function findOtherHalves(): boolean {
  const size = Buffer.from(IEEE_HALF.slice(0, 8));
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = file.indexOf(size); at >= 0; at = file.indexOf(size, at + 1)) {
    const isFloat = at >= 4 && (file[at - 4] & 0x0f) === FLOAT_CLASS;
    if (isFloat && IEEE_HALF.some((byte, k) => file[at + k] !== byte)) return true;
  }
  return false;
}

function readNumbers(array: Dataset): Float64Array {
  if (array.metadata.size === 2) return readHalves(array);
  const { value } = array;
  return typeof value === "number" ? Float64Array.of(value) : Float64Array.from(value as Float64Array);
}

/** The library reads halves as bytes, little-endian as every number, and makes no numbers of them. */
function readHalves(array: Dataset): Float64Array {
  const count = countOf(array);
  const address = library._malloc(2 * count);
  library.get_dataset_data(array.file_id, array.path, null, null, null, BigInt(address));
  const view = new DataView(library.HEAPU8.slice(address, address + 2 * count).buffer);
  library._free(address);
  return Float64Array.from({ length: count }, (_, k) => halfToNumber(view.getUint16(2 * k, true)));
}

const hasOtherHalves = findOtherHalves();
walk(new h5wasm.File("model.h5", "r"), "", 0);
parentPort?.postMessage({ attributes, arrays, unread } satisfies Hdf5);
