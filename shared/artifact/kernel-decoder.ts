// The parts of decoding that go number by number, done by the kernel: at a start, JavaScript's own take several times as long. Says only
// that something is wrong; what it is, the decoder's own code finds out.
import { align, copyArrays, growMemory, type Kernel, measureCopies } from "../kernel-instance.ts";
import type { TreeEnsemble } from "../trees.ts";
import { crc32 } from "./crc32.ts";

/** Of the kernel's memory, which never shrinks, so much is used at most: larger ensembles go the slow way. */
const MAX_BYTES = 1 << 20;
/** Bytes that go through the memory at once. */
const CHUNK = 1 << 16;
/** Of crc32, and of joinNodes. */
const TABLE_BYTES = 4096;
const WAITING_BYTES = 8 * 65;

export interface Nodes extends Pick<TreeEnsemble, "roots" | "column" | "edge" | "next"> {
  readonly leafCount: number;
}

/** A kernel whose memory nobody else uses, but for log, exp and the activations. */
export type DecodingKernel = Pick<Kernel, "memory" | "prepare" | "crc32" | "areAscending" | "joinNodes">;

/** As crc32. */
export function crc32With(kernel: DecodingKernel | undefined, bytes: Uint8Array, crc: number): number {
  if (kernel === undefined) return crc32(bytes, crc);
  const tables = kernel.prepare();
  const at = tables + TABLE_BYTES;
  growMemory(kernel, at + CHUNK);
  const memory = new Uint8Array(kernel.memory.buffer);
  let result = crc;
  for (let start = 0; start < bytes.length; start += CHUNK) {
    const chunk = bytes.subarray(start, start + CHUNK);
    memory.set(chunk, at);
    result = kernel.crc32(tables, at, chunk.length, result);
  }
  return result >>> 0;
}

/**
 * An ensemble's nodes of what the file says of them: `stored` (nodes) columns, `numbers` (nodes) edges; `edges` must ascend in a column.
 * Undefined where they are no trees, or too many.
 */
export function joinWith(
  kernel: DecodingKernel,
  stored: Uint16Array,
  numbers: Uint8Array,
  edgeStart: Uint32Array,
  edges: Float64Array,
): Nodes | undefined {
  const count = stored.length;
  const given = [edgeStart, edges, stored, numbers];
  const first = align(kernel.prepare());
  const waiting = first + measureCopies(given);
  const [next, roots, edge] = [0, 4, 8].map((bytes) => waiting + WAITING_BYTES + bytes * count);
  const end = edge + 2 * count;
  if (end - first > MAX_BYTES) return undefined;
  growMemory(kernel, end);
  const { buffer } = kernel.memory;
  const [starts, sorted, column, from] = copyArrays(buffer, first, given);
  const V = edgeStart.length - 1;
  if (!kernel.areAscending(V, starts, sorted)) return undefined;
  const trees = kernel.joinNodes(count, V, starts, column, from, edge, next, roots, waiting);
  if (trees < 0) return undefined;
  return {
    roots: new Uint32Array(buffer, roots, trees).slice(),
    column: new Uint16Array(buffer, column, count).slice(),
    edge: new Uint16Array(buffer, edge, count).slice(),
    next: new Uint32Array(buffer, next, count).slice(),
    leafCount: (count + trees) / 2, // a tree has one leaf more than splits
  };
}
