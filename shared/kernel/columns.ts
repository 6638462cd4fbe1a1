// What a tabular view may know of two series side by side, lane by lane what shared/recipe/series-definition.ts says, with its bits: the
// same operations in the same order. Addresses are this file's own: the caller writes series and reads columns where they are.
// Here, since intervals are ordered by minima and maxima, which V8 makes branches of in JavaScript: a third of a score (measured).
//
//   series   (2,MAX_TIMESTEPS) f64, NaN where a row has no number
//   columns  (2P − 1 + 7 + quantiles, 2) f64: levels, the last first; changes; statistics; quantiles of levels, then of changes
//   sorted   (MAX_PARTS, 2) f64 for each of the intervals' lengths: all intervals into which a stretch is halved equally often
import { GATES_END } from "./activations";

/** As in shared/sequence.ts and shared/recipe/tabular.ts. */
const MAX_TIMESTEPS: usize = 512;
const MAX_PARTS: usize = 24;
/** Columns at most: 24 levels, 23 changes, 7 statistics, 28 quantiles of each. */
const MAX_COLUMNS: usize = 110;

const LANE: usize = MAX_TIMESTEPS << 3;
export const SERIES: usize = GATES_END;
export const COLUMNS: usize = SERIES + 2 * LANE;
const SORTED: usize = COLUMNS + 16 * MAX_COLUMNS;
/** A multiple of 64: where others' memory begins. */
export const COLUMNS_END: usize = (SORTED + 16 * MAX_PARTS + 63) & ~63;

/** Where the caller puts the first of two series; the other is 4,096 bytes behind it. */
export function seriesAddress(): usize {
  return SERIES;
}

/** Where columns are found. */
export function columnsAddress(): usize {
  return COLUMNS;
}

/** Row t of both series. */
// @ts-ignore: decorator
@inline
function rowAt(t: usize): v128 {
  const at = SERIES + (t << 3);
  return v128.load64_lane(at, v128.load64_zero(at), 1, LANE);
}

/** Which lanes hold a number. */
// @ts-ignore: decorator
@inline
function defined(x: v128): v128 {
  return f64x2.eq(x, x);
}

/**
 * Columns of the first `length` rows of both series, at least 1. `width` rows are a part, `parts` parts are looked at, `depth` times their
 * stretch is halved; −1: no quantiles.
 */
export function fillColumns(length: usize, width: usize, parts: usize, depth: i32): void {
  averageParts(length, width, parts);
  const changes = COLUMNS + (parts << 4);
  for (let at = COLUMNS; at < changes - 16; at += 16)
    v128.store(at + (parts << 4), f64x2.sub(v128.load(at), v128.load(at, 16)));
  const statistics = changes + ((parts - 1) << 4);
  takeStatistics(length, statistics);
  if (depth < 0) return;
  const out = takeQuantiles(COLUMNS, parts, depth, statistics + 7 * 16);
  takeQuantiles(changes, parts - 1, depth, out);
}

/** (parts) means of `width` rows each, the last first; NaN where no row is defined. */
function averageParts(length: usize, width: usize, parts: usize): void {
  let to = COLUMNS;
  let end = <isize>length;
  for (let p: usize = 0; p < parts; p++) {
    let origin = f64x2.splat(NaN);
    let sum = f64x2.splat(0);
    let count = f64x2.splat(0);
    for (let t = max<isize>(0, end - <isize>width); t < end; t++) {
      const x = rowAt(<usize>t);
      const isDefined = defined(x);
      origin = v128.bitselect(origin, x, defined(origin));
      sum = f64x2.add(sum, v128.and(f64x2.sub(x, origin), isDefined));
      count = f64x2.add(count, v128.and(f64x2.splat(1), isDefined));
    }
    v128.store(to, f64x2.add(origin, f64x2.div(sum, count)));
    to += 16;
    end -= <isize>width;
  }
}

