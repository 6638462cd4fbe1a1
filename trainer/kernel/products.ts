// The three matrix products of LSTM training, each one register tile of 4×8 float32: eight accumulators, two loads and four
// broadcasts for eight fused multiply-adds. Longer sums than one tile's are its caller's loops. Knows no LSTM beyond the layouts.
// Address offsets are written out because they must be immediates: an added offset is one more instruction a load.

// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/**
 * Gates before activation, 4 rows × 8 columns: bias + channels · kernel + state · recurrent.
 * a: row 0 of the first entry block, blocks of (pitch,4); w: (K,8); out: rows of 64 bytes.
 */
export function gatesTile(a: usize, pitch: usize, channels: i32, entryBlocks: i32, unitBlocks: i32, w: usize, out: usize): void {
  let b0 = v128.load(w), b1 = v128.load(w, 16), s: v128;
  let c00 = b0, c10 = b0, c20 = b0, c30 = b0;
  let c01 = b1, c11 = b1, c21 = b1, c31 = b1;
  for (let k = 1; k <= channels; k++) {
    const p = a + <usize>(k >> 2) * pitch + <usize>((k & 3) << 2);
    const v = w + <usize>(k << 5);
    b0 = v128.load(v); b1 = v128.load(v, 16);
    s = v128.load32_splat(p); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 16); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 32); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 48); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
  }
  let p = a + <usize>entryBlocks * pitch;
  w += <usize>entryBlocks << 7;
  for (let n = unitBlocks; n > 0; n--) {
    b0 = v128.load(w, 0); b1 = v128.load(w, 16);
    s = v128.load32_splat(p, 0); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 16); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 32); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 48); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 32); b1 = v128.load(w, 48);
    s = v128.load32_splat(p, 4); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 20); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 36); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 52); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 64); b1 = v128.load(w, 80);
    s = v128.load32_splat(p, 8); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 24); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 40); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 56); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 96); b1 = v128.load(w, 112);
    s = v128.load32_splat(p, 12); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 28); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 44); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 60); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    p += pitch;
    w += 128;
  }
  v128.store(out, c00); v128.store(out, c01, 16);
  v128.store(out, c10, 64); v128.store(out, c11, 80);
  v128.store(out, c20, 128); v128.store(out, c21, 144);
  v128.store(out, c30, 192); v128.store(out, c31, 208);
}

/**
 * Gradient of 4 weight rows × 8 gate columns, added to what is there: Σ over rows of aᵀ · g.
 * a: (rows,4); g: rows of 64 bytes; rows a multiple of 4; out: (4,8).
 */
export function weightsTile(a: usize, g: usize, rows: i32, out: usize): void {
  let b0: v128, b1: v128, s: v128;
  let c00 = v128.load(out), c01 = v128.load(out, 16), c10 = v128.load(out, 32), c11 = v128.load(out, 48);
  let c20 = v128.load(out, 64), c21 = v128.load(out, 80), c30 = v128.load(out, 96), c31 = v128.load(out, 112);
  for (; rows > 0; rows -= 4) {
    b0 = v128.load(g, 0); b1 = v128.load(g, 16);
    s = v128.load32_splat(a, 0); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(a, 4); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(a, 8); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(a, 12); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(g, 64); b1 = v128.load(g, 80);
    s = v128.load32_splat(a, 16); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(a, 20); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(a, 24); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(a, 28); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(g, 128); b1 = v128.load(g, 144);
    s = v128.load32_splat(a, 32); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(a, 36); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(a, 40); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(a, 44); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(g, 192); b1 = v128.load(g, 208);
    s = v128.load32_splat(a, 48); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(a, 52); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(a, 56); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(a, 60); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    a += 64;
    g += 256;
  }
  v128.store(out, c00); v128.store(out, c01, 16); v128.store(out, c10, 32); v128.store(out, c11, 48);
  v128.store(out, c20, 64); v128.store(out, c21, 80); v128.store(out, c30, 96); v128.store(out, c31, 112);
}

/**
 * Gradient of 4 rows × 8 states or channels, added to what is there: gate gradients · weightsᵀ.
 * p: row 0 of the first gate block, blocks of pitch bytes, rows of 64 bytes; w: (16 · blocks, 8); lo, hi: four rows of (4) each.
 */
