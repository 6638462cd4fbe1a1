// Sums of decision trees for one sequence, or for a block of them tree by tree, with the same bits: leaves are added in the order of
// the trees, in float64. Owns no memory: every address is the caller's, in bytes.
//
//   nodes   16 bytes each: threshold f64; u32 where in a row the split's value stands; u32 the right child's address. The left child
//           follows its parent. A leaf has itself for its right child and a NaN for its threshold, so a sequence that came to it stays;
//           what it adds, an f32, is the NaN's low half
//   trees   8 bytes each: u32 the root's address, u32 splits on the longest way to a leaf
//   walks   12 bytes each, the same trees by rising depth: a tree's two, then u32 the address of what it comes to. Their number is a
//           multiple of eight: walks that nobody asks for fill it up
//   found   f32 each: what every tree comes to, in the order of the trees
//   row     (V,2) f64: each column twice, for a missing value +∞, which goes right, then −∞, which goes left

/**
 * `count` columns of one sequence or several, which lie in the upper half of `rows`, become rows there: each is read before its place is
 * written.
 */
export function spreadColumns(rows: usize, count: usize): void {
  const missing = f64x2(Infinity, -Infinity);
  const end = rows + (count << 4);
  for (let from = rows + (count << 3); from < end; from += 8) {
    const x = v128.load64_splat(from);
    v128.store(rows, v128.bitselect(x, missing, f64x2.eq(x, x)));
    rows += 16;
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

/**
 * The logit of one sequence. Eight trees of like depth are walked at once, since a step waits for the one before; their values are added
 * in the order of the trees.
 */
export function treesOne(walks: usize, found: usize, count: usize, row: usize, base: f64): f64 {
  const end = walks + 96 * ((count + 7) >> 3);
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
  }
  let logit = base;
  const last = found + (count << 2);
  for (let at = found; at < last; at += 4) logit += f64(load<f32>(at));
  return logit;
}

/** Adds the trees to the logits of `quads` · 4 sequences at `logits` (f64), whose rows lie `stride` bytes apart. */
export function treesBlock(
  trees: usize,
  count: usize,
  rows: usize,
  stride: usize,
  quads: usize,
  logits: usize,
): void {
  const end = trees + (count << 3);
  for (let tree = trees; tree < end; tree += 8) {
    const root = <usize>load<u32>(tree);
    const depth = load<u32>(tree, 4);
    let row = rows;
    let logit = logits;
    for (let quad = quads; quad; quad--) {
      const rowB = row + stride;
      const rowC = rowB + stride;
      const rowD = rowC + stride;
      let a = root;
      let b = root;
      let c = root;
      let d = root;
      for (let steps = depth; steps; steps--) {
        a = step(a, row);
        b = step(b, rowB);
        c = step(c, rowC);
        d = step(d, rowD);
      }
      store<f64>(logit, load<f64>(logit, 0) + f64(valueOf(a)), 0);
      store<f64>(logit, load<f64>(logit, 8) + f64(valueOf(b)), 8);
      store<f64>(logit, load<f64>(logit, 16) + f64(valueOf(c)), 16);
      store<f64>(logit, load<f64>(logit, 24) + f64(valueOf(d)), 24);
      row = rowD + stride;
      logit += 32;
    }
  }
}
