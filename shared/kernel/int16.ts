// The LSTM of inference.ts with the recurrent products in whole numbers of 16 bits: an instruction multiplies and adds eight of them
// where float32 takes two for four. Sums are exact, so their order makes no difference; the rest is float32 as there, gate by gate one
// chain: bias, recurrent part, then inputs 0 … C−1. The same bits for one sequence and for eight.
//
// Legend: as in inference.ts, and P = ⌈U/2⌉ pairs of units.
//   weights  (B,C+2+P,4,4)  block, row (bias, inputs, factors, pairs), gate i,f,c,o, unit. A pair is two whole numbers of 16 bits: the
//                           recurrent weights of units 2p and 2p + 1, zero beyond U; factors make a sum of products a float32
//   state    as in inference.ts; behind the cells, the outputs in whole numbers: one: 4B of 16 bits; eight: (P,8) pairs
import { asInteger, GATES, GATES_END, multiplyAdd, quantise } from "./activations";
import { putGates, takeGates } from "./cell";
import { takeInputs } from "./rows";

/** As advanceOne in inference.ts. */
export function advanceOneInt16(
  C: usize,
  U: usize,
  weights: usize,
  inputs: usize,
  state: usize,
  from: usize,
  to: usize,
): void {
  const B = (U + 3) >> 2;
  const pairBytes = ((U + 1) >> 1) << 2;
  const blockBytes = (C + 2 + ((U + 1) >> 1)) << 6;
  const bufferBytes = (C + (B << 2)) << 2;
  const cells = state + (bufferBytes << 1);
  const pairs = cells + (B << 4);
  for (let t = from; t < to; t++) {
    const before = (t & 1 ? state + bufferBytes : state) + (C << 2);
    const outputs = (t & 1 ? state : state + bufferBytes) + (C << 2);
    const first = t == 0;
    const start = first ? pairs + pairBytes : pairs; // the first step's state is zero
    if (!first)
      for (let b: usize = 0; b < B; b++) {
        const q = asInteger(quantise(v128.load(before + (b << 4))));
        v128.store64_lane(pairs + (b << 3), i16x8.narrow_i32x4_s(q, q), 0);
      }
    const row = inputs + ((t * C) << 2);
    let done: usize = 0;
    let gates = GATES;
    let w = weights;
    let b: usize = 0;
    for (; b + 1 < B; b += 2) {
      const v = w + blockBytes;
      const r = w + ((C + 1) << 6);
      const s = v + ((C + 1) << 6);
      let p = r;
      let q = s;
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let a4 = a0;
      let a5 = a0;
      let a6 = a0;
      let a7 = a0;
      for (let at = start; at < pairs + pairBytes; at += 4) {
        p += 64;
        q += 64;
        const x = v128.load32_splat(at);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(x, v128.load(p, 0)));
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(x, v128.load(p, 16)));
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(x, v128.load(p, 32)));
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(x, v128.load(p, 48)));
        a4 = i32x4.add(a4, i32x4.dot_i16x8_s(x, v128.load(q, 0)));
        a5 = i32x4.add(a5, i32x4.dot_i16x8_s(x, v128.load(q, 16)));
        a6 = i32x4.add(a6, i32x4.dot_i16x8_s(x, v128.load(q, 32)));
        a7 = i32x4.add(a7, i32x4.dot_i16x8_s(x, v128.load(q, 48)));
      }
      a0 = begin(w, r, a0);
      a1 = begin(w + 16, r + 16, a1);
      a2 = begin(w + 32, r + 32, a2);
      a3 = begin(w + 48, r + 48, a3);
      a4 = begin(v, s, a4);
      a5 = begin(v + 16, s + 16, a5);
      a6 = begin(v + 32, s + 32, a6);
      a7 = begin(v + 48, s + 48, a7);
      p = w;
      q = v;
      for (let at = row; at < row + (C << 2); at += 4) {
        p += 64;
        q += 64;
        const x = v128.load32_splat(at);
        a0 = multiplyAdd(a0, x, v128.load(p, 0));
        a1 = multiplyAdd(a1, x, v128.load(p, 16));
        a2 = multiplyAdd(a2, x, v128.load(p, 32));
        a3 = multiplyAdd(a3, x, v128.load(p, 48));
        a4 = multiplyAdd(a4, x, v128.load(q, 0));
        a5 = multiplyAdd(a5, x, v128.load(q, 16));
        a6 = multiplyAdd(a6, x, v128.load(q, 32));
        a7 = multiplyAdd(a7, x, v128.load(q, 48));
      }
      putGates(gates, a0, a1, a2, a3);
      putGates(gates + 64, a4, a5, a6, a7);
      gates += 128;
      w = v + blockBytes;
      if (gates == GATES_END) {
        takeGates(gates, cells + done, outputs + done, first, false);
        done += (GATES_END - GATES) >> 2;
        gates = GATES;
      }
    }
    if (b < B) {
      const r = w + ((C + 1) << 6);
      let p = r;
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      for (let at = start; at < pairs + pairBytes; at += 4) {
        p += 64;
        const x = v128.load32_splat(at);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(x, v128.load(p, 0)));
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(x, v128.load(p, 16)));
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(x, v128.load(p, 32)));
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(x, v128.load(p, 48)));
      }
      a0 = begin(w, r, a0);
      a1 = begin(w + 16, r + 16, a1);
      a2 = begin(w + 32, r + 32, a2);
      a3 = begin(w + 48, r + 48, a3);
      p = w;
      for (let at = row; at < row + (C << 2); at += 4) {
        p += 64;
        const x = v128.load32_splat(at);
        a0 = multiplyAdd(a0, x, v128.load(p, 0));
        a1 = multiplyAdd(a1, x, v128.load(p, 16));
        a2 = multiplyAdd(a2, x, v128.load(p, 32));
        a3 = multiplyAdd(a3, x, v128.load(p, 48));
      }
      putGates(gates, a0, a1, a2, a3);
      gates += 64;
    }
    takeGates(gates, cells + done, outputs + done, first, false);
  }
}

