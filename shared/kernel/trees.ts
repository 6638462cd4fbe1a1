// Sums of decision trees for one sequence, which walks them: leaves are added in the order of the trees, in float64. Owns no memory: every
// address is the caller's, in bytes. Batches go another way, in tree-batch.ts.
//
//   nodes   16 bytes each: threshold f64; u32 where in a row the split's value stands; u32 the right child's address. The left child
//           follows its parent. A leaf has itself for its right child and a NaN for its threshold, so a sequence that came to it stays;
//           what it adds, an f32, is the NaN's low half
//   walks   12 bytes each: u32 a tree's root, u32 splits on the longest way to a leaf, u32 the address of what it comes to. Each WINDOW of
//           the trees has its walks by rising depth. Their number is a multiple of eight: walks that nobody asks for fill it up
//   found   f32 each: what every tree comes to, in the order of the trees
//   row     (V,2) f64: each column twice, for a missing value +∞, which goes right, then −∞, which goes left

/** `count` columns, which lie in the upper half of `row`, become a row there: each is read before its place is written. */
export function spreadColumns(row: usize, count: usize): void {
  const missing = f64x2(Infinity, -Infinity);
  const end = row + (count << 4);
  for (let from = row + (count << 3); from < end; from += 8) {
    const x = v128.load64_splat(from);
    v128.store(row, v128.bitselect(x, missing, f64x2.eq(x, x)));
    row += 16;
  }
}

/** Where a sequence goes on from `node`: no branch, since its way could not be foreseen. */
// @ts-ignore: decorator
@inline
function step(node: usize, row: usize): usize {
  return select<usize>(node + 16, <usize>load<u32>(node, 12), load<f64>(row + load<u32>(node, 8)) <= load<f64>(node));
}

/** What the leaf `node` adds. */
// @ts-ignore: decorator
@inline
function valueOf(node: usize): f32 {
  return load<f32>(node);
}

/** Puts what the walk at `walk`, which came to `node`, adds where it belongs. */
// @ts-ignore: decorator
@inline
function put(walk: usize, node: usize): void {
  store<f32>(<usize>load<u32>(walk, 8), valueOf(node));
}

/** Trees whose walks are ordered among themselves, a multiple of eight: their leaves are added while the next ones are walked. */
const WINDOW: usize = 128;

export function treesWindow(): usize {
  return WINDOW;
}

/**
 * The logit of one sequence. Eight trees of like depth are walked at once, since a step waits for the one before; their values are added
 * in the order of the trees.
 */
export function treesOne(walks: usize, found: usize, count: usize, row: usize, base: f64): f64 {
  const end = walks + 96 * ((count + 7) >> 3);
  const second = walks + 12 * WINDOW;
  let at = found;
  let logit = base;
  for (let walk = walks; walk < end; walk += 96) {
    let a = <usize>load<u32>(walk, 0);
    let b = <usize>load<u32>(walk, 12);
    let c = <usize>load<u32>(walk, 24);
    let d = <usize>load<u32>(walk, 36);
    let e = <usize>load<u32>(walk, 48);
    let f = <usize>load<u32>(walk, 60);
    let g = <usize>load<u32>(walk, 72);
    let h = <usize>load<u32>(walk, 84);
    for (let steps = load<u32>(walk, 88); steps; steps--) {
      a = step(a, row);
      b = step(b, row);
      c = step(c, row);
      d = step(d, row);
      e = step(e, row);
      f = step(f, row);
      g = step(g, row);
      h = step(h, row);
    }
    put(walk, a);
    put(walk + 12, b);
    put(walk + 24, c);
    put(walk + 36, d);
    put(walk + 48, e);
    put(walk + 60, f);
    put(walk + 72, g);
    put(walk + 84, h);
    if (walk < second) continue;
    for (const next = at + 32; at < next; at += 4) logit += f64(load<f32>(at));
  }
  for (const last = found + (count << 2); at < last; at += 4) logit += f64(load<f32>(at));
  return logit;
}
