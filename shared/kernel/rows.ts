// Rows are moved, pooled and masked. A sequence's rows end where its length says: what lies behind is never part of a result.
// `lengths` are eight i32, one for each lane; of one sequence, eight times the same. Vectors of a row therefore take turns: an even one
// has lanes 0 … 3, an odd one 4 … 7.

// In the order of GLOBAL_POOLS in shared/networks/layers.ts.
const FIRST: i32 = 0;
const LAST: i32 = 1;
const MEAN: i32 = 2;
const MAX: i32 = 3;

/** Copies `rows` rows of `bytes`, a multiple of 4. */
export function copyColumns(rows: usize, bytes: usize, source: usize, sourceStride: usize, target: usize, targetStride: usize): void {
  const vectors = bytes & ~15;
  for (; rows; rows--) {
    for (let i: usize = 0; i < vectors; i += 16) v128.store(target + i, v128.load(source + i));
    for (let i = vectors; i < bytes; i += 4) store<f32>(target + i, load<f32>(source + i));
    source += sourceStride;
    target += targetStride;
  }
}

/** A step's C inputs of eight sequences, `stride` bytes apart, side by side to `target`. */
// @ts-ignore: decorator
@inline
export function takeInputs(C: usize, inputs: usize, stride: usize, target: usize): void {
  for (let c: usize = 0; c < C; c++) {
    let source = inputs + (c << 2);
    for (let lane: usize = 0; lane < 32; lane += 4) {
      store<f32>(target + (c << 5) + lane, load<f32>(source));
      source += stride;
    }
  }
}

/** Each lane's rows, the last first. Rows are `stride` bytes. */
export function reverseRows(lanes: usize, stride: usize, lengths: usize, source: usize, target: usize): void {
  for (let lane: usize = 0; lane < lanes; lane++) {
    const length: usize = load<u32>(lengths + (lane << 2));
    for (let t: usize = 0; t < length; t++) {
      const from = source + t * stride;
      const to = target + (length - 1 - t) * stride;
      for (let i = lane << 2; i < stride; i += lanes << 2) store<f32>(to + i, load<f32>(from + i));
    }
  }
}

/** `rows` rows of `stride` bytes to `target`, and zeros in place of those that are behind a lane's last. */
export function maskRows(rows: usize, stride: usize, lengths: usize, source: usize, target: usize): void {
  for (let t: usize = 0; t < rows; t++)
    for (let i: usize = 0; i < stride; i += 16) {
      const isData = i32x4.gt_s(v128.load(lengths + (i & 16)), i32x4.splat(i32(t)));
      v128.store(target, v128.and(v128.load(source), isData));
      source += 16;
      target += 16;
    }
}

/** All `rows` rows of `stride` bytes become one, each lane by its own rows. */
export function poolRows(by: i32, rows: usize, stride: usize, lengths: usize, source: usize, target: usize): void {
  for (let i: usize = 0; i < stride; i += 16) {
    const length = v128.load(lengths + (i & 16));
    const last = i32x4.sub(length, i32x4.splat(1));
    let pooled = v128.load(source + i);
    for (let t: usize = 1; t < rows && by != FIRST; t++) {
      const x = v128.load(source + i + t * stride);
      if (by == LAST) pooled = v128.bitselect(x, pooled, i32x4.eq(last, i32x4.splat(i32(t))));
      else {
        const next = by == MAX ? f32x4.max(pooled, x) : f32x4.add(pooled, x);
        pooled = v128.bitselect(next, pooled, i32x4.gt_s(length, i32x4.splat(i32(t))));
      }
    }
    if (by == MEAN) pooled = f32x4.div(pooled, f32x4.convert_i32x4_s(length));
    v128.store(target + i, pooled);
  }
}

/** `windows` windows of `size` rows, the first `front` rows before the first row; a mean's divisor is the rows it has, or `divisor` if above 0. */
export function poolWindows(
  by: i32,
  windows: usize,
  size: isize,
  strides: isize,
  front: isize,
  divisor: i32,
  stride: usize,
  lengths: usize,
  source: usize,
  target: usize,
): void {
  for (let window: isize = 0; window < isize(windows); window++) {
    const start = window * strides - front;
    for (let i: usize = 0; i < stride; i += 16) {
      const length = v128.load(lengths + (i & 16));
      let pooled = f32x4.splat(by == MAX ? -Infinity : 0);
      let count = i32x4.splat(0);
      for (let t = max<isize>(start, 0); t < start + size; t++) {
        const isData = i32x4.gt_s(length, i32x4.splat(i32(t)));
        if (!v128.any_true(isData)) break;
        const x = v128.load(source + i + usize(t) * stride);
        pooled = v128.bitselect(by == MAX ? f32x4.max(pooled, x) : f32x4.add(pooled, x), pooled, isData);
        count = i32x4.sub(count, isData); // true is −1
      }
      if (by == MEAN) pooled = f32x4.div(pooled, f32x4.convert_i32x4_s(divisor > 0 ? i32x4.splat(divisor) : count));
      v128.store(target, pooled);
      target += 16;
    }
  }
}
