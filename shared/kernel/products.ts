// Rows times matrices, for one sequence or eight side by side, with the same bits: every output is one chain, from where it starts
// on, inputs 0 … K−1 in order, and lanes never meet. Owns no memory: every address is the caller's, in bytes.
//
// Legend: K inputs, U outputs of a gate, G gates, B = ⌈U/4⌉ vectors of a gate, V = G·B vectors.
//   a row of width W   one sequence: 4·⌈W/4⌉ floats; eight: as many times eight, a number's eight sequences side by side
//   weights            blocks of four vectors (K,4,4): vector v is units 4·(v mod B) … of gate v / B, zero beyond U and beyond V
import { multiplyAdd } from "./activations";

/** Vectors of a block. Two go together, or three: fewer chains would wait for their own sums (measured: 10 % of a GRU). */
const BLOCK: usize = 4;

/**
 * A matrix as frameworks store it, `source` (K,G·U), columns gate by unit → `weights`. Gates are rotated: the first that is written is
 * gate `first`. All but gate `candidate` are scaled by `gateScale`, the candidate by `candidateScale`: in float64, rounded once. A bias is a matrix of one row. Here, since JavaScript that runs once runs slowly.
 */
export function packMatrix(
  K: usize,
  G: usize,
  U: usize,
  first: usize,
  candidate: usize,
  gateScale: f64,
  candidateScale: f64,
  source: usize,
  weights: usize,
): void {
  const B = (U + 3) >> 2;
  const V = G * B;
  for (let block: usize = 0; block < V; block += BLOCK) {
    for (let k: usize = 0; k < K; k++)
      for (let v = block; v < block + BLOCK; v++) {
        const gate = (v / B + first) % G;
        const scale = gate == candidate ? candidateScale : gateScale;
        const u = (v % B) << 2;
        const from = source + (((k * G + gate) * U + u) << 2);
        for (let lane: usize = 0; lane < 4; lane++) {
          store<f32>(weights, v < V && u + lane < U ? f32(scale * f64(load<f32>(from + (lane << 2)))) : 0);
          weights += 4;
        }
      }
  }
}

/** Writes the numbers of V vectors eight times each to `target`, as a row of eight sequences. */
export function spreadRow(V: usize, source: usize, target: usize): void {
  for (const end = source + (V << 4); source < end; source += 4) {
    const x = v128.load32_splat(source);
    v128.store(target, x, 0);
    v128.store(target, x, 16);
    target += 32;
  }
}

/**
 * Writes `rows` rows of `input` (K) times `weights`, added to what lies at `start`, to the rows of `output` (V vectors), which may be the
 * same. Strides are the bytes from a row to the next: 0 where all rows start from one.
 */
export function addProducts(
  lanes: usize,
  rows: usize,
  K: usize,
  V: usize,
  weights: usize,
  input: usize,
  inputStride: usize,
  start: usize,
  startStride: usize,
  output: usize,
  outputStride: usize,
): void {
  while (V) {
    const width = lanes == 8 ? min(V, BLOCK) : V <= 3 * BLOCK ? V : 2 * BLOCK;
    for (let r: usize = 0; r < rows; r++) {
      const x = input + r * inputStride;
      const s = start + r * startStride;
      const y = output + r * outputStride;
      if (lanes == 8) multiplyEight(K, width, weights, x, s, y);
      else if (width > 2 * BLOCK) multiplyThree(K, width, weights, x, s, y);
      else if (width > BLOCK) multiplyTwo(K, width, weights, x, s, y);
      else multiplyOne(K, width, weights, x, s, y);
    }
    V -= width;
    weights += (width * K) << 4;
    start += (width * lanes) << 4;
    output += (width * lanes) << 4;
  }
}

/** A block of one sequence, of which the first `width` vectors are outputs; what lies behind them is read, and left as it is. */
// @ts-ignore: decorator
@inline
function multiplyOne(K: usize, width: usize, w: usize, x: usize, s: usize, y: usize): void {
  let a0 = v128.load(s, 0);
  let a1 = v128.load(s, 16);
  let a2 = v128.load(s, 32);
  let a3 = v128.load(s, 48);
  for (const end = x + (K << 2); x < end; x += 4) {
    const value = v128.load32_splat(x);
    a0 = multiplyAdd(a0, value, v128.load(w, 0));
    a1 = multiplyAdd(a1, value, v128.load(w, 16));
    a2 = multiplyAdd(a2, value, v128.load(w, 32));
    a3 = multiplyAdd(a3, value, v128.load(w, 48));
    w += 64;
  }
  v128.store(y, a0, 0);
  if (width > 1) v128.store(y, a1, 16);
  if (width > 2) v128.store(y, a2, 32);
  if (width > 3) v128.store(y, a3, 48);
}

/** Two blocks. */
// @ts-ignore: decorator
@inline
function multiplyTwo(K: usize, width: usize, w: usize, x: usize, s: usize, y: usize): void {
  let v = w + (K << 6);
  let a0 = v128.load(s, 0);
  let a1 = v128.load(s, 16);
  let a2 = v128.load(s, 32);
  let a3 = v128.load(s, 48);
  let a4 = v128.load(s, 64);
  let a5 = v128.load(s, 80);
  let a6 = v128.load(s, 96);
  let a7 = v128.load(s, 112);
  for (const end = x + (K << 2); x < end; x += 4) {
    const value = v128.load32_splat(x);
    a0 = multiplyAdd(a0, value, v128.load(w, 0));
    a1 = multiplyAdd(a1, value, v128.load(w, 16));
    a2 = multiplyAdd(a2, value, v128.load(w, 32));
    a3 = multiplyAdd(a3, value, v128.load(w, 48));
    a4 = multiplyAdd(a4, value, v128.load(v, 0));
    a5 = multiplyAdd(a5, value, v128.load(v, 16));
    a6 = multiplyAdd(a6, value, v128.load(v, 32));
    a7 = multiplyAdd(a7, value, v128.load(v, 48));
    w += 64;
    v += 64;
  }
  v128.store(y, a0, 0);
  v128.store(y, a1, 16);
  v128.store(y, a2, 32);
  v128.store(y, a3, 48);
  v128.store(y, a4, 64);
  if (width > 5) v128.store(y, a5, 80);
  if (width > 6) v128.store(y, a6, 96);
  if (width > 7) v128.store(y, a7, 112);
}

