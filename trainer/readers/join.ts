// Many batches → one: shorter sequences padded in front to the longest of all. Knows no file that they come from.
// Legend: N sequences, T steps, F features.
import { DataError } from "../../shared/errors.ts";
import type { Batch, Column, Timeline } from "./batch.ts";
import { openLabels } from "./issues.ts";
import { openSequenceStore, type SequenceStore, type StoreOptions } from "./stored-sequences.ts";

/** 10 million sequences of 10 × 5: a pipe may have no end. */
const MAX_NUMBERS = 2 ** 29;

/**
 * Reads all batches and joins them; one alone is given as it is, unless `store` says where so many sequences are kept: then `stored` has
 * them, and `values` holds none. `source` names them in errors. Throws DataError, where they hold more than `limit` numbers, too.
 */
export async function joinBatches(
  batches: AsyncIterable<Batch>,
  source: string,
  { limit = MAX_NUMBERS, store }: { readonly limit?: number; readonly store?: StoreOptions } = {},
): Promise<Batch> {
  const { all, counts, open } = await collect(batches, source, limit, store);
  if (all.length === 1 && open === undefined) return all[0];
  try {
    return joinAll(all, counts, source, open);
  } catch (error) {
    open?.close();
    throw error;
  }
}

/** All batches and how many sequences each holds; the store, where there are so many, has their values. */
async function collect(batches: AsyncIterable<Batch>, source: string, limit: number, store: StoreOptions | undefined) {
  const all: Batch[] = [];
  const counts: number[] = [];
  let [numbers, N] = [0, 0];
  let open: SequenceStore | undefined;
  try {
    for await (const batch of batches) {
      all.push(batch);
      counts.push(countOf(batch));
      numbers += batch.values.length;
      N += countOf(batch);
      if (numbers > limit) throw new DataError(source, `holds more than ${limit} numbers: take a part of it`);
      if (store === undefined || batch.timeline || N <= store.above) continue;
      const first = open === undefined ? 0 : all.length - 1;
      open ??= openSequenceStore(store.folder, batch.shape.features);
      for (let i = first; i < all.length; i++) {
        open.add(all[i]);
        all[i] = { ...all[i], values: NONE };
      }
    }
  } catch (error) {
    open?.close();
    throw error;
  }
  return { all, counts, open };
}

function joinAll(all: Batch[], counts: readonly number[], source: string, open: SequenceStore | undefined): Batch {
  const tests = all.flatMap(({ test }) => test ?? []);
  if (tests.length > 1) throw new DataError(source, "hold a test part each: keep one of them, or name one file with --test");
  const validations = all.flatMap(({ validation }) => validation ?? []);
  if (validations.length > 1) throw new DataError(source, "hold a validation part each: keep one of them");
  const { shape, features, dtype, labelName, labels, timeline, columns, inputs } = all[0];
  const timesteps = all.reduce((longest, batch) => Math.max(longest, batch.shape.timesteps), 0);
  const N = counts.reduce((sum, count) => sum + count, 0);
  const target: Target = {
    shape: { ...shape, timesteps },
    values: open ? NONE : new Float64Array(N * timesteps * shape.features),
    labels: labels && openLabels(N, labels instanceof Float64Array),
    probability: all.every(({ probability }) => probability !== null) ? new Float64Array(N) : null,
    columns: openColumns(Object.keys(columns), all, N),
    timeline: timeline && openTimeline(timeline, N),
  };
  let n = 0;
  for (const [i, batch] of all.entries()) {
    copyBatch(batch, counts[i], target, n);
    n += counts[i];
    all[i] = all[0]; // so that they can go one by one
  }
  const [validation] = validations;
  const parts = { test: tests[0] ?? null, ...(validation && { validation }), ...(open && { stored: open.finish(timesteps) }) };
  return { ...target, columns: target.columns as Record<string, Column>, features, dtype, labelName, ...(inputs && { inputs }), ...parts };
}

const NONE = new Float64Array(0);

type Target = Pick<Batch, "shape" | "values" | "labels" | "probability" | "timeline"> & {
  readonly columns: Record<string, Float64Array | string[]>;
};

function countOf({ values, shape }: Batch): number {
  return values.length / (shape.timesteps * shape.features);
}

/** Numbers where all batches have numbers, else texts. */
function openColumns(names: readonly string[], all: readonly Batch[], N: number): Target["columns"] {
  const isNumeric = (name: string): boolean => all.every(({ columns }) => columns[name] instanceof Float64Array);
  return Object.fromEntries(names.map((name) => [name, isNumeric(name) ? new Float64Array(N) : new Array<string>(N)]));
}

function openTimeline({ time }: Timeline, N: number): Timeline {
  return { series: new Int32Array(N), start: new Int32Array(N), time: time && new Float64Array(N) };
}

/** Copies the `count` sequences of a batch to those from number `n` on. */
function copyBatch(batch: Batch, count: number, target: Target, n: number): void {
  const { timesteps, features } = target.shape;
  const size = timesteps * features;
  const from = batch.shape.timesteps * features;
  if (batch.values.length === 0) {
    // a store has them
  } else if (from === size) target.values.set(batch.values, n * size);
  else for (let k = 0; k < count; k++) target.values.set(batch.values.subarray(k * from, (k + 1) * from), (n + k + 1) * size - from);
  if (batch.labels) target.labels?.set(batch.labels, n);
  if (batch.probability) target.probability?.set(batch.probability, n);
  for (const [name, column] of Object.entries(batch.columns)) {
    const out = target.columns[name];
    if (out instanceof Float64Array) out.set(column as Float64Array, n);
    else for (let k = 0; k < count; k++) out[n + k] = String(column[k]);
  }
  if (batch.timeline === undefined) return;
  const { series, start, time } = batch.timeline;
  target.timeline?.series.set(series, n);
  target.timeline?.start.set(start, n);
  if (time) target.timeline?.time?.set(time, n);
}
