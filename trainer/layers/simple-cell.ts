// A simple recurrent layer (Elman 1990) as operations of tfjs: the kernel has none. Legend: B sequences, T steps, W width, U units.
import * as tf from "@tensorflow/tfjs";

export interface SimpleCell {
  /** (B,T,W) */
  readonly x: tf.Tensor3D;
  /** (B,T) 1 for a row that is read, else 0; undefined where all are. */
  readonly valid: tf.Tensor2D | undefined;
  /** (W,U), (U,U), (U) */
  readonly kernel: tf.Tensor;
  readonly recurrent: tf.Tensor;
  readonly bias: tf.Tensor;
  readonly units: number;
  /** Rows are read from the last to the first. */
  readonly backwards: boolean;
  readonly returns: "sequence" | "state";
}

/** (B,U) the last state, or (B,T,U) that of each row; a row that is passed over shows the state before it. */
export function runSimple({ x, valid, kernel, recurrent, bias, units, backwards, returns }: SimpleCell): tf.Tensor {
  const [B, T, W] = x.shape;
  const inputs = tf.add(tf.matMul(x.reshape([B * T, W]), kernel as tf.Tensor2D), bias).reshape([B, T, units]);
  const states: tf.Tensor[] = new Array(T);
  let state: tf.Tensor = tf.zeros([B, units]);
  for (let step = 0; step < T; step++) {
    const t = backwards ? T - 1 - step : step;
    const sums = tf.add(
      inputs.slice([0, t, 0], [B, 1, units]).reshape([B, units]),
      tf.matMul(state as tf.Tensor2D, recurrent as tf.Tensor2D),
    );
    const next = tf.tanh(sums);
    if (valid === undefined) state = next;
    else {
      const isRead = valid.slice([0, t], [B, 1]);
      state = tf.add(tf.mul(isRead, next), tf.mul(tf.sub(1, isRead), state));
    }
    states[t] = state;
  }
  return returns === "state" ? state : tf.stack(states, 1);
}
