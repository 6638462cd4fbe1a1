// The LSTM cell on four lanes: four units of one sequence or one unit of four sequences, it makes no difference here.
// A cell's chain of operations is long. It goes in passes over many cells, each short: there the cells overlap, while in one piece
// each would wait for itself (measured: a tenth of a score).
import { exponentials, GATES, hardSigmoid, one, tanhOver, tanhScaled } from "./activations";

/** A cell's four gates to `at`. */
// @ts-ignore: decorator
@inline
export function putGates(at: usize, i: v128, f: v128, c: v128, o: v128): void {
  v128.store(at, i, 0);
  v128.store(at, f, 16);
  v128.store(at, c, 32);
  v128.store(at, o, 48);
}

/**
 * Updates the cells whose gates lie from GATES to `end`, before their activation, scaled as the activations take them: new cell states
 * to `cells`, and one over the output gates (hard: the gates themselves) to `outputs`. `first`: there is no state yet, which is a state
 * of zero. `hard`: gates are min(max(x, 0), 1), the slope and the half of a hard sigmoid being in the packed weights.
 */
export function takeGates(end: usize, cells: usize, outputs: usize, first: bool, hard: bool): void {
  const bytes = end - GATES;
  if (hard) updateHardCells(cells, outputs, bytes >> 6, first);
  else updateCells(GATES, 16, 64, cells, outputs, bytes >> 6, first);
}

/**
 * The same of `count` cells with true sigmoids, whose gates are overwritten. A cell's gates i,f,c,o are `gap` bytes apart, the next cell's
 * `stride` bytes behind them.
 */
export function updateCells(gates: usize, gap: usize, stride: usize, cells: usize, outputs: usize, count: usize, first: bool): void {
  exponentials(gates, count << 2);
  const unit = one();
  const bytes = count << 4;
  let g = gates;
  for (let at: usize = 0; at < bytes; at += 16) {
    const c = v128.load(g + 2 * gap);
    let state = f32x4.div(f32x4.sub(c, unit), f32x4.mul(f32x4.add(c, unit), f32x4.add(v128.load(g), unit)));
    if (!first) state = f32x4.add(state, f32x4.div(v128.load(cells + at), f32x4.add(v128.load(g + gap), unit)));
    v128.store(cells + at, state);
    v128.store(outputs + at, f32x4.add(v128.load(g + 3 * gap), unit));
    v128.store(gates + at, tanhScaled(state)); // over gates that were read
    g += stride;
  }
  exponentials(gates, count);
  for (let at: usize = 0; at < bytes; at += 16) {
    const e = v128.load(gates + at);
    v128.store(outputs + at, f32x4.div(f32x4.sub(e, unit), f32x4.mul(f32x4.add(e, unit), v128.load(outputs + at))));
  }
}

function updateHardCells(cells: usize, outputs: usize, count: usize, first: bool): void {
  let gates = GATES;
  for (const end = cells + (count << 4); cells < end; cells += 16) {
    let state = f32x4.mul(tanhOver(v128.load(gates, 32), one()), hardSigmoid(v128.load(gates)));
    if (!first) state = f32x4.add(state, f32x4.mul(v128.load(cells), hardSigmoid(v128.load(gates, 16))));
    v128.store(cells, state);
    v128.store(outputs, f32x4.mul(tanhOver(tanhScaled(state), one()), hardSigmoid(v128.load(gates, 48))));
    gates += 64;
    outputs += 16;
  }
}
