// What a start does number by number with an artifact. Here, since JavaScript that runs once runs slowly, and the optimised code that V8
// makes of it takes more of a start's CPU than the work itself (measured). Owns no memory: every address is the caller's, in bytes.
// shared/artifact/kernel-decoder.ts and shared/trees-scorer.ts say what lies where.

// As in shared/trees.ts and shared/artifact/member-tensors.ts.
const LEAF: u32 = 0xffff;
const MISSING_LEFT: u32 = 0x8000;
const MAX_DEPTH: u32 = 64;
/** The high half of a NaN. */
const NAN_HIGH: u32 = 0x7ff80000;

/** As shared/artifact/crc32.ts, which is tested against zlib's. `tables`: 4 KiB that are overwritten. */
export function crc32(tables: usize, at: usize, length: usize, crc: u32): u32 {
  makeTables(tables);
  const end = at + length;
  const whole = at + (length & ~3);
  let c = ~crc;
  for (; at < whole; at += 4) {
    c ^= load<u32>(at);
    c =
      load<u32>(tables + ((c & 0xff) << 2), 3072) ^
      load<u32>(tables + (((c >> 8) & 0xff) << 2), 2048) ^
      load<u32>(tables + (((c >> 16) & 0xff) << 2), 1024) ^
      load<u32>(tables + ((c >> 24) << 2));
  }
  for (; at < end; at++) c = (c >> 8) ^ load<u32>(tables + (((c ^ load<u8>(at)) & 0xff) << 2));
  return ~c;
}

/** Table k, of four: what a byte adds to the CRC when k more bytes follow it. */
function makeTables(tables: usize): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 8; bit; bit--) crc = (crc >> 1) ^ (0xedb88320 & (0 - (crc & 1)));
    store<u32>(tables + (byte << 2), crc);
  }
  for (let at = tables; at < tables + 3072; at += 4) {
    const crc = load<u32>(at);
    store<u32>(at, (crc >> 8) ^ load<u32>(tables + ((crc & 0xff) << 2)), 1024);
  }
}

/** Whether `edges` f64, those of column v from edgeStart[v] to edgeStart[v+1], ascend in each of V columns. */
export function areAscending(V: usize, edgeStart: usize, edges: usize): bool {
  for (let v: usize = 0; v < V; v++) {
    const last = edges + (load<u32>(edgeStart + (v << 2), 4) << 3) - 8;
    for (let at = edges + (load<u32>(edgeStart + (v << 2)) << 3); at < last; at += 8)
      if (!(load<f64>(at, 8) > load<f64>(at))) return false;
  }
  return true;
}

/**
 * Follows the preorder as joinNodes of shared/artifact/member-tensors.ts does. `column` u16, as stored, becomes the ensemble's; `numbers` u8
 * are its edges as stored. Writes `edge` u16, `next` u32, `roots` u32. `waiting`: 8 bytes for each split above a leaf, and one more.
 * Returns the number of trees, −1 where the nodes are no trees.
 */
export function joinNodes(
  count: usize,
  V: u32,
  edgeStart: usize,
  column: usize,
  numbers: usize,
  edge: usize,
  next: usize,
  roots: usize,
  waiting: usize,
): i32 {
  let trees = 0;
  let leaves: u32 = 0;
  let depth: u32 = 0; // splits above the node
  let isChild = false; // whether the node before is a split, whose left child this is
  let top = waiting;
  for (let node: usize = 0; node < count; node++) {
    if (!isChild) {
      if (top == waiting) {
        store<u32>(roots + (trees++ << 2), node);
        depth = 0;
      } else {
        top -= 8;
        store<u32>(next + (load<u32>(top) << 2), node);
        depth = load<u32>(top, 4) + 1;
      }
    }
    const stored = <u32>load<u16>(column + (node << 1));
    const number = <u32>load<u8>(numbers + node);
    isChild = stored != LEAF;
    if (!isChild) {
      if (number) return -1;
      store<u16>(edge + (node << 1), 0);
      store<u32>(next + (node << 2), leaves++);
      continue;
    }
    const v = stored & ~MISSING_LEFT;
    if (v >= V || number >= load<u32>(edgeStart + (v << 2), 4) - load<u32>(edgeStart + (v << 2))) return -1;
    store<u16>(column + (node << 1), v);
    store<u16>(edge + (node << 1), number | (stored & MISSING_LEFT));
    store<u32>(top, node);
    store<u32>(top, depth, 4);
    top += 8;
    if (++depth > MAX_DEPTH) return -1;
  }
  return isChild || top != waiting ? -1 : trees;
}

/**
 * An ensemble's arrays, as shared/trees.ts says, → `nodes`, as trees.ts has them, with thresholds instead of edge numbers. Writes to
 * `below` u8 the splits on the longest way from each node to a leaf.
 */
export function expandNodes(
  count: usize,
  column: usize,
  edge: usize,
  next: usize,
  edgeStart: usize,
  edges: usize,
  leaves: usize,
  below: usize,
  nodes: usize,
): void {
  for (let node = count; node--; ) {
    const at = nodes + (node << 4);
    const v = <usize>load<u16>(column + (node << 1));
    const to = <usize>load<u32>(next + (node << 2));
    if (v == LEAF) {
      store<u32>(at, load<u32>(leaves + (to << 2)), 0);
      store<u32>(at, NAN_HIGH, 4);
      store<u32>(at, 0, 8);
      store<u32>(at, at, 12);
      store<u8>(below + node, 0);
      continue;
    }
    const stored = <usize>load<u16>(edge + (node << 1));
    const e = load<u32>(edgeStart + (v << 2)) + (stored & 0x7fff);
    store<f64>(at, load<f64>(edges + (e << 3)));
    store<u32>(at, (v << 4) + ((stored >> 15) << 3), 8);
    store<u32>(at, nodes + (to << 4), 12);
    store<u8>(below + node, 1 + max(load<u8>(below + node, 1), load<u8>(below + to)));
  }
}