/** The seven statistics of all rows, in the order of STATISTICS of shared/recipe/tabular.ts. */
function takeStatistics(length: usize, out: usize): void {
  let origin = f64x2.splat(NaN);
  for (let t: usize = 0; t < length; t++) {
    origin = v128.bitselect(origin, rowAt(t), defined(origin));
    if (i64x2.all_true(defined(origin))) break;
  }
  const unit = f64x2.splat(1);
  let time = f64x2.splat(0);
  let count = time;
  let sum = time;
  let sumT = time;
  let changes = time;
  let sumChange = time;
  let lowest = origin;
  let highest = origin;
  let last = origin;
  let before = f64x2.splat(NaN);
  for (let t: usize = 0; t < length; t++) {
    const x = rowAt(t);
    const isDefined = defined(x);
    const change = f64x2.abs(f64x2.sub(x, before));
    const isChange = defined(change);
    before = x;
    count = f64x2.add(count, v128.and(unit, isDefined));
    sum = f64x2.add(sum, v128.and(f64x2.sub(x, origin), isDefined));
    sumT = f64x2.add(sumT, v128.and(time, isDefined));
    lowest = f64x2.pmin(lowest, x);
    highest = f64x2.pmax(highest, x);
    last = v128.bitselect(x, last, isDefined);
    changes = f64x2.add(changes, v128.and(unit, isChange));
    sumChange = f64x2.add(sumChange, v128.and(change, isChange));
    time = f64x2.add(time, unit);
  }
  const meanRise = f64x2.div(sum, count);
  const meanT = f64x2.div(sumT, count);
  time = f64x2.splat(0);
  let squares = time;
  let products = time;
  let squaresT = time;
  for (let t: usize = 0; t < length; t++) {
    const rise = f64x2.sub(f64x2.sub(rowAt(t), origin), meanRise);
    const isDefined = defined(rise);
    const distance = f64x2.sub(time, meanT);
    squares = f64x2.add(squares, v128.and(f64x2.mul(rise, rise), isDefined));
    products = f64x2.add(products, v128.and(f64x2.mul(distance, rise), isDefined));
    squaresT = f64x2.add(squaresT, v128.and(f64x2.mul(distance, distance), isDefined));
    time = f64x2.add(time, unit);
  }
  const mean = f64x2.add(origin, meanRise);
  v128.store(out, mean, 0);
  v128.store(out, f64x2.sqrt(f64x2.div(squares, count)), 16);
  v128.store(out, lowest, 32);
  v128.store(out, highest, 48);
  v128.store(out, f64x2.sub(last, origin), 64);
  v128.store(out, f64x2.div(products, squaresT), 80);
  v128.store(out, f64x2.div(sumChange, changes), 96);
  for (let lane: usize = 0; lane < 2; lane++)
    if (load<f64>(out + (lane << 3), 16) == Infinity)
      store<f64>(out + (lane << 3), scaledDeviation(SERIES + lane * LANE, length, out + (lane << 3)), 16);
}

/** The deviation where squares overflow: of the series at `x`, whose other statistics are known, in units of its range. */
function scaledDeviation(x: usize, length: usize, statistics: usize): f64 {
  const mean = load<f64>(statistics);
  const range = load<f64>(statistics, 48) - load<f64>(statistics, 32);
  let count: f64 = 0;
  let squares: f64 = 0;
  for (const end = x + (length << 3); x < end; x += 8) {
    const value = load<f64>(x);
    if (value != value) continue;
    const distance = (value - mean) / range;
    squares += distance * distance;
    count++;
  }
  return range * sqrt<f64>(squares / count);
}

/**
 * Quantiles of the intervals into which `size` numbers at `from` are halved, as intervalsOf of shared/recipe/tabular.ts lists them, to
 * `out`. Returns the first byte behind them. The shortest intervals are sorted first; two that are one when halved once less are merged.
 */
