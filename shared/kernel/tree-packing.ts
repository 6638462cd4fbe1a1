// An ensemble's arrays, as shared/trees.ts says, as trees.ts and tree-batch.ts take them. Here, since JavaScript that runs once runs slowly.
// Owns no memory: every address is the caller's, in bytes.

/** As in shared/trees.ts. */
const LEAF: u32 = 0xffff;

/** The node behind tree `t`, whose roots lie at `roots`, of `trees` trees of `nodes` nodes. */
// @ts-ignore: decorator
@inline
function endOf(t: usize, roots: usize, trees: usize, nodes: usize): usize {
  return t + 1 < trees ? <usize>load<u32>(roots + (t << 2), 4) : nodes;
}

/** Planes of a tree of so many nodes. */
// @ts-ignore: decorator
@inline
function planesOf(nodes: usize): usize {
  return (nodes + 15) >> 4;
}

/** Leaves to the left of a split. */
// @ts-ignore: decorator
@inline
function leftOf(node: usize, next: usize): usize {
  return (<usize>load<u32>(next + (node << 2)) - node) >> 1;
}

/** Writes a program, and its leaves to `out`. */
export function writeProgram(
  nodes: usize,
  trees: usize,
  roots: usize,
  column: usize,
  edge: usize,
  next: usize,
  leaves: usize,
  program: usize,
  out: usize,
): void {
  for (let t: usize = 0; t < trees; t++) {
    const root = <usize>load<u32>(roots + (t << 2));
    const end = endOf(t, roots, trees, nodes);
    const planes = planesOf(end - root);
    store<u32>(program, planes);
    program += 4;
    for (let plane = planes; plane--; ) program = writePlane(root, end, <i32>plane << 3, column, edge, next, program);
    const count = (end - root + 1) >> 1;
    for (let i: usize = 0; i < count; i++) store<f64>(out + (i << 3), load<f32>(leaves + (i << 2)));
    leaves += count << 2;
    out += planes << 6;
  }
}

/** Writes the plane of eight leaves from `first` on: its splits are those that have some of them to their left. Returns its end. */
function writePlane(root: usize, end: usize, first: i32, column: usize, edge: usize, next: usize, program: usize): usize {
  let at = program + 4;
  let before = -first; // leaves
  for (let node = root; node < end; node++) {
    const v = load<u16>(column + (node << 1));
    if (v == LEAF) {
      before++;
      continue;
    }
    const behind = before + <i32>leftOf(node, next);
    if (before >= 8 || behind <= 0) continue;
    const stored = <u32>load<u16>(edge + (node << 1));
    store<u16>(at, (v << 6) + ((stored >> 15) << 5));
    store<u8>(at, <u8>((stored & 0xff) + 1 - 128), 2);
    store<u8>(at, <u8>((<i32>0xff << min<i32>(behind, 8)) | ((<i32>1 << max<i32>(before, 0)) - 1)), 3);
    at += 4;
  }
  store<u32>(program, (at - program - 4) >> 2);
  return at;
}
