// The LSTM cell on four lanes: four units of one sequence or one unit of four sequences, it makes no difference here.
import { inverseSigmoid, tanhOver, tanhScaled } from "./activations";

/**
 * From the four gates before their activation, scaled as the activations take them, to the new cell state at `cell` and one over
 * the output gate at `output`. `first`: there is no state yet, which is a state of zero.
 */
// @ts-ignore: decorator
@inline
export function updateCell(cell: usize, output: usize, i: v128, f: v128, c: v128, o: v128, first: bool): void {
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
