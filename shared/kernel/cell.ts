// The LSTM cell on four lanes: four units of one sequence or one unit of four sequences, it makes no difference here.
// `hard` is a constant where these are called: gates that are min(max(x, 0), 1), the slope and the half of a hard sigmoid being
// in the packed weights. Else gates are true sigmoids.
import { hardSigmoid, inverseSigmoid, one, tanhOver, tanhScaled } from "./activations";

/**
 * From the four gates before their activation, scaled as the activations take them, to the new cell state at `cell` and one over
 * the output gate (hard: the gate itself) at `output`. `first`: there is no state yet, which is a state of zero.
 */
// @ts-ignore: decorator
@inline
export function updateCell(cell: usize, output: usize, i: v128, f: v128, c: v128, o: v128, first: bool, hard: bool): void {
  if (hard) {
    let state = f32x4.mul(tanhOver(c, one()), hardSigmoid(i));
    if (!first) state = f32x4.add(state, f32x4.mul(v128.load(cell), hardSigmoid(f)));
    v128.store(cell, state);
    v128.store(output, hardSigmoid(o));
    return;
  }
  let state = tanhOver(c, inverseSigmoid(i));
  if (!first) state = f32x4.add(state, f32x4.div(v128.load(cell), inverseSigmoid(f)));
  v128.store(cell, state);
  v128.store(output, inverseSigmoid(o));
}

/**
 * output gate · tanh(cell) over `count` vectors, in place at `outputs`: the new state. A pass of its own, since here the many
 * tanh overlap, while at the end of updateCell each waits for its own cell (measured: 5 % of a batch).
 */
export function finishOutputs(cells: usize, outputs: usize, count: usize): void {
  const end = outputs + (count << 4);
  while (outputs < end) {
    v128.store(outputs, tanhOver(tanhScaled(v128.load(cells)), v128.load(outputs)));
    cells += 16;
    outputs += 16;
  }
}

/** The same where `outputs` holds the gates themselves. */
export function finishHardOutputs(cells: usize, outputs: usize, count: usize): void {
  const end = outputs + (count << 4);
  while (outputs < end) {
    v128.store(outputs, f32x4.mul(tanhOver(tanhScaled(v128.load(cells)), one()), v128.load(outputs)));
    cells += 16;
    outputs += 16;
  }
}