function takeQuantiles(from: usize, size: usize, depth: i32, out: usize): usize {
  let deepest: usize = 0;
  if (size < 2) return out;
  while (deepest < usize(depth) && size >= <usize>4 << deepest) deepest++;
  for (let i: usize = 0; i < size; i++) {
    const x = v128.load(from + (i << 4));
    v128.store(SORTED + (i << 4), v128.bitselect(x, f64x2.splat(Infinity), defined(x))); // behind all that is defined
  }
  const pieces: usize = 1 << deepest;
  for (let i: usize = 0; i < pieces; i++) {
    const begin = (i * size) >> deepest;
    const end = ((i + 1) * size) >> deepest;
    for (let next = begin + 1; next < end; next++) insert(begin, next);
  }
  let last = out + (countQuantiles(size, deepest) << 4);
  const behind = last;
  for (let left = deepest + 1; left; left--) {
    const halvings = left - 1;
    for (let i = <usize>1 << halvings; i--; ) {
      const begin = (i * size) >> halvings;
      const end = ((i + 1) * size) >> halvings;
      if (halvings < deepest) {
        const middle = (((i << 1) + 1) * size) >> (halvings + 1);
        for (let next = middle; next < end; next++) insert(begin + (next - middle), next);
      }
      const count = ((end - begin - 1) >> 2) + 1;
      last -= count << 4;
      interpolate(SORTED + (begin << 4), end - begin, count, last);
    }
  }
  return behind;
}

/** How many there are. */
function countQuantiles(size: usize, deepest: usize): usize {
  let count: usize = 0;
  for (let halvings: usize = 0; halvings <= deepest; halvings++)
    for (let i: usize = 0; i >> halvings == 0; i++) {
      const length = (((i + 1) * size) >> halvings) - ((i * size) >> halvings);
      count += ((length - 1) >> 2) + 1;
    }
  return count;
}

/**
 * Number `next` of `sorted` goes down to where it belongs among those from `lowest` on, which are sorted. Equal ones stay in their order.
 * pmin and pmax in this order are one instruction each.
 */
// @ts-ignore: decorator
@inline
function insert(lowest: usize, next: usize): void {
  const end = SORTED + (lowest << 4);
  let at = SORTED + (next << 4);
  let x = v128.load(at);
  for (; at > end; at -= 16) {
    const below = v128.load(at - 16);
    v128.store(at, f64x2.pmax(x, below));
    x = f64x2.pmin(below, x);
  }
  v128.store(end, x);
}

/** `count` quantiles of the `size` sorted numbers at `from`, +∞ where none is, evenly from the least to the largest; one: the median. */
function interpolate(from: usize, size: usize, count: usize, out: usize): void {
  const last = from + ((size - 1) << 4);
  if (load<f64>(last) == Infinity || load<f64>(last, 8) == Infinity) {
    for (let lane: usize = 0; lane < 16; lane += 8) interpolateLane(from + lane, size, count, out + lane);
    return;
  }
  for (let q: usize = 0; q < count; q++) {
    const at = positionOf(q, count) * f64(size - 1);
    const below = <usize>at;
    const low = from + (below << 4);
    let quantile = v128.load(low);
    if (low < last) {
      const rise = f64x2.sub(v128.load(low, 16), quantile);
      quantile = f64x2.add(quantile, f64x2.mul(f64x2.splat(at - f64(below)), rise));
    }
    v128.store(out + (q << 4), quantile);
  }
}

/** The same of one lane, in which numbers may be missing. */
function interpolateLane(from: usize, size: usize, count: usize, out: usize): void {
  while (size > 0 && load<f64>(from + ((size - 1) << 4)) == Infinity) size--;
  for (let q: usize = 0; q < count; q++) {
    let quantile: f64 = NaN;
    if (size > 0) {
      const at = positionOf(q, count) * f64(size - 1);
      const below = <usize>at;
      const low = from + (below << 4);
      quantile = load<f64>(low);
      if (below < size - 1) quantile += (at - f64(below)) * (load<f64>(low, 16) - quantile);
    }
    store<f64>(out + (q << 4), quantile);
  }
}

/** Of quantile q of `count`: 0 to 1. */
// @ts-ignore: decorator
@inline
function positionOf(q: usize, count: usize): f64 {
  return count == 1 ? 0.5 : f64(q) / f64(count - 1);
}
