// Where a probability becomes a label. Chosen on validation, never on test.
import type { OperatingPoint } from "../shared/model.ts";

/** `even` (0.5, the default) and `best-f1`, the threshold with the highest F1 on the given sequences. */
export function chooseOperatingPoints(labels: ArrayLike<number>, probabilities: Float32Array): OperatingPoint[] {
  return [
    { name: "even", threshold: 0.5 },
    { name: "best-f1", threshold: bestF1Threshold(labels, probabilities) },
  ];
}

function bestF1Threshold(labels: ArrayLike<number>, probabilities: Float32Array): number {
  const order = Array.from(probabilities.keys()).sort((i, j) => probabilities[j] - probabilities[i]);
  const positives = order.reduce((sum, i) => sum + labels[i], 0);
  let best = { f1: 0, threshold: 0.5 };
  let hits = 0;
  order.forEach((i, k) => {
    hits += labels[i];
    const isLastOfTie = k + 1 === order.length || probabilities[order[k + 1]] !== probabilities[i];
    const f1 = (2 * hits) / (k + 1 + positives);
    if (isLastOfTie && f1 > best.f1) best = { f1, threshold: probabilities[i] };
  });
  return best.threshold;
}
