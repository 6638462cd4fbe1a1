// Reads an HDF5 file with the HDF5 library itself, compiled to wasm, in a thread of its own: whatever a damaged file makes of it
// stays here. Its file system is memory alone, so that a file cannot name others of this machine.
import { parentPort, workerData } from "node:worker_threads";
import h5wasm, { type Attribute, Dataset, Group } from "h5wasm";
import type { Hdf5 } from "./hdf5.ts";

/** Groups, arrays and attributes: a model of a few layers has some dozens (measured). */
const MAX_ENTRIES = 10_000;
/** Keras nests its arrays up to 6 deep (measured). */
const MAX_DEPTH = 16;
/** Of numbers in all arrays together: an LSTM of 2048 units has half of it. */
const MAX_NUMBERS = 2 ** 25;
/** Of one attribute: the config of a model is one. */
const MAX_TEXT_BYTES = 1 << 24;

const { bytes } = workerData as { bytes: Uint8Array };
const { FS } = await h5wasm.ready;
FS.writeFile("model.h5", bytes);
const attributes: Hdf5["attributes"] = new Map();
const arrays: Hdf5["arrays"] = new Map();
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
    const count = shape.reduce((product, size) => product * size, 1);
    if (!/^[<>]?[fd]$/.test(String(entry.dtype)) || shape.length > 3) continue; // step counts and the like
    numbers += count;
    if (numbers > MAX_NUMBERS) throw new RangeError(`${at} claims ${shape.join(" × ")} numbers, more than a model has`);
    const { value } = entry;
    arrays.set(at, { shape, data: typeof value === "number" ? Float64Array.of(value) : Float64Array.from(value as Float64Array) });
  }
}

walk(new h5wasm.File("model.h5", "r"), "", 0);
parentPort?.postMessage({ attributes, arrays } satisfies Hdf5);
