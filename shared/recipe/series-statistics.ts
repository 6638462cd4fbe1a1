// Statistics and quantiles of a few numbers, NaN where one is missing. Sums are taken of differences from the first number, so that a
// large offset costs no digits and a constant has deviation 0; finite numbers give finite ones.
// Uses only + − × ÷ and sqrt, so that every host computes the same bits.

/** Order of STATISTICS. */
const MEAN = 0;
const DEVIATION = 1;
const MIN = 2;
const MAX = 3;
const LAST_MINUS_FIRST = 4;
const SLOPE = 5;
const CHANGE = 6;

/** Writes the seven STATISTICS of `x[from] … x[to − 1]`, at rows `from` …, to `out`. NaN where too few are defined. */
export function computeStatistics(x: Float64Array, from: number, to: number, out: Float64Array): void {
  out.fill(Number.NaN);
  let first = from;
  while (first < to && Number.isNaN(x[first])) first++;
  if (first === to) return;
  const origin = x[first];
  let count = 1;
  let sum = 0;
  let sumT = first;
  let min = origin;
  let max = origin;
  let last = origin;
  let before = origin;
  let changes = 0;
  let sumChange = 0;
  for (let t = first + 1; t < to; t++) {
    const value = x[t];
    const change = Math.abs(value - before);
    before = value;
    if (Number.isNaN(value)) continue;
    count++;
    sum += value - origin;
    sumT += t;
    if (value < min) min = value;
    if (value > max) max = value;
    last = value;
    if (Number.isNaN(change)) continue;
    changes++;
    sumChange += change;
  }
  const meanRise = sum / count;
  out[MEAN] = origin + meanRise;
  out[MIN] = min;
  out[MAX] = max;
  out[LAST_MINUS_FIRST] = last - origin;
  if (changes > 0) out[CHANGE] = sumChange / changes;
  const meanT = sumT / count;
  let squares = 0;
  let products = 0;
  let squaresT = 0;
  for (let t = first; t < to; t++) {
    const rise = x[t] - origin - meanRise;
    if (Number.isNaN(rise)) continue;
    squares += rise * rise;
    products += (t - meanT) * rise;
    squaresT += (t - meanT) * (t - meanT);
  }
  if (count > 1) out[SLOPE] = products / squaresT;
  out[DEVIATION] = squares < Infinity ? Math.sqrt(squares / count) : scaledDeviation(x, first, to, origin + meanRise, max - min);
}

/** The deviation where squares overflow: of values in units of their range. */
function scaledDeviation(x: Float64Array, from: number, to: number, mean: number, range: number): number {
  let count = 0;
  let squares = 0;
  for (let t = from; t < to; t++) {
    if (Number.isNaN(x[t])) continue;
    const distance = (x[t] - mean) / range;
    squares += distance * distance;
    count++;
  }
  return range * Math.sqrt(squares / count);
}

/** Writes the defined ones of `x[from] … x[to − 1]` to `sorted`, ascending. Returns how many there are. */
export function sortDefined(x: Float64Array, from: number, to: number, sorted: Float64Array): number {
  let count = 0;
  for (let i = from; i < to; i++) {
    const value = x[i];
    if (Number.isNaN(value)) continue;
    let place = count++;
    for (; place > 0 && sorted[place - 1] > value; place--) sorted[place] = sorted[place - 1];
    sorted[place] = value;
  }
  return count;
}

/** The quantile at `position` (0 to 1) of the first `count` of `sorted`, by linear interpolation; NaN of none. */
export function quantileOf(sorted: Float64Array, count: number, position: number): number {
  if (count === 0) return Number.NaN;
  const at = position * (count - 1);
  const below = Math.floor(at);
  if (below >= count - 1) return sorted[count - 1];
  return sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
}
