// Sums over rows of a table of columns for logistic regressions: logits of rows, and sums of rows times numbers. Each sum is added up in
// float64 in the order that statistics/penalised-logistic.ts names, so that who computes it changes no bit. Knows no loss and no penalty.
//
// Legend: N rows, W columns; x (N,W) float32; n of `count` int32 row numbers at `rows`.

// @ts-ignore: decorator
@inline
function rowAt(x: usize, W: usize, rows: usize, i: usize): usize { return x + ((<usize>load<i32>(rows + (i << 2)) * W) << 2); }

// @ts-ignore: decorator
@inline
function low(x: v128): v128 { return f64x2.promote_low_f32x4(x); }

// @ts-ignore: decorator
@inline
function high(x: v128): v128 { return f64x2.promote_low_f32x4(v128.shuffle<u64>(x, x, 1, 0)); }

// @ts-ignore: decorator
@inline
function add(sum: v128, a: v128, b: v128): v128 { return f64x2.add(sum, f64x2.mul(a, b)); }

/** The logit of one row: four sums side by side, of every fourth column, the first of them from the intercept on. */
// @ts-ignore: decorator
@inline
function finish(row: usize, W: usize, at: usize, ab: v128, cd: v128): f64 {
  let a = f64x2.extract_lane(ab, 0);
  for (let w = W & ~3; w < W; w++) a += load<f64>(at + (w << 3)) * <f64>load<f32>(row + (w << 2));
  return a + f64x2.extract_lane(ab, 1) + (f64x2.extract_lane(cd, 0) + f64x2.extract_lane(cd, 1));
}

/** out (count) float64: at (W+1) float64 times rows of x, the intercept last; two rows at a time. */
export function logits(x: usize, W: usize, rows: usize, count: usize, at: usize, out: usize): void {
  const zero = f64x2.splat(0);
  const start = f64x2.replace_lane(zero, 0, load<f64>(at + (W << 3)));
  const end = W & ~3;
  for (let i: usize = 0; i < count; i += 2) {
    const p = rowAt(x, W, rows, i);
    const q = i + 1 < count ? rowAt(x, W, rows, i + 1) : p;
    let pab = start, pcd = zero, qab = start, qcd = zero;
    for (let w: usize = 0; w < end; w += 4) {
      const ab = v128.load(at + (w << 3)), cd = v128.load(at + (w << 3), 16);
      const px = v128.load(p + (w << 2)), qx = v128.load(q + (w << 2));
      pab = add(pab, ab, low(px));
      pcd = add(pcd, cd, high(px));
      qab = add(qab, ab, low(qx));
      qcd = add(qcd, cd, high(qx));
    }
    store<f64>(out + (i << 3), finish(p, W, at, pab, pcd));
    if (i + 1 < count) store<f64>(out + (i << 3), finish(q, W, at, qab, qcd), 8);
  }
}

/** to (width) float64 += Σ factors (count) float64 times the first `width` columns of rows of x, one row after the other. */
export function addRows(x: usize, W: usize, rows: usize, count: usize, factors: usize, to: usize, width: usize): void {
  const end = width & ~3;
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) {
    const p = rowAt(x, W, rows, i), q = rowAt(x, W, rows, i + 1), r = rowAt(x, W, rows, i + 2), s = rowAt(x, W, rows, i + 3);
    const f = factors + (i << 3);
    const fp = v128.load64_splat(f), fq = v128.load64_splat(f, 8), fr = v128.load64_splat(f, 16), fs = v128.load64_splat(f, 24);
    for (let w: usize = 0; w < end; w += 4) {
      const place = to + (w << 3);
      const px = v128.load(p + (w << 2)), qx = v128.load(q + (w << 2)), rx = v128.load(r + (w << 2)), sx = v128.load(s + (w << 2));
      v128.store(place, add(add(add(add(v128.load(place), fp, low(px)), fq, low(qx)), fr, low(rx)), fs, low(sx)));
      v128.store(place, add(add(add(add(v128.load(place, 16), fp, high(px)), fq, high(qx)), fr, high(rx)), fs, high(sx)), 16);
    }
    for (let w = end; w < width; w++) {
      let sum = load<f64>(to + (w << 3));
      for (let k: usize = 0; k < 4; k++) sum += load<f64>(f + (k << 3)) * <f64>load<f32>(rowAt(x, W, rows, i + k) + (w << 2));
      store<f64>(to + (w << 3), sum);
    }
  }
  for (; i < count; i++) {
    const row = rowAt(x, W, rows, i);
    const factor = load<f64>(factors + (i << 3));
    for (let w: usize = 0; w < width; w++)
      store<f64>(to + (w << 3), load<f64>(to + (w << 3)) + factor * <f64>load<f32>(row + (w << 2)));
  }
}
