// Numbers that stand alone far outside the others of their feature, as a slipped decimal point or a sentinel does. Knows no feature.

/** A few numbers far from the median, and between what the others lie. */
export interface FarNumbers {
  readonly count: number;
  /** The farthest of them. */
  readonly farthest: number;
  readonly min: number;
  readonly max: number;
}

/** So many times as far from the median as any of the others. (Of Student's t with 2 degrees of freedom, the farthest of a sample is so far once in 10,000 samples.) */
const FACTOR = 100;
/** More than this share is no mistake but a distribution. */
const MAX_SHARE = 1e-3;
/** Of fewer numbers nothing is known. */
const MIN_NUMBERS = 50;

/** The numbers of `numbers`, all finite, that stand alone; null where none does. */
export function findFarNumbers(numbers: Float64Array): FarNumbers | null {
  const { length } = numbers;
  if (length < MIN_NUMBERS) return null;
  const sorted = numbers.slice().sort();
  const median = sorted[length >> 1];
  let [low, high] = [0, length - 1];
  let found: FarNumbers | null = null;
  const most = Math.max(1, Math.floor(MAX_SHARE * length));
  const farthest = median - sorted[low] > sorted[high] - median ? sorted[low] : sorted[high];
  for (let count = 1; count <= most; count++) {
    const isLow = median - sorted[low] > sorted[high] - median;
    const distance = isLow ? median - sorted[low++] : sorted[high--] - median;
    const next = Math.max(median - sorted[low], sorted[high] - median);
    if (next > 0 && distance > FACTOR * next) found = { count, farthest, min: sorted[low], max: sorted[high] };
  }
  return found;
}
