// Which steps of a batch the kernel computes, in which order: masked ones are passed over, and steps may be read backwards. What is left of
// a sequence is moved to the left. Legend: B sequences, T steps, K features of a step.

export interface Steps {
  /** (B) steps that are computed */
  readonly lengths: Int32Array;
  /** (B,T) the step that is computed as number k; undefined where every step is computed at its own place */
  readonly source?: Int32Array;
  /** (B,T) which computed step's output stands at place s of the outputs, −1 before the first; undefined where that is s itself */
  readonly shown?: Int32Array;
}

/** `mask` (B,T), 0 where a step is passed over. Read backwards, the last step is at the first place, as in tfjs and Keras. */
export function planSteps(B: number, T: number, backwards: boolean, mask: ArrayLike<number> | undefined): Steps {
  const lengths = new Int32Array(B).fill(T);
  if (!backwards && mask === undefined) return { lengths };
  const source = new Int32Array(B * T);
  const shown = mask && new Int32Array(B * T);
  for (let b = 0; b < B; b++) {
    let k = 0;
    for (let s = 0; s < T; s++) {
      const t = backwards ? T - 1 - s : s;
      if (mask === undefined || mask[b * T + t]) source[b * T + k++] = t;
      if (shown) shown[b * T + s] = k - 1;
    }
    lengths[b] = k;
  }
  return { lengths, source, ...(shown && { shown }) };
}

/** (B,T,K) `from` into `to`: what is computed as step k from where it stands. */
export function gatherSteps(from: Float32Array, { lengths, source }: Steps, T: number, K: number, to: Float32Array): void {
  if (source === undefined) to.set(from);
  else
    for (let b = 0; b < lengths.length; b++)
      for (let k = 0; k < lengths[b]; k++) {
        const at = (b * T + source[b * T + k]) * K;
        to.set(from.subarray(at, at + K), (b * T + k) * K);
      }
}

/** The reverse: (B,T,K) 0 where nothing is computed. */
export function scatterSteps(from: Float32Array, { lengths, source }: Steps, T: number, K: number): Float32Array {
  if (source === undefined) return from.slice();
  const to = new Float32Array(from.length);
  for (let b = 0; b < lengths.length; b++)
    for (let k = 0; k < lengths[b]; k++) {
      const at = (b * T + k) * K;
      to.set(from.subarray(at, at + K), (b * T + source[b * T + k]) * K);
    }
  return to;
}

/** (B,T,K) outputs as they are shown: a step that is passed over shows the output before it, or `initial` (B,K), or zeros. */
export function showOutputs(from: Float32Array, { lengths, shown }: Steps, T: number, K: number, initial?: Float32Array): Float32Array {
  if (shown === undefined) return from.slice();
  const to = new Float32Array(from.length);
  for (let b = 0; b < lengths.length; b++)
    for (let s = 0; s < T; s++) {
      const k = shown[b * T + s];
      const at = k < 0 ? b * K : (b * T + k) * K;
      const row = k < 0 ? initial?.subarray(at, at + K) : from.subarray(at, at + K);
      if (row) to.set(row, (b * T + s) * K);
    }
  return to;
}

/** Gradients of shown outputs (B,T,K) added up at the steps that they show, into `to` (B,T,K); those that show `initial` into that. */
export function gatherShown(
  from: Float32Array,
  { lengths, shown }: Steps,
  T: number,
  K: number,
  to: Float32Array,
  initial?: Float32Array,
): void {
  if (shown === undefined) {
    to.set(from);
    return;
  }
  to.fill(0);
  for (let b = 0; b < lengths.length; b++)
    for (let s = 0; s < T; s++) {
      const k = shown[b * T + s];
      const target = k < 0 ? initial : to;
      if (target === undefined) continue;
      const [at, own] = [k < 0 ? b * K : (b * T + k) * K, (b * T + s) * K];
      for (let i = 0; i < K; i++) target[at + i] += from[own + i];
    }
}
