// Recurrent cells over steps whose inputs' part is done: for each step the recurrent weights' part, then the cell. Owns no memory.
//
// Legend: U units, B = ⌈U/4⌉, n = B·lanes vectors of a gate.
//   cell      what shared/layers/pack-layers.ts writes of a cell, u32 but for two f32:
//             variant, U, recurrent weights, those of the candidate, gates' activation, its parameter, activation, its parameter
//   gates     a step's row: bias and inputs' part of i,f,c,o | h,z,r and the recurrent bias of h | z,r,h | h, n vectors each
//   state     hidden, cell state, two vectors' rows of scratch: n vectors each
import { exponentials, one } from "./activations";
import { updateCells } from "./cell";
import { activate } from "./pointwise";
import { addProducts } from "./products";
import { copyColumns } from "./rows";

const LSTM: u32 = 0;
const ANY_LSTM: u32 = 1;
const GRU: u32 = 2;
const ANY_GRU: u32 = 3;
const OLD_GRU: u32 = 4;
// 5: a simple recurrent layer

/**
 * Runs `steps` steps, the gates' rows `stride` bytes apart, backwards where that is negative. Each step's state, or cell state where
 * `ofCell`, is written to `out` and every `outStride` bytes on, unless `out` is 0. `isFresh`: there is no state yet, which is one of zeros.
 */
export function advance(
  cell: usize,
  lanes: usize,
  steps: usize,
  gates: usize,
  stride: isize,
  state: usize,
  isFresh: bool,
  out: usize,
  outStride: isize,
  ofCell: bool,
): void {
  const U: usize = load<u32>(cell, 4);
  const bytes = (((U + 3) >> 2) * lanes) << 4;
  for (; steps; steps--) {
    step(cell, lanes, U, bytes, gates, state, isFresh);
    isFresh = false;
    gates += stride;
    if (out) {
      copyColumns(1, (U * lanes) << 2, ofCell ? state + bytes : state, 0, out, 0);
      out += outStride;
    }
  }
}

// @ts-ignore: decorator
@inline
function step(cell: usize, lanes: usize, U: usize, bytes: usize, gates: usize, state: usize, isFresh: bool): void {
  const variant = load<u32>(cell);
  const B = (U + 3) >> 2;
  const weights: usize = load<u32>(cell, 8);
  if (variant <= ANY_LSTM) {
    if (!isFresh) addProducts(lanes, 1, U, 4 * B, weights, state, 0, gates, 0, gates, 0);
    if (variant == LSTM) stepLstm(bytes, gates, state, isFresh);
    else stepAnyLstm(cell, bytes, gates, state, isFresh);
  } else if (variant <= ANY_GRU) {
    if (!isFresh) addProducts(lanes, 1, U, 3 * B, weights, state, 0, gates + bytes, 0, gates + bytes, 0);
    else clear(state, bytes);
    if (variant == GRU) stepGru(bytes, gates, state);
    else stepAnyGru(cell, bytes, gates, state);
  } else if (variant == OLD_GRU) {
    if (!isFresh) addProducts(lanes, 1, U, 2 * B, weights, state, 0, gates, 0, gates, 0);
    else clear(state, bytes);
    stepOldGru(cell, lanes, U, bytes, gates, state, isFresh);
  } else {
    if (!isFresh) addProducts(lanes, 1, U, B, weights, state, 0, gates, 0, gates, 0);
    activate(load<i32>(cell, 24), load<f32>(cell, 28), gates, bytes >> 4);
    copyColumns(1, bytes, gates, 0, state, 0);
  }
}

function clear(at: usize, bytes: usize): void {
  for (const end = at + bytes; at < end; at += 16) v128.store(at, f32x4.splat(0));
}

/** Gates are scaled as the activations take them. */
// @ts-ignore: decorator
@inline
function stepLstm(bytes: usize, gates: usize, state: usize, isFresh: bool): void {
  updateCells(gates, bytes, 16, state + bytes, state, bytes >> 4, isFresh);
}

