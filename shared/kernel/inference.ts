// LSTM → Dense(1) → logit → probability, for one sequence or eight at once, with the same bits: every gate is one chain,
// bias, then inputs 0 … C−1, then units 0 … U−1, and lanes never meet. Owns no memory: every address is the caller's, in bytes.
//
// Legend: T steps, C channels, U units, B = ⌈U/4⌉ blocks of four units, K = C + U rows of weights.
//   weights  (B,1+K,4,4)  block, row (bias, inputs, recurrent), gate i,f,c,o, unit; zero where the unit is beyond U;
//                         i, f and o times −log2 e, c times 2·log2 e, as the activations take them (measured: 2 % of a score)
//   head     (1+U)        bias, weights
//   inputs   (T,C); for eight, each `stride` bytes behind the one before
//   state    two buffers of [inputs | outputs], this step's and the next one's, changing places; then the cells:
//            one: 2·(C+4B) + 4B floats; eight: (2·K + U)·8 floats, the sequences side by side
import { GATES, GATES_END, multiplyAdd, writeConstants } from "./activations";
import { putGates, takeGates } from "./cell";
import { COLUMNS_END } from "./columns";
import { takeInputs } from "./rows";

export { sigmoid, tanh } from "./activations";
export { columnsAddress, fillColumns, seriesAddress } from "./columns";
export { areAscending, crc32, expandNodes, joinNodes } from "./decoding";
export { advanceEightInt16, advanceOneInt16 } from "./int16";
export { packInt16 } from "./int16-weights";
export { activate, attendRows, mergeRows, normaliseRows, scaleRows } from "./pointwise";
export { addProducts, packMatrix, spreadRow } from "./products";
export { advance } from "./recurrent";
export { copyColumns, maskRows, poolRows, poolWindows, reverseRows } from "./rows";
export { addTrees, fillLanes } from "./tree-batch";
export { writeProgram } from "./tree-packing";
export { spreadColumns, treesOne, treesWindow } from "./trees";

/** Writes the constants to the start of memory; returns the first byte that is free. */
export function prepare(): usize {
  writeConstants();
  return COLUMNS_END;
}

export function log(x: f64): f64 {
  return NativeMath.log(x);
}

export function exp(x: f64): f64 {
  return NativeMath.exp(x);
}

/**
 * Weights as tfjs stores them, `matrix` (1+K,4U), rows (bias, inputs, recurrent), columns gate i,f,c,o by unit → `weights`. Scaled in
 * float64 and rounded once; `half` is added to the biases of i, f and o. Here, since JavaScript that runs once runs slowly: a fresh
 * process answers after 1.1 ms instead of 3.4 with 100 units (measured).
 */
export function packWeights(C: usize, U: usize, matrix: usize, weights: usize, gateScale: f64, tanhScale: f64, half: f64): void {
  for (let first: usize = 0; first < U; first += 4)
    for (let row: usize = 0; row <= C + U; row++)
      for (let gate: usize = 0; gate < 4; gate++) {
        const scale = gate == 2 ? tanhScale : gateScale;
        const added = gate == 2 || row > 0 ? 0 : half;
        for (let u = first; u < first + 4; u++) {
          const from = matrix + (((row * 4 + gate) * U + u) << 2);
          store<f32>(weights, u < U ? f32(scale * f64(load<f32>(from)) + added) : 0);
          weights += 4;
        }
      }
}

/**
 * Runs steps `from` … `to` − 1 of one sequence; `hard`: with hard sigmoids, their slope and half in the weights. Lanes are four units;
 * two blocks go together, so that eight chains are under way.
 */
export function advanceOne(C: usize, U: usize, weights: usize, inputs: usize, state: usize, from: usize, to: usize, hard: bool): void {
  const B = (U + 3) >> 2;
  const blockBytes = (C + U + 1) << 6;
  const bufferBytes = (C + (B << 2)) << 2;
  const cells = state + (bufferBytes << 1);
  for (let t = from; t < to; t++) {
    const now = t & 1 ? state + bufferBytes : state;
    const outputs = (t & 1 ? state : state + bufferBytes) + (C << 2);
    for (let c: usize = 0; c < C; c++) store<f32>(now + (c << 2), load<f32>(inputs + ((t * C + c) << 2)));
    const first = t == 0;
    const end = now + ((first ? C : C + U) << 2); // the first step's state is zero: its rows add nothing
    let done: usize = 0;
    let gates = GATES;
    let w = weights;
    for (let pair = B >> 1; pair; pair--) {
      let v = w + blockBytes;
      let i0 = v128.load(w, 0);
      let f0 = v128.load(w, 16);
      let c0 = v128.load(w, 32);
      let o0 = v128.load(w, 48);
      let i1 = v128.load(v, 0);
      let f1 = v128.load(v, 16);
      let c1 = v128.load(v, 32);
      let o1 = v128.load(v, 48);
      for (let at = now; at < end; at += 4) {
        w += 64;
        v += 64;
        const x = v128.load32_splat(at);
        i0 = multiplyAdd(i0, x, v128.load(w, 0));
        f0 = multiplyAdd(f0, x, v128.load(w, 16));
        c0 = multiplyAdd(c0, x, v128.load(w, 32));
        o0 = multiplyAdd(o0, x, v128.load(w, 48));
        i1 = multiplyAdd(i1, x, v128.load(v, 0));
        f1 = multiplyAdd(f1, x, v128.load(v, 16));
        c1 = multiplyAdd(c1, x, v128.load(v, 32));
        o1 = multiplyAdd(o1, x, v128.load(v, 48));
      }
      putGates(gates, i0, f0, c0, o0);
      putGates(gates + 64, i1, f1, c1, o1);
      gates += 128;
      w += (blockBytes << 1) - (end - now << 4);
      if (gates == GATES_END) {
        takeGates(gates, cells + done, outputs + done, first, hard);
        done += (GATES_END - GATES) >> 2;
        gates = GATES;
      }
    }
    if (B & 1) {
      let i0 = v128.load(w, 0);
      let f0 = v128.load(w, 16);
      let c0 = v128.load(w, 32);
      let o0 = v128.load(w, 48);
      for (let at = now; at < end; at += 4) {
        w += 64;
        const x = v128.load32_splat(at);
        i0 = multiplyAdd(i0, x, v128.load(w, 0));
        f0 = multiplyAdd(f0, x, v128.load(w, 16));
        c0 = multiplyAdd(c0, x, v128.load(w, 32));
        o0 = multiplyAdd(o0, x, v128.load(w, 48));
      }
      putGates(gates, i0, f0, c0, o0);
      gates += 64;
    }
    takeGates(gates, cells + done, outputs + done, first, hard);
  }
}

