// A column of rows that counts them, as many programs write one: read as a feature it would say where in the file a row stood. Knows no
// format. Legend: R rows of a batch, F features.
import { DataError } from "../../shared/errors.ts";
import type { Batch } from "./batch.ts";
import type { InputTable } from "./input-table.ts";
import { quoteWord, show } from "./quoting.ts";

/** Fewer rows may count up by chance, as years do. */
const LEAST_ROWS = 30;

/**
 * Passes on the rows of all columns that nobody named; throws DataError behind the last where one of them counts rows, from 0 or 1 on. What
 * `inputs` says is a category is none: its codes count, too.
 */
export async function* refuseRowNumbers(
  batches: AsyncIterable<Batch>,
  inputs: InputTable | undefined,
  source: string,
): AsyncGenerator<Batch> {
  let counters: { readonly name: string; readonly f: number; readonly first: number }[] | null = null;
  let count = 0;
  for await (const batch of batches) {
    const { values, features } = batch;
    const F = batch.shape.features;
    counters ??= (features ?? []).map((name, f) => ({ name, f, first: values[f] })).filter(({ first }) => first === 0 || first === 1);
    counters = counters.filter(({ f, first }) => countsUp(values, F, f, first + count));
    count += values.length / F;
    yield batch;
  }
  const counter = count < LEAST_ROWS ? undefined : counters?.find(({ name }) => inputs?.of(name).kind !== "category");
  if (counter === undefined) return;
  const name = quoteWord(counter.name);
  throw new DataError(
    source,
    `has the column ${show(counter.name)}, which counts the rows from ${counter.first} on: say --id ${name} to leave it out, --time ${name} where it is the time, or name the features with --features`,
  );
}

/** Whether feature `f` of `values` (R,F) is `from`, `from` + 1, … */
function countsUp(values: Float64Array, F: number, f: number, from: number): boolean {
  for (let at = f, expected = from; at < values.length; at += F, expected++) if (values[at] !== expected) return false;
  return true;
}
