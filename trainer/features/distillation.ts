// What a network learns from: labels, or a teacher's probabilities and labels (knowledge distillation: Hinton, Vinyals & Dean 2015).

/** What a network is trained on: by `distillationWeight` the teacher's probabilities, by the rest labels. */
export interface DistillationTarget {
  readonly teacher: "none" | "logistic regression" | "MLP on summary features";
  /** 0 to 1; 0 is labels alone. */
  readonly distillationWeight: number;
}

export const ON_LABELS: DistillationTarget = { teacher: "none", distillationWeight: 0 };

/** (N) targets between `labels` (N) and a teacher's probabilities, whose `logits` (N) are given. */
export function distil(labels: ArrayLike<number>, logits: ArrayLike<number>, distillationWeight: number): Float32Array {
  return Float32Array.from(
    { length: labels.length },
    (_, n) => (1 - distillationWeight) * labels[n] + distillationWeight / (1 + Math.exp(-logits[n])),
  );
}