/** Bias and recurrent part of a gate of four units: their sums of products times their factors. */
// @ts-ignore: decorator
@inline
function begin(bias: usize, factors: usize, sums: v128): v128 {
  return multiplyAdd(v128.load(bias), f32x4.convert_i32x4_s(sums), v128.load(factors));
}

/** As advanceEight in inference.ts. */
export function advanceEightInt16(
  C: usize,
  U: usize,
  weights: usize,
  inputs: usize,
  stride: usize,
  state: usize,
  from: usize,
  to: usize,
): void {
  const P = (U + 1) >> 1;
  const blockBytes = (C + 2 + P) << 6;
  const bufferBytes = (C + U) << 5;
  const cells = state + (bufferBytes << 1);
  const pairs = cells + (U << 5);
  for (let t = from; t < to; t++) {
    const now = t & 1 ? state + bufferBytes : state;
    const before = now + (C << 5);
    const outputs = (t & 1 ? state : state + bufferBytes) + (C << 5);
    takeInputs(C, inputs + ((t * C) << 2), stride, now);
    const first = t == 0;
    const end = pairs + (P << 5);
    const start = first ? end - 32 : pairs; // the first step's state is zero: a single pair, of zeros
    if (first) {
      v128.store(start, i32x4.splat(0), 0);
      v128.store(start, i32x4.splat(0), 16);
    } else
      for (let half: usize = 0; half < 32; half += 16)
        for (let p: usize = 0; p < P; p++) {
          const at = before + (p << 6) + half;
          const even = quantise(v128.load(at));
          // Beyond U lie the cells or the other buffer: weights are zero there.
          const odd = quantise(v128.load(at + 32));
          v128.store(pairs + (p << 5) + half, v128.or(i32x4.shr_u(i32x4.shl(even, 16), 16), i32x4.shl(odd, 16)));
        }
    let done: usize = 0;
    let gates = GATES;
    for (let u: usize = 0; u < U; u++) {
      const w = weights + (u >> 2) * blockBytes + ((u & 3) << 2);
      const r = w + ((C + 1) << 6);
      let p = r + 64;
      // The first pair stands in front of the loop: see multiplyEight in products.ts (measured: an eighth of a batch in workerd)
      let x0 = v128.load(start, 0);
      let x1 = v128.load(start, 16);
      let weight = v128.load32_splat(p, 0);
      let i0 = i32x4.dot_i16x8_s(x0, weight);
      let i1 = i32x4.dot_i16x8_s(x1, weight);
      weight = v128.load32_splat(p, 16);
      let f0 = i32x4.dot_i16x8_s(x0, weight);
      let f1 = i32x4.dot_i16x8_s(x1, weight);
      weight = v128.load32_splat(p, 32);
      let c0 = i32x4.dot_i16x8_s(x0, weight);
      let c1 = i32x4.dot_i16x8_s(x1, weight);
      weight = v128.load32_splat(p, 48);
      let o0 = i32x4.dot_i16x8_s(x0, weight);
      let o1 = i32x4.dot_i16x8_s(x1, weight);
      for (let at = start + 32; at < end; at += 32) {
        p += 64;
        x0 = v128.load(at, 0);
        x1 = v128.load(at, 16);
        weight = v128.load32_splat(p, 0);
        i0 = i32x4.add(i0, i32x4.dot_i16x8_s(x0, weight));
        i1 = i32x4.add(i1, i32x4.dot_i16x8_s(x1, weight));
        weight = v128.load32_splat(p, 16);
        f0 = i32x4.add(f0, i32x4.dot_i16x8_s(x0, weight));
        f1 = i32x4.add(f1, i32x4.dot_i16x8_s(x1, weight));
        weight = v128.load32_splat(p, 32);
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x0, weight));
        c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x1, weight));
        weight = v128.load32_splat(p, 48);
        o0 = i32x4.add(o0, i32x4.dot_i16x8_s(x0, weight));
        o1 = i32x4.add(o1, i32x4.dot_i16x8_s(x1, weight));
      }
      let bias = v128.load32_splat(w, 0);
      let factor = v128.load32_splat(r, 0);
      i0 = multiplyAdd(bias, f32x4.convert_i32x4_s(i0), factor);
      i1 = multiplyAdd(bias, f32x4.convert_i32x4_s(i1), factor);
      bias = v128.load32_splat(w, 16);
      factor = v128.load32_splat(r, 16);
      f0 = multiplyAdd(bias, f32x4.convert_i32x4_s(f0), factor);
      f1 = multiplyAdd(bias, f32x4.convert_i32x4_s(f1), factor);
      bias = v128.load32_splat(w, 32);
      factor = v128.load32_splat(r, 32);
      c0 = multiplyAdd(bias, f32x4.convert_i32x4_s(c0), factor);
      c1 = multiplyAdd(bias, f32x4.convert_i32x4_s(c1), factor);
      bias = v128.load32_splat(w, 48);
      factor = v128.load32_splat(r, 48);
      o0 = multiplyAdd(bias, f32x4.convert_i32x4_s(o0), factor);
      o1 = multiplyAdd(bias, f32x4.convert_i32x4_s(o1), factor);
      p = w;
      for (let at = now; at < now + (C << 5); at += 32) {
        p += 64;
        x0 = v128.load(at, 0);
        x1 = v128.load(at, 16);
        weight = v128.load32_splat(p, 0);
        i0 = multiplyAdd(i0, x0, weight);
        i1 = multiplyAdd(i1, x1, weight);
        weight = v128.load32_splat(p, 16);
        f0 = multiplyAdd(f0, x0, weight);
        f1 = multiplyAdd(f1, x1, weight);
        weight = v128.load32_splat(p, 32);
        c0 = multiplyAdd(c0, x0, weight);
        c1 = multiplyAdd(c1, x1, weight);
        weight = v128.load32_splat(p, 48);
        o0 = multiplyAdd(o0, x0, weight);
        o1 = multiplyAdd(o1, x1, weight);
      }
      putGates(gates, i0, f0, c0, o0);
      putGates(gates + 64, i1, f1, c1, o1);
      gates += 128;
      if (gates == GATES_END) {
        takeGates(gates, cells + done, outputs + done, first, false);
        done += (GATES_END - GATES) >> 2;
        gates = GATES;
      }
    }
    takeGates(gates, cells + done, outputs + done, first, false);
  }
}
