// Which sequences share rows, and how many steps apart they start: windows cut from one series give themselves away, whatever
// the file's order. Looks at rows alone; knows no labels and no parts.
// Legend: N sequences, D distinct ones, T steps, F features.
import { type Padding, type Shape, validRows } from "../../shared/sequence.ts";
import { firstBlocks, intern } from "./intern.ts";
import { doubleRuns, type Links, linkRuns } from "./row-links.ts";
import { followLinks, type SeriesOffsets } from "./series-offsets.ts";

export interface Overlap extends SeriesOffsets {
  /**
   * `series`: sequences share rows, and agree on when those happened. `coincidence`: rows recur, but what surrounds them differs,
   * as with counts or flags. `none`: no row is in two sequences, whole copies apart.
   */
  readonly finding: "series" | "coincidence" | "none";
  /** Share of the recurring rows whose surroundings differ, or of the links that disagree on the time. */
  readonly contradictions: number;
  /** (N) sequences equal in every row have the same number, 0 … distinct − 1. */
  readonly copy: Int32Array;
  readonly distinct: number;
}

/** A real series has a few rows that recur by chance, such as a missing value; rows shared by coincidence contradict nearly always. */
const MAX_CONTRADICTIONS = 0.05;
/** Among many coincidences a few look like a series. */
const MIN_LINKED = 0.05;

/**
 * Finds the sequences of `values` (N,T,F) that share rows, compared by their bits. Two sequences that share a row belong
 * together when most of the rows around it are the same in both. Where rows recur by chance, runs of 2, 4, … rows take their
 * place, and neighbours in the file may show what single rows cannot. Padding is shared with nobody.
 */
export function findOverlap(values: Float64Array, shape: Shape, padding: Padding): Overlap {
  return findOverlapOfRows(identifyRows(values, shape, padding), shape.timesteps);
}

/** As findOverlap, of `rows` (N,T): a number for every distinct row, −1 for padding and where nothing is observed. */
export function findOverlapOfRows(rows: Int32Array, T: number): Overlap {
  const interned = intern(rows, T, null);
  const { ids: copy, count: distinct } = interned;
  const { series, contradictions } = followRows(collapse(rows, firstBlocks(interned), T), distinct, T);
  const candidates: SeriesOffsets[] = [];
  if (series !== null) {
    const { component, components, offset } = series;
    candidates.push({ component: copy.map((d) => component[d]), components, offset: copy.map((d) => offset[d]) });
  }
  const neighbours = contradictions > MAX_CONTRADICTIONS ? followFile(rows, T) : null;
  if (neighbours !== null) candidates.push(neighbours);
  const plausible = candidates.filter(
    ({ components }) => contradictions <= MAX_CONTRADICTIONS || components <= (1 - MIN_LINKED) * distinct,
  );
  if (plausible.length > 0) {
    const best = plausible.reduce((a, b) => (b.components < a.components ? b : a));
    return { finding: "series", contradictions, copy, distinct, ...best };
  }
  const finding = contradictions > 0 ? "coincidence" : "none";
  return { finding, contradictions, copy, distinct, component: copy, components: distinct, offset: new Int32Array(copy.length) };
}

/**
 * What runs of 1, 2, 4, … rows of the distinct sequences, `moments` (D,T), say about who follows whom: null where they link nothing,
 * or links contradict each other too often. `contradictions` as in Overlap.
 */
function followRows(moments: Int32Array, D: number, T: number): { series: SeriesOffsets | null; contradictions: number } {
  const trusted: Links[] = [];
  let runs = moments;
  let contradictions = 0;
  for (let length = 1; length < Math.max(2, T); length *= 2) {
    const links = linkRuns(runs, T);
    const { recurring, contradicting, repeated } = links;
    if (length === 1 && recurring + repeated > 0) contradictions = (contradicting + repeated) / (recurring + repeated);
    if (contradicting <= MAX_CONTRADICTIONS * recurring) trusted.push(links);
    if (contradicting + repeated === 0) break; // longer runs would say the same
    runs = doubleRuns(runs, length, T);
  }
  const followed = trusted.reduce((sum, { count }) => sum + count, 0);
  if (followed === 0) return { series: null, contradictions };
  const series = followLinks(trusted, D, T);
  return {
    series: series.conflicts <= MAX_CONTRADICTIONS * followed ? series : null,
    contradictions: Math.max(contradictions, series.conflicts / followed),
  };
}

/** (N,T) a number for every distinct row, −1 for padding and where nothing is observed, which tells no moment. */
function identifyRows(values: Float64Array, shape: Shape, padding: Padding): Int32Array {
  const { timesteps: T, features: F } = shape;
  const N = values.length / (T * F);
  const isValid = new Uint8Array(N * T);
  const rows = new Int32Array(T);
  for (let n = 0; n < N; n++) {
    const length = validRows(values, n * T * F, shape, padding, rows);
    for (let i = 0; i < length; i++) isValid[n * T + rows[i]] = isObserved(values, (n * T + rows[i]) * F, F) ? 1 : 0;
  }
  return intern(new Int32Array(values.buffer, values.byteOffset, 2 * values.length), 2 * F, isValid).ids;
}

/** Whether the row of F numbers at `from` has a number at all. */
export function isObserved(values: Float64Array, from: number, F: number): boolean {
  for (let f = 0; f < F; f++) if (!Number.isNaN(values[from + f])) return true;
  return false;
}

/**
 * (D,T) the rows of the distinct sequences, which stand `first` in `rows` (N,T); left-aligned, −1 behind. Rows that stay the same
 * count once: a closed market is one moment, however long. Time is counted in such moments, so no gap gets shorter than in steps.
 */
function collapse(rows: Int32Array, first: Int32Array, T: number): Int32Array {
  const moments = new Int32Array(first.length * T).fill(-1);
  for (let d = 0; d < first.length; d++) {
    let last = -1;
    let length = 0;
    for (let t = 0; t < T; t++) {
      const row = rows[first[d] * T + t];
      if (row >= 0 && row !== last) moments[d * T + length++] = row;
      last = row;
    }
  }
  return moments;
}

/**
 * Windows in the file's order, whatever their rows hold: when each sequence and the next are the same but for one shift, at least
 * half of the time and twice as often as sequences far apart. A window that recurs elsewhere counts as another moment.
 */
function followFile(rows: Int32Array, T: number): SeriesOffsets | null {
  const N = rows.length / T;
  const isShifted = (a: number, b: number, shift: number): boolean => {
    let compared = 0;
    for (let t = 0; t + shift < T; t++) {
      const x = rows[a * T + t + shift];
      const y = rows[b * T + t];
      if (x < 0 || y < 0) continue;
      if (x !== y) return false;
      compared++;
    }
    return compared > 0;
  };
  for (let shift = 1; shift < T; shift++) {
    let near = 0;
    let far = 0;
    for (let n = 0; n + 1 < N; n++) {
      if (isShifted(n, n + 1, shift)) near++;
      if (isShifted(n, (n + (N >> 1)) % N, shift)) far++;
    }
    if (2 * near < N - 1 || 2 * far > near) continue;
    const component = new Int32Array(N);
    const offset = new Int32Array(N);
    for (let n = 1; n < N; n++) {
      const isNext = isShifted(n - 1, n, shift);
      component[n] = component[n - 1] + (isNext ? 0 : 1);
      offset[n] = isNext ? offset[n - 1] + shift : 0;
    }
    return { component, components: component[N - 1] + 1, offset };
  }
  return null;
}
