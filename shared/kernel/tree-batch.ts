// Sums of decision trees for 32 sequences side by side, with the bits of trees.ts. All splits of a tree are looked at: each that sends a
// sequence to the right crosses out the leaves to its left, and the first leaf that remains is the sequence's (Lucchese et al. 2015,
// QuickScorer). Eight leaves are the bits of a byte, a plane, and a sequence has a byte in a vector (Ye et al. 2018, RapidScorer).
// Owns no memory: every address is the caller's, in bytes.
//
//   program  tree after tree: u32 planes, then from its last eight leaves to its first a plane each: u32 splits, then these, 4 bytes each:
//            u16 where the split's lanes stand behind the first, i8 the edge's number + 1, u8 which leaves do not lie to its left
//   leaves   f64, in the order of the trees; each tree's fill up its planes
//   lanes    (V,2,32) i8: how many of a column's edges lie below a sequence's value. A missing value has 255, which goes right, and behind
//            all sequences' 0, which goes left. They and the numbers of the program are less 128: vectors are compared as signed
//   seekers  12 bytes for each column that has edges: u32 where its value stands behind the first, u32 the address of its first edge,
//            u32 how many it has
//   edges    f64, ascending in a column
//   logits   (32) f64
//   exits    (32) u8: which of a tree's leaves each sequence comes to

/**
 * Lanes of `size` sequences, in eights, whose columns lie at `columns`, `stride` bytes apart. Each edge is compared with eight values:
 * columns have few edges, and a search would wait for each step (measured: a third of the time).
 */
export function fillLanes(seekers: usize, count: usize, columns: usize, stride: usize, size: usize, lanes: usize): void {
  for (const end = seekers + 12 * count; seekers < end; seekers += 12) {
    const place = <usize>load<u32>(seekers);
    const edges = <usize>load<u32>(seekers, 4);
    const edgesEnd = edges + (<usize>load<u32>(seekers, 8) << 3);
    const to = lanes + (place << 3);
    for (let lane: usize = 0; lane < size; lane += 8) {
      const from = columns + place + lane * stride;
      const x0 = pairAt(from, stride);
      const x1 = pairAt(from + stride, stride);
      const x2 = pairAt(from + (stride << 1), stride);
      const x3 = pairAt(from + 3 * stride, stride);
      let n0 = i64x2.splat(0);
      let n1 = n0;
      let n2 = n0;
      let n3 = n0;
      for (let at = edges; at < edgesEnd; at += 8) {
        const edge = v128.load64_splat(at);
        n0 = i64x2.sub(n0, f64x2.lt(edge, x0));
        n1 = i64x2.sub(n1, f64x2.lt(edge, x1));
        n2 = i64x2.sub(n2, f64x2.lt(edge, x2));
        n3 = i64x2.sub(n3, f64x2.lt(edge, x3));
      }
      const numbers = joinBytes(n0, n1, n2, n3);
      putEight(to + lane, v128.or(numbers, joinBytes(missing(x0), missing(x1), missing(x2), missing(x3))));
      putEight(to + lane + 32, numbers);
    }
  }
}

/** A column's values of a sequence and of the fourth behind it. */
// @ts-ignore: decorator
@inline
function pairAt(from: usize, stride: usize): v128 {
  return v128.load64_lane(from + (stride << 2), v128.load64_zero(from), 1);
}

/** 255 where a value is missing, else 0. */
// @ts-ignore: decorator
@inline
function missing(x: v128): v128 {
  return v128.and(f64x2.ne(x, x), i64x2.splat(255));
}

/** Numbers below 256, i64x2 each, as the lowest bytes of two lanes of 64 bits. */
// @ts-ignore: decorator
@inline
function joinBytes(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.or(v128.or(a, i64x2.shl(b, 8)), v128.or(i64x2.shl(c, 16), i64x2.shl(d, 24)));
}

/** The numbers less 128. */
// @ts-ignore: decorator
@inline
function putEight(at: usize, numbers: v128): void {
  const bytes = v128.xor(numbers, i8x16.splat(-128));
  v128.store32_lane(at, bytes, 0, 0);
  v128.store32_lane(at, bytes, 2, 4);
}

/** The lowest bit of each byte that has one: 0 to 7. */
// @ts-ignore: decorator
@inline
function lowestBits(x: v128): v128 {
  const nibble = i8x16.splat(15);
  const low = i8x16.swizzle(i8x16(-1, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0, 1, 0), v128.and(x, nibble));
  const high = i8x16.swizzle(i8x16(-1, 4, 5, 4, 6, 4, 5, 4, 7, 4, 5, 4, 6, 4, 5, 4), v128.and(i16x8.shr_u(x, 4), nibble));
  return i8x16.min_u(low, high);
}

/** Adds `trees` trees to the logits. */
export function addTrees(program: usize, trees: usize, leaves: usize, lanes: usize, logits: usize, exits: usize): void {
  const all = i8x16.splat(-1);
  const none = i8x16.splat(0);
  for (; trees; trees--) {
    const size = <usize>load<u32>(program) << 3;
    program += 4;
    let left0 = all;
    let left1 = all;
    let start0 = none;
    let start1 = none;
    for (let first = size; first; ) {
      first -= 8;
      let plane0 = all;
      let plane1 = all;
      const end = program + (<usize>load<u32>(program) << 2) + 4;
      for (program += 4; program < end; program += 4) {
        const at = lanes + <usize>load<u16>(program);
        const number = v128.load8_splat(program, 2);
        const kept = v128.load8_splat(program, 3);
        plane0 = v128.and(plane0, v128.or(i8x16.gt_s(number, v128.load(at, 0)), kept));
        plane1 = v128.and(plane1, v128.or(i8x16.gt_s(number, v128.load(at, 16)), kept));
      }
      const start = i8x16.splat(i8(first));
      const isEmpty0 = i8x16.eq(plane0, none);
      const isEmpty1 = i8x16.eq(plane1, none);
      left0 = v128.bitselect(left0, plane0, isEmpty0);
      left1 = v128.bitselect(left1, plane1, isEmpty1);
      start0 = v128.bitselect(start0, start, isEmpty0);
      start1 = v128.bitselect(start1, start, isEmpty1);
    }
    v128.store(exits, i8x16.add(start0, lowestBits(left0)), 0);
    v128.store(exits, i8x16.add(start1, lowestBits(left1)), 16);
    let logit = logits;
    for (let exit = exits; exit < exits + 32; exit += 2) {
      const value = v128.load64_zero(leaves + (<usize>load<u8>(exit, 0) << 3));
      const values = v128.load64_lane(leaves + (<usize>load<u8>(exit, 1) << 3), value, 1);
      v128.store(logit, f64x2.add(v128.load(logit), values));
      logit += 16;
    }
    leaves += size << 3;
  }
}