export function statesTile(p: usize, pitch: usize, blocks: i32, w: usize, lo: usize, hi: usize): void {
  let b0: v128, b1: v128, s: v128;
  let c00 = v128.load(lo), c10 = v128.load(lo, 16), c20 = v128.load(lo, 32), c30 = v128.load(lo, 48);
  let c01 = v128.load(hi), c11 = v128.load(hi, 16), c21 = v128.load(hi, 32), c31 = v128.load(hi, 48);
  for (; blocks > 0; blocks--) {
    b0 = v128.load(w, 0); b1 = v128.load(w, 16);
    s = v128.load32_splat(p, 0); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 64); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 128); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 192); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 32); b1 = v128.load(w, 48);
    s = v128.load32_splat(p, 4); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 68); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 132); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 196); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 64); b1 = v128.load(w, 80);
    s = v128.load32_splat(p, 8); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 72); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 136); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 200); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 96); b1 = v128.load(w, 112);
    s = v128.load32_splat(p, 12); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 76); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 140); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 204); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 128); b1 = v128.load(w, 144);
    s = v128.load32_splat(p, 16); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 80); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 144); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 208); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 160); b1 = v128.load(w, 176);
    s = v128.load32_splat(p, 20); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 84); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 148); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 212); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 192); b1 = v128.load(w, 208);
    s = v128.load32_splat(p, 24); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 88); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 152); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 216); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 224); b1 = v128.load(w, 240);
    s = v128.load32_splat(p, 28); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 92); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 156); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 220); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 256); b1 = v128.load(w, 272);
    s = v128.load32_splat(p, 32); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 96); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 160); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 224); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 288); b1 = v128.load(w, 304);
    s = v128.load32_splat(p, 36); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 100); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 164); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 228); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 320); b1 = v128.load(w, 336);
    s = v128.load32_splat(p, 40); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 104); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 168); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 232); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 352); b1 = v128.load(w, 368);
    s = v128.load32_splat(p, 44); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 108); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 172); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 236); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 384); b1 = v128.load(w, 400);
    s = v128.load32_splat(p, 48); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 112); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 176); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 240); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 416); b1 = v128.load(w, 432);
    s = v128.load32_splat(p, 52); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 116); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 180); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 244); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 448); b1 = v128.load(w, 464);
    s = v128.load32_splat(p, 56); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 120); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 184); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 248); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    b0 = v128.load(w, 480); b1 = v128.load(w, 496);
    s = v128.load32_splat(p, 60); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(p, 124); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(p, 188); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(p, 252); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    p += pitch;
    w += 512;
  }
  v128.store(lo, c00); v128.store(lo, c10, 16); v128.store(lo, c20, 32); v128.store(lo, c30, 48);
  v128.store(hi, c01); v128.store(hi, c11, 16); v128.store(hi, c21, 32); v128.store(hi, c31, 48);
}

/** Whether multiply-adds round once on this host. x: 1 + 2⁻¹², whose square has a bit that float32 does not hold. */
export function fuses(x: f32): bool {
  const v = f32x4.splat(x);
  return f32x4.extract_lane(madd(v, v, f32x4.splat(-x * x)), 0) != 0;
}

/** A loop of nothing but register multiply-adds, 64 operations a turn in 8 different chains: the machine's 128-bit peak. */
export function peak(turns: i32): f32 {
  // Not constants: the engine would build those anew at every use.
  const x = f32x4.splat(<f32>turns * 1e-9), y = f32x4.splat(<f32>turns * 1e-8);
  let c0 = f32x4.splat(0), c1 = f32x4.splat(1), c2 = f32x4.splat(2), c3 = f32x4.splat(3);
  let c4 = f32x4.splat(4), c5 = f32x4.splat(5), c6 = f32x4.splat(6), c7 = f32x4.splat(7);
  for (; turns > 0; turns--) {
    c0 = madd(x, y, c0); c1 = madd(x, y, c1); c2 = madd(x, y, c2); c3 = madd(x, y, c3);
    c4 = madd(x, y, c4); c5 = madd(x, y, c5); c6 = madd(x, y, c6); c7 = madd(x, y, c7);
  }
  c0 = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7)));
  return f32x4.extract_lane(c0, 0);
}
