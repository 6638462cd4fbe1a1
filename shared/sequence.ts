// What a raw sequence is: up to T rows of F finite numbers, right-aligned in a flat (N,T,F) float64 buffer with zeros in
// front. Where gaps may be, NaN stands for a number that is missing. Knows nothing of recipes beyond what an all-zero row may mean.
// Legend: N sequences, T steps, F features.
import { describe, LimitError, type Path, SequenceError } from "./errors.ts";

export interface Shape {
  /** T: the longest sequence, in rows. */
  readonly timesteps: number;
  /** F: numbers in a row. */
  readonly features: number;
  /** Whether a number may be missing: null in JSON, NaN in the buffer. Left out: it may not. */
  readonly gaps?: boolean;
  /** Whether the last number of a row is its time, in seconds since 1970. */
  readonly clock?: boolean;
  /** Whether people give something else than features: texts of categories, or some of it once a sequence. Left out: rows of features. */
  readonly isExpanded?: boolean;
  /** (F) what the numbers of a row are called, for errors. Left out where nobody named them, or people give something else. */
  readonly names?: readonly string[];
  /** How many numbers of a row are the same in all rows of a sequence: the last ones, before the time. Left out: none. */
  readonly statics?: number;
  /** A row of this number alone is padding wherever it stands. Left out: no number but 0 marks padding. */
  readonly mask?: number;
}

/** What to say of F where features are not what people give; nothing else. */
export function featureAdvice({ isExpanded }: Pick<Shape, "isExpanded">): string {
  return isExpanded
    ? ", as the model's card lists them (a category is a 0 or 1 for each level): /v1/score takes texts and static as they are"
    : "";
}

/** How many numbers a row has whose time is told beside it. */
export function widthWithoutTime({ features, clock }: Pick<Shape, "features" | "clock">): number {
  return clock ? features - 1 : features;
}

export const DEFAULT_SHAPE: Shape = { timesteps: 10, features: 5 };
export const MAX_TIMESTEPS = 512;
export const MAX_FEATURES = 64;

/**
 * What an all-zero row means. `leading`: padding before the first other row, data after it. `any`: padding everywhere, as
 * Keras' `Masking(0)`. `none`: data everywhere, as a Keras model without Masking.
 */
export type Padding = "leading" | "any" | "none";
export const PADDINGS: readonly Padding[] = ["leading", "any", "none"];

/**
 * Parses one sequence (rows of numbers, as JSON gives them) into `out[offset …]`, a (T,F) block that must hold zeros.
 * A shorter sequence fills the last rows. Throws SequenceError naming the place below `path`.
 */
export function parseSequence(value: unknown, path: Path, shape: Shape, out: Float64Array, offset: number): void {
  const { timesteps: T, features: F } = shape;
  if (!Array.isArray(value)) throw new SequenceError(path, `must be an array of up to ${T} rows`, describe(value));
  if (value.length === 0) throw new SequenceError(path, `must have 1 to ${T} rows`, "an empty array");
  if (value.length > T) throw new SequenceError(path, `must have at most ${T} rows`, `${value.length}`);
  let at = offset + (T - value.length) * F;
  for (let t = 0; t < value.length; t++) {
    const row: unknown = value[t];
    if (!Array.isArray(row) || row.length !== F) refuseRow(row, [...path, t], shape);
    for (let f = 0; f < F; f++) {
      const number: unknown = row[f];
      if (typeof number === "number" && Number.isFinite(number)) out[at++] = number;
      else if (number === null && mayLack(shape, f)) out[at++] = Number.NaN;
      else throw new SequenceError([...path, t, f], `must be ${numberRule({ gaps: mayLack(shape, f) })}`, describe(number));
    }
  }
}

/** More names than so many are no help in a sentence. */
const MAX_NAMES = 20;

/** How many numbers a row has, and what they are called, as an error says it. */
export function rowRule({ features: F, names = [] }: Pick<Shape, "features" | "names">): string {
  return `${F} numbers${names.length === 0 || F > MAX_NAMES ? "" : ` (${names.slice(0, F).join(", ")})`}`;
}

/** Throws SequenceError: `row` is no row of F numbers. */
function refuseRow(row: unknown, path: Path, shape: Shape): never {
  const numbers = rowRule(shape);
  if (!Array.isArray(row)) throw new SequenceError(path, `must be an array of ${numbers}`, describe(row));
  if (Array.isArray(row[0])) throw new SequenceError(path, `must be an array of ${numbers}`, "an array of arrays");
  throw new SequenceError(path, `must have ${numbers}${featureAdvice(shape)}`, `${row.length}`);
}

/** Whether a row may lack its number `f`: a row's time never misses. */
export function mayLack({ gaps, clock, features }: Pick<Shape, "gaps" | "clock" | "features">, f: number): boolean {
  return gaps === true && !(clock && f === features - 1);
}

/** What each number of a sequence must be, as an error says it. */
export function numberRule({ gaps }: Pick<Shape, "gaps">): string {
  return gaps ? "a finite number, or null where it is missing" : "a finite number";
}

/** Parses many sequences into one (N,T,F) buffer. Throws LimitError above `maxSequences`, else as parseSequence. */
export function parseSequences(value: unknown, path: Path, shape: Shape, maxSequences: number): Float64Array {
  const sequences = checkSequences(value, path, maxSequences);
  const size = shape.timesteps * shape.features;
  const out = new Float64Array(sequences.length * size);
  for (let n = 0; n < sequences.length; n++) parseSequence(sequences[n], [...path, n], shape, out, n * size);
  return out;
}

/** `value` as a list of one sequence or more, none of them looked at. Throws SequenceError, and LimitError above `maxSequences`. */
export function checkSequences(value: unknown, path: Path, maxSequences: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new SequenceError(path, "must be an array of sequences", describe(value));
  if (value.length === 0) throw new SequenceError(path, "must hold at least one sequence", "an empty array");
  if (value.length > maxSequences)
    throw new LimitError(path, `at most ${maxSequences} sequences a request, got ${value.length}: send them in parts`, maxSequences);
  return value;
}

/**
 * Finds the valid rows of the (T,F) block at `offset`, in order, by what `padding` says of all-zero rows. Writes their
 * indices to `rows` (T) and returns how many there are: the sequence's length, 0 when there is nothing but padding.
 */
export function validRows(values: Float64Array, offset: number, shape: Shape, padding: Padding, rows: Int32Array): number {
  const { timesteps: T, features: F } = shape;
  let length = 0;
  for (let t = 0; t < T; t++) {
    const from = offset + t * F;
    const isData = padding === "none" || (padding === "leading" && length > 0) || !isZeroRow(values, from, shape);
    if (isData && !isMaskedRow(values, from, shape)) rows[length++] = t;
  }
  return length;
}

/** Whether each of the F numbers at `from` is the mask, as float32: a network that masks rows compares them so. */
function isMaskedRow(values: Float64Array, from: number, { features: F, mask }: Shape): boolean {
  if (mask === undefined) return false;
  for (let f = 0; f < F; f++) if (Math.fround(values[from + f]) !== Math.fround(mask)) return false;
  return true;
}

/**
 * Whether the row of F numbers at `from` is all zero (−0 included); one in which a number is missing is not. What is the same in all rows
 * does not count.
 */
export function isZeroRow(values: Float64Array, from: number, shape: Pick<Shape, "features" | "statics" | "clock">): boolean {
  const { features: F, statics = 0, clock } = shape;
  const own = F - statics - (clock ? 1 : 0);
  for (let f = 0; f < own; f++) if (values[from + f] !== 0) return false;
  return !clock || values[from + F - 1] === 0;
}