/** Three blocks. */
// @ts-ignore: decorator
@inline
function multiplyThree(K: usize, width: usize, w: usize, x: usize, s: usize, y: usize): void {
  let v = w + (K << 6);
  let u = v + (K << 6);
  let a0 = v128.load(s, 0);
  let a1 = v128.load(s, 16);
  let a2 = v128.load(s, 32);
  let a3 = v128.load(s, 48);
  let a4 = v128.load(s, 64);
  let a5 = v128.load(s, 80);
  let a6 = v128.load(s, 96);
  let a7 = v128.load(s, 112);
  let a8 = v128.load(s, 128);
  let a9 = v128.load(s, 144);
  let a10 = v128.load(s, 160);
  let a11 = v128.load(s, 176);
  for (const end = x + (K << 2); x < end; x += 4) {
    const value = v128.load32_splat(x);
    a0 = multiplyAdd(a0, value, v128.load(w, 0));
    a1 = multiplyAdd(a1, value, v128.load(w, 16));
    a2 = multiplyAdd(a2, value, v128.load(w, 32));
    a3 = multiplyAdd(a3, value, v128.load(w, 48));
    a4 = multiplyAdd(a4, value, v128.load(v, 0));
    a5 = multiplyAdd(a5, value, v128.load(v, 16));
    a6 = multiplyAdd(a6, value, v128.load(v, 32));
    a7 = multiplyAdd(a7, value, v128.load(v, 48));
    a8 = multiplyAdd(a8, value, v128.load(u, 0));
    a9 = multiplyAdd(a9, value, v128.load(u, 16));
    a10 = multiplyAdd(a10, value, v128.load(u, 32));
    a11 = multiplyAdd(a11, value, v128.load(u, 48));
    w += 64;
    v += 64;
    u += 64;
  }
  v128.store(y, a0, 0);
  v128.store(y, a1, 16);
  v128.store(y, a2, 32);
  v128.store(y, a3, 48);
  v128.store(y, a4, 64);
  v128.store(y, a5, 80);
  v128.store(y, a6, 96);
  v128.store(y, a7, 112);
  v128.store(y, a8, 128);
  if (width > 9) v128.store(y, a9, 144);
  if (width > 10) v128.store(y, a10, 160);
  if (width > 11) v128.store(y, a11, 176);
}

/** Up to a block's outputs of eight sequences, four outputs at a time. */
// @ts-ignore: decorator
@inline
function multiplyEight(K: usize, width: usize, weights: usize, input: usize, s: usize, y: usize): void {
  const end = input + (K << 5);
  for (; width; width--) {
    // The first row stands in front of the loop: there a host that checks bounds prepares the checks, once for the loop, too
    let w = weights;
    let x0 = v128.load(input, 0);
    let x1 = v128.load(input, 16);
    let weight = v128.load32_splat(w, 0);
    let a0 = multiplyAdd(v128.load(s, 0), x0, weight);
    let a1 = multiplyAdd(v128.load(s, 16), x1, weight);
    weight = v128.load32_splat(w, 4);
    let b0 = multiplyAdd(v128.load(s, 32), x0, weight);
    let b1 = multiplyAdd(v128.load(s, 48), x1, weight);
    weight = v128.load32_splat(w, 8);
    let c0 = multiplyAdd(v128.load(s, 64), x0, weight);
    let c1 = multiplyAdd(v128.load(s, 80), x1, weight);
    weight = v128.load32_splat(w, 12);
    let d0 = multiplyAdd(v128.load(s, 96), x0, weight);
    let d1 = multiplyAdd(v128.load(s, 112), x1, weight);
    for (let x = input + 32; x < end; x += 32) {
      w += 64;
      x0 = v128.load(x, 0);
      x1 = v128.load(x, 16);
      weight = v128.load32_splat(w, 0);
      a0 = multiplyAdd(a0, x0, weight);
      a1 = multiplyAdd(a1, x1, weight);
      weight = v128.load32_splat(w, 4);
      b0 = multiplyAdd(b0, x0, weight);
      b1 = multiplyAdd(b1, x1, weight);
      weight = v128.load32_splat(w, 8);
      c0 = multiplyAdd(c0, x0, weight);
      c1 = multiplyAdd(c1, x1, weight);
      weight = v128.load32_splat(w, 12);
      d0 = multiplyAdd(d0, x0, weight);
      d1 = multiplyAdd(d1, x1, weight);
    }
    v128.store(y, a0, 0);
    v128.store(y, a1, 16);
    v128.store(y, b0, 32);
    v128.store(y, b1, 48);
    v128.store(y, c0, 64);
    v128.store(y, c1, 80);
    v128.store(y, d0, 96);
    v128.store(y, d1, 112);
    weights += 16;
    s += 128;
    y += 128;
  }
}
