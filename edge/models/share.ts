// Which requests a challenger answers: a part of them, the same key always alike, in every isolate.
import { fnv1a } from "../http/hashes.ts";

/** Whether `key` is in the part `share`, 0 to 1, of the keys; `salt`: another one draws another part. FNV-1a, then MurmurHash3's finaliser, which evens out the high bits. */
export function isInShare(key: string, salt: string, share: number): boolean {
  let hash = fnv1a(`${salt} ${key}`);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296 < share;
}
