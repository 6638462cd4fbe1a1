// Numbers equal blocks of words alike, by hashing and then comparing. Knows nothing of what the words mean.
import { freeNow } from "../readers/free-now.ts";

export interface Interned {
  /** (blocks) 0 … count − 1 by first appearance; −1 where the block is not used. */
  readonly ids: Int32Array;
  readonly count: number;
}

/** Interns blocks of `width` words; those where `isUsed` is 0 are passed over. */
export function intern(words: Int32Array, width: number, isUsed: Uint8Array | null): Interned {
  const blocks = words.length / width;
  const ids = new Int32Array(blocks).fill(-1);
  const used = isUsed === null ? blocks : isUsed.reduce((sum, is) => sum + (is === 0 ? 0 : 1), 0);
  const size = Math.ceil(1.5 * used) + 1;
  const slots = new Int32Array(size).fill(-1); // first blocks by open addressing, at most two thirds full
  let count = 0;
  for (let block = 0; block < blocks; block++) {
    if (isUsed !== null && isUsed[block] === 0) continue;
    const at = block * width;
    let hash = 0;
    for (let i = 0; i < width; i++) {
      hash = Math.imul(hash ^ words[at + i], 0x9e3779b1); // 2^32 / golden ratio (Knuth, TAOCP 6.4)
      hash ^= hash >>> 15;
    }
    let slot = Math.floor((hash >>> 0) * (size / 2 ** 32)); // by its high bits, which a product mixes best
    while (slots[slot] >= 0 && !equal(words, slots[slot] * width, at, width)) slot = slot + 1 === size ? 0 : slot + 1;
    if (slots[slot] < 0) {
      slots[slot] = block;
      ids[block] = count++;
    } else ids[block] = ids[slots[slot]];
  }
  freeNow(slots);
  return { ids, count };
}

/** (count) the block where each number stands first. */
export function firstBlocks({ ids, count }: Interned): Int32Array {
  const first = new Int32Array(count);
  for (let block = 0, next = 0; next < count; block++) if (ids[block] === next) first[next++] = block;
  return first;
}

function equal(words: Int32Array, a: number, b: number, width: number): boolean {
  for (let i = 0; i < width; i++) if (words[a + i] !== words[b + i]) return false;
  return true;
}