function stepAnyLstm(cell: usize, bytes: usize, gates: usize, state: usize, isFresh: bool): void {
  const count = bytes >> 4;
  const kind = load<i32>(cell, 24);
  const parameter = load<f32>(cell, 28);
  activate(load<i32>(cell, 16), load<f32>(cell, 20), gates, 2 * count);
  activate(kind, parameter, gates + 2 * bytes, count);
  activate(load<i32>(cell, 16), load<f32>(cell, 20), gates + 3 * bytes, count);
  for (let at: usize = 0; at < bytes; at += 16) {
    const i = gates + at;
    let c = f32x4.mul(v128.load(i + 2 * bytes), v128.load(i));
    if (!isFresh) c = f32x4.add(c, f32x4.mul(v128.load(state + bytes + at), v128.load(i + bytes)));
    v128.store(state + bytes + at, c);
    v128.store(state + at, c);
  }
  activate(kind, parameter, state, count);
  for (let at: usize = 0; at < bytes; at += 16)
    v128.store(state + at, f32x4.mul(v128.load(state + at), v128.load(gates + at + 3 * bytes)));
}

/** z·old + (1 − z)·candidate as candidate + z·(old − candidate), z and r being one over what inverseSigmoid gives. */
// @ts-ignore: decorator
@inline
function stepGru(bytes: usize, gates: usize, state: usize): void {
  const count = bytes >> 4;
  exponentials(gates + bytes, 2 * count);
  const unit = one();
  for (let at: usize = 0; at < bytes; at += 16) {
    const g = gates + at;
    const reset = f32x4.add(v128.load(g + 2 * bytes), unit);
    v128.store(g, f32x4.add(v128.load(g), f32x4.div(v128.load(g + 3 * bytes), reset)));
  }
  exponentials(gates, count);
  for (let at: usize = 0; at < bytes; at += 16) {
    const e = v128.load(gates + at);
    const candidate = f32x4.div(f32x4.sub(e, unit), f32x4.add(e, unit));
    const inverse = f32x4.add(v128.load(gates + bytes + at), unit);
    v128.store(state + at, f32x4.add(candidate, f32x4.div(f32x4.sub(v128.load(state + at), candidate), inverse)));
  }
}

function stepAnyGru(cell: usize, bytes: usize, gates: usize, state: usize): void {
  const count = bytes >> 4;
  activate(load<i32>(cell, 16), load<f32>(cell, 20), gates + bytes, 2 * count);
  for (let at: usize = 0; at < bytes; at += 16) {
    const g = gates + at;
    v128.store(g, f32x4.add(v128.load(g), f32x4.mul(v128.load(g + 3 * bytes), v128.load(g + 2 * bytes))));
  }
  activate(load<i32>(cell, 24), load<f32>(cell, 28), gates, count);
  mixRows(bytes, gates + bytes, gates, state);
}

/** The reset gate multiplies the state, then come the candidate's recurrent weights. */
function stepOldGru(cell: usize, lanes: usize, U: usize, bytes: usize, gates: usize, state: usize, isFresh: bool): void {
  const count = bytes >> 4;
  const candidate = gates + 2 * bytes;
  activate(load<i32>(cell, 16), load<f32>(cell, 20), gates, 2 * count);
  if (!isFresh) {
    const reset = state + 2 * bytes;
    for (let at: usize = 0; at < bytes; at += 16)
      v128.store(reset + at, f32x4.mul(v128.load(gates + bytes + at), v128.load(state + at)));
    addProducts(lanes, 1, U, (U + 3) >> 2, load<u32>(cell, 12), reset, 0, candidate, 0, candidate, 0);
  }
  activate(load<i32>(cell, 24), load<f32>(cell, 28), candidate, count);
  mixRows(bytes, gates, candidate, state);
}

/** z·old + (1 − z)·candidate. */
function mixRows(bytes: usize, update: usize, candidate: usize, state: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    const z = v128.load(update + at);
    const kept = f32x4.mul(z, v128.load(state + at));
    v128.store(state + at, f32x4.add(kept, f32x4.mul(f32x4.sub(one(), z), v128.load(candidate + at))));
  }
}