/** The same of eight sequences, whose inputs lie `stride` bytes apart. Lanes are four sequences; one unit's four gates go together. */
export function advanceEight(
  C: usize,
  U: usize,
  weights: usize,
  inputs: usize,
  stride: usize,
  state: usize,
  from: usize,
  to: usize,
  hard: bool,
): void {
  const blockBytes = (C + U + 1) << 6;
  const bufferBytes = (C + U) << 5;
  const cells = state + (bufferBytes << 1);
  for (let t = from; t < to; t++) {
    const now = t & 1 ? state + bufferBytes : state;
    const outputs = (t & 1 ? state : state + bufferBytes) + (C << 5);
    takeInputs(C, inputs + ((t * C) << 2), stride, now);
    const first = t == 0;
    const end = now + ((first ? C : C + U) << 5);
    let done: usize = 0;
    let gates = GATES;
    for (let u: usize = 0; u < U; u++) {
      let w = weights + (u >> 2) * blockBytes + ((u & 3) << 2);
      let i0 = v128.load32_splat(w, 0);
      let f0 = v128.load32_splat(w, 16);
      let c0 = v128.load32_splat(w, 32);
      let o0 = v128.load32_splat(w, 48);
      let i1 = i0;
      let f1 = f0;
      let c1 = c0;
      let o1 = o0;
      // A host that checks bounds prepares a check for each end of an access, in front of the loop where that end is met there. Four
      // bytes lower, vectors at 4 and 20 end where weights at 16 and 32 do (measured: a tenth of a batch in workerd).
      for (let at = now - 4; at < end - 4; at += 32) {
        w += 64;
        const x0 = v128.load(at, 4);
        const x1 = v128.load(at, 20);
        let weight = v128.load32_splat(w, 0);
        i0 = multiplyAdd(i0, x0, weight);
        i1 = multiplyAdd(i1, x1, weight);
        weight = v128.load32_splat(w, 16);
        f0 = multiplyAdd(f0, x0, weight);
        f1 = multiplyAdd(f1, x1, weight);
        weight = v128.load32_splat(w, 32);
        c0 = multiplyAdd(c0, x0, weight);
        c1 = multiplyAdd(c1, x1, weight);
        weight = v128.load32_splat(w, 48);
        o0 = multiplyAdd(o0, x0, weight);
        o1 = multiplyAdd(o1, x1, weight);
      }
      putGates(gates, i0, f0, c0, o0);
      putGates(gates + 64, i1, f1, c1, o1);
      gates += 128;
      if (gates == GATES_END) {
        takeGates(gates, cells + done, outputs + done, first, hard);
        done += (GATES_END - GATES) >> 2;
        gates = GATES;
      }
    }
    takeGates(gates, cells + done, outputs + done, first, hard);
  }
}

/** The logit of the one sequence that advanceOne brought to step `steps`, at least 1. */
export function logitOne(C: usize, U: usize, head: usize, state: usize, steps: usize): f32 {
  const bufferBytes = (C + (((U + 3) >> 2) << 2)) << 2;
  const outputs = (steps & 1 ? state + bufferBytes : state) + (C << 2);
  let logit = load<f32>(head);
  for (let u: usize = 0; u < U; u++) logit += load<f32>(outputs + (u << 2)) * load<f32>(head + (u << 2), 4);
  return logit;
}

/** The logits of the eight sequences that advanceEight brought to step `steps`, at least 1, to `results` (8). */
export function logitEight(C: usize, U: usize, head: usize, state: usize, steps: usize, results: usize): void {
  const outputs = (steps & 1 ? state + ((C + U) << 5) : state) + (C << 5);
  let logit0 = v128.load32_splat(head);
  let logit1 = logit0;
  for (let u: usize = 0; u < U; u++) {
    const weight = v128.load32_splat(head + (u << 2), 4);
    logit0 = multiplyAdd(logit0, v128.load(outputs + (u << 5), 0), weight);
    logit1 = multiplyAdd(logit1, v128.load(outputs + (u << 5), 16), weight);
  }
  v128.store(results, logit0, 0);
  v128.store(results, logit1, 16);
}

/** In float64 from the exponential on: once a sequence that costs nothing, and small probabilities keep all their digits. */
export function calibrate(logit: f32, slope: f32, intercept: f32): f32 {
  return f32(1 / (1 + NativeMath.exp(-f64(slope * logit + intercept))));
}
