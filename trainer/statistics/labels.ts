// Labels of sequences: classes, or soft labels. Which of the two it is, the array's type says, so that classes keep their bits.
// Legend: N sequences.

/** (N) bytes: 0 or 1. (N) floats: soft labels, each the probability of a 1: y counts as y of a 1 and 1 − y of a 0. */
export type Labels = Uint8Array | Float64Array;

/** The labels at `indices`, of the same kind. */
export function takeLabels(labels: Labels, indices: ArrayLike<number>): Labels {
  const at = (n: number): number => labels[n];
  return labels instanceof Float64Array ? Float64Array.from(indices, at) : Uint8Array.from(indices, at);
}

/** The labels of all `parts`, one after the other: soft where one of them is. */
export function joinLabels(parts: readonly Labels[]): Labels {
  const all = parts.flatMap((part) => Array.from(part));
  return parts.some((part) => part instanceof Float64Array) ? Float64Array.from(all) : Uint8Array.from(all);
}

/** Σ of the labels: how many are 1, a soft one in part. */
export function countOnes(labels: ArrayLike<number>): number {
  let sum = 0;
  for (let n = 0; n < labels.length; n++) sum += labels[n];
  return sum;
}

/** The class that a label is nearer to, by which parts are cut; one half is a 1. */
export function classOf(label: number): 0 | 1 {
  return label >= 0.5 ? 1 : 0;
}

/** Whether two labels of equal sequences contradict each other: as 0 and 1 do; soft ones where they are more than one half apart. */
export function contradict(a: number, b: number): boolean {
  return Math.abs(a - b) > 0.5;
}
