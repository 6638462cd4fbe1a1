// What a Worker counts of its requests: plain numbers under texts, which add up whatever isolate they come from. Pure.
import type { RequestRecord } from "../http/request-context.ts";

/** Upper ends, inclusive, as Prometheus has them; what lies above the last counts in the bucket behind it. */
export const DURATION_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
export const BATCH = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;
export const SCORES = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1] as const;
/** Names under one heading; what more there are is counted as `other`: a client must not make the row grow for ever. */
const MAX_NAMES = 200;
const OTHER = "other";

/** How many in each bucket, one more than ends, and their sum. */
export interface Histogram {
  readonly buckets: number[];
  sum: number;
}

/** Plain data. */
export interface Counts {
  /** By `METHOD route status`. */
  requests: Record<string, number>;
  /** By route. */
  durations: Record<string, Histogram>;
  /** Sequences of a request that scored. */
  batches: Histogram;
  /** By model. */
  scores: Record<string, Histogram>;
  /** Settled attempts by `state destination`. */
  deliveries: Record<string, number>;
  /** Things that a monitor could not keep, by what they were. */
  lost: Record<string, number>;
}

/** Nothing counted. */
export function noCounts(): Counts {
  return { requests: {}, durations: {}, batches: openHistogram(BATCH), scores: {}, deliveries: {}, lost: {} };
}

function openHistogram(ends: readonly number[]): Histogram {
  return { buckets: new Array<number>(ends.length + 1).fill(0), sum: 0 };
}

/** One request that is over. */
export function countRequest(counts: Counts, { method, route, status, sequences, durationMs }: RequestRecord): void {
  increase(counts.requests, `${method} ${route} ${status}`, 1);
  put(histogramAt(counts.durations, route, DURATION_S), DURATION_S, durationMs / 1000);
  if (sequences !== undefined && sequences > 0) put(counts.batches, BATCH, sequences);
}

/** What a model said of some sequences. */
export function countScores(counts: Counts, model: string, probabilities: Float32Array): void {
  const histogram = histogramAt(counts.scores, model, SCORES);
  for (const probability of probabilities) put(histogram, SCORES, probability);
}

/** `by` more of `name`. */
export function increase(numbers: Record<string, number>, name: string, by: number): void {
  const key = nameIn(numbers, name);
  numbers[key] = (numbers[key] ?? 0) + by;
}

function nameIn(named: Readonly<Record<string, unknown>>, name: string): string {
  return Object.hasOwn(named, name) || Object.keys(named).length < MAX_NAMES ? name : OTHER;
}

function histogramAt(named: Record<string, Histogram>, name: string, ends: readonly number[]): Histogram {
  const key = nameIn(named, name);
  return (named[key] ??= openHistogram(ends));
}

function put(histogram: Histogram, ends: readonly number[], value: number): void {
  let bucket = 0;
  while (bucket < ends.length && value > ends[bucket]) bucket++;
  histogram.buckets[bucket]++;
  histogram.sum += value;
}

/** Adds `more` to `counts`. */
export function addCounts(counts: Counts, more: Counts): void {
  for (const heading of ["requests", "deliveries", "lost"] as const)
    for (const [name, count] of Object.entries(more[heading])) increase(counts[heading], name, count);
  addHistogram(counts.batches, more.batches);
  for (const [name, histogram] of Object.entries(more.durations)) addHistogram(histogramAt(counts.durations, name, DURATION_S), histogram);
  for (const [name, histogram] of Object.entries(more.scores)) addHistogram(histogramAt(counts.scores, name, SCORES), histogram);
}

function addHistogram(to: Histogram, { buckets, sum }: Histogram): void {
  buckets.forEach((count, b) => {
    to.buckets[b] += count;
  });
  to.sum += sum;
}
