// Binary cross-entropy, everywhere in the trainer but inside the kernel: of labels against logits or probabilities, and of
// probabilities against probabilities. In nats. Legend: N sequences.

/**
 * Under a logarithm a probability is held this far from 0 and 1: float64's epsilon, as sklearn.metrics.log_loss clips. A certain
 * miss costs 36.04 nats. Logits need no clip.
 */
const LOG_EPSILON = 2 ** -52;
/** No loss is clipped by it, but the calibration of every artifact is fitted on logits that are held so: it stays as it is. */
const LOGIT_EPSILON = 2 ** -50;

/** Log loss of `label` (0 to 1) where the model says `logit`: max(z,0) − y·z + log(1 + e^−|z|), which overflows for no float64. */
export function logLossOfLogit(label: number, logit: number): number {
  return Math.max(logit, 0) - label * logit + Math.log1p(Math.exp(-Math.abs(logit)));
}

/** Log loss of `label` (0 to 1) where the model says `probability` of label 1, clipped as sklearn.metrics.log_loss clips. */
export function logLossOf(label: number, probability: number): number {
  const clipped = clip(probability);
  if (label !== 0 && label !== 1) return -label * Math.log(clipped) - (1 - label) * Math.log1p(-clipped);
  return label === 1 ? -Math.log(clipped) : -Math.log1p(-clipped);
}

/** (N) the log loss in float32 of `logits` (N) at the sequences `indices` (N), of which `labels` has the labels of all. */
export function logLossesOfLogits(labels: ArrayLike<number>, logits: Float32Array, indices: Int32Array): Float32Array {
  return logits.map((logit, i) => logLossOfLogit(labels[indices[i]], logit));
}

/** (N) the log loss of each sequence, of labels (N, 0 to 1) and probabilities of label 1 (N). */
export function logLosses(labels: ArrayLike<number>, probabilities: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: labels.length }, (_, n) => logLossOf(labels[n], probabilities[n]));
}

/** Expected log loss of saying `q` of events whose probability is `p`: entropy(p) + KL(p‖q). `q` is clipped. */
export function crossEntropy(p: number, q: number): number {
  return p * logLossOf(1, q) + (1 - p) * logLossOf(0, q);
}

/** Entropy of an event of probability `p`: the log loss of who knows p exactly. 0 at 0 and 1, and nothing is clipped. */
export function entropy(p: number): number {
  return p <= 0 || p >= 1 ? 0 : -p * Math.log(p) - (1 - p) * Math.log1p(-p);
}

/** Mean entropy of events of probabilities `p` (N). */
export function meanEntropy(p: ArrayLike<number>): number {
  let sum = 0;
  for (let n = 0; n < p.length; n++) sum += entropy(p[n]);
  return sum / p.length;
}

/** The logit of a probability, finite for every one: held within ±34.66. */
export function logitOf(probability: number): number {
  const held = Math.min(1 - LOGIT_EPSILON, Math.max(LOGIT_EPSILON, probability));
  return Math.log(held / (1 - held));
}

function clip(probability: number): number {
  return Math.max(LOG_EPSILON, Math.min(1 - LOG_EPSILON, probability));
}
