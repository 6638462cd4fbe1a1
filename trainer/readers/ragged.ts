// Sequences of different lengths in NumPy's arrays: all rows one after the other, and how many each sequence has, or where each
// begins. Knows neither bytes nor files. Legend: R rows of all sequences, N sequences, T steps of the longest, F features.
import { DataError } from "../../shared/errors.ts";
import { type NpyArray, showShape } from "../../shared/npy.ts";
import { MAX_FEATURES, MAX_TIMESTEPS, type Shape } from "../../shared/sequence.ts";
import type { Wanted } from "./batch.ts";
import { expectNumber, FILL_ADVICE } from "./issues.ts";
import { padInFront } from "./padding.ts";

/** Names of the rows, and of what says whose they are: one of these. */
export const RAGGED_NAMES = { values: "values", lengths: "lengths", offsets: "offsets" } as const;

/** How to save such sequences, for whoever saved Python objects. */
export const RAGGED_ADVICE = `save sequences of different lengths as rows and lengths:
  lengths = np.array([len(x) for x in X])
  values = np.concatenate(X)
  np.savez("mine.npz", values=values, lengths=lengths, y=y)`;

/** (R,F), or (R) for one feature, with (N) lengths or (N+1) offsets → sequences padded in front. Throws DataError. */
export function readRagged(
  rows: NpyArray,
  counts: { readonly name: "lengths" | "offsets"; readonly array: NpyArray },
  source: string,
  { onIssue, gaps, gapAdvice }: Pick<Wanted, "onIssue" | "gaps" | "gapAdvice">,
): { values: Float64Array; shape: Shape; dtype: string } {
  const { values: name } = RAGGED_NAMES;
  const [R, F = 1] = rows.shape;
  if (!(rows.data instanceof Float64Array)) throw new DataError(source, `${name} holds text, expected numbers`);
  if (rows.shape.length < 1 || rows.shape.length > 2 || F < 1 || F > MAX_FEATURES)
    throw new DataError(source, `${name} has shape ${showShape(rows.shape)}, expected (R, F): the rows of all sequences`);
  const offsets = toOffsets(counts.array, counts.name, R, source);
  const N = offsets.length - 1;
  if (N === 0) throw new DataError(source, `${counts.name} has no entry: it holds no sequence`);
  let timesteps = 1;
  for (let n = 0; n < N; n++) timesteps = Math.max(timesteps, offsets[n + 1] - offsets[n]);
  if (timesteps > MAX_TIMESTEPS) throw new DataError(source, `holds a sequence of ${timesteps} rows, expected at most ${MAX_TIMESTEPS}`);
  for (let i = 0; i < rows.data.length; i++)
    if (gaps && Number.isNaN(rows.data[i]))
      rows.data[i] = Number.NaN; // one bit pattern, so that equal rows are equal
    else if (!Number.isFinite(rows.data[i]))
      onIssue(
        source,
        `${name}[${Math.floor(i / F)}][${i % F}] is ${rows.data[i]}, ${expectNumber(Number.isNaN(rows.data[i]), { gapAdvice }, FILL_ADVICE)}`,
      );
  const shape = { timesteps, features: F };
  return {
    values: padInFront(
      rows.data,
      Array.from(offsets, (row) => row * F),
      timesteps * F,
    ),
    shape,
    dtype: rows.dtype,
  };
}

/** (N+1) the first row of each sequence, and R. Throws DataError where they do not cover all rows once. */
function toOffsets({ shape, data }: NpyArray, name: "lengths" | "offsets", R: number, source: string): Float64Array {
  if (!(data instanceof Float64Array) || shape.length !== 1)
    throw new DataError(source, `${name} has shape ${showShape(shape)}, expected one whole number a sequence`);
  if (name === "offsets") {
    const isRising = data.every((row, i) => Number.isInteger(row) && row >= (i === 0 ? 0 : data[i - 1]));
    if (!isRising || data[0] !== 0 || data[data.length - 1] !== R)
      throw new DataError(source, `offsets must rise from 0 to the ${R} rows of values, one more than sequences: got ${showNumbers(data)}`);
    return data;
  }
  const offsets = new Float64Array(data.length + 1);
  for (const [n, length] of data.entries()) {
    if (!Number.isInteger(length) || length < 0) throw new DataError(source, `lengths[${n}] is ${length}, expected a whole number of rows`);
    offsets[n + 1] = offsets[n] + length;
  }
  if (offsets[data.length] !== R) throw new DataError(source, `lengths sum to ${offsets[data.length]}, but values has ${R} rows`);
  return offsets;
}

function showNumbers(numbers: Float64Array): string {
  return numbers.length <= 4 ? numbers.join(", ") : `${numbers[0]}, ${numbers[1]}, … ${numbers[numbers.length - 1]}`;
}
