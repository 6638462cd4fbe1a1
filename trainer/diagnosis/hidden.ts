// Which movements may be hidden in the levels, and which differences and ratios say more than levels: score tests against a
// logistic regression, before anything is trained. Legend: M sequences, T steps, C channels, D columns.
import { type Channel, secondFeature } from "../../shared/recipe/channel.ts";
import type { Channels } from "../../shared/recipe/recipe.ts";
import { selectChannels } from "../data/sequences.ts";
import { listCandidates as listChannels, plainChannels } from "../features/candidates.ts";
import { featuresWithGaps } from "../features/facts.ts";
import { BLOCKS, blocksOf, scoreGain } from "../features/score-test.ts";
import { fitLogistic } from "../statistics/logistic.ts";
import { type DataFacts, isStill, SMALL } from "./facts.ts";

export interface Candidates {
  /** All levels first, then movements of features that hardly move, then differences and ratios of pairs, then what is observed of features with gaps. */
  readonly channels: readonly Channel[];
  readonly levels: number;
  readonly movements: number;
  /** How many at the end tell what is observed. */
  readonly observed: number;
}

/** All levels, and what may be hidden in them: changes from row to row, and differences of pairs, that are small against the levels; and what is observed. */
export function listCandidates({ features, movement }: DataFacts, T: number): Candidates {
  const levels = Array.from(features.mean.keys(), (a): Channel => ({ base: "feature", a, view: "level" }));
  const movements = plainChannels(features, T).filter(({ a, view }) => (view === "delta" || view === "logDelta") && isStill(movement[a]));
  const pairs = listChannels(features, T).filter(
    (channel) => secondFeature(channel) !== undefined && !channel.whereObserved && !channel.medianFilled,
  );
  const observed = featuresWithGaps(features).map((a): Channel => ({ base: "observed", a, view: "level" }));
  return {
    channels: [...levels, ...movements, ...pairs, ...observed],
    levels: levels.length,
    movements: movements.length,
    observed: observed.length,
  };
}

/** Of the pairs, those whose difference or log ratio spreads less than either feature; `scale` (K) are the candidates' own. */
export function closePairs({ channels, levels, movements, observed }: Candidates, scale: Float64Array, { features }: DataFacts): number[] {
  const { mean, deviation } = features;
  // of a logarithm, as if it were normal
  const ofLog = (f: number): number => Math.sqrt(Math.log1p((deviation[f] / mean[f]) ** 2));
  const isClose = new Map<string, boolean>();
  return Array.from({ length: channels.length - levels - movements - observed }, (_, i) => levels + movements + i).filter((c) => {
    const channel = channels[c];
    if (channel.base !== "difference" && channel.base !== "logRatio") return false;
    const { base, a, b, view } = channel;
    const key = `${base} ${a} ${b}`;
    if (view === "level") {
      const spreads = base === "difference" ? [deviation[a], deviation[b]] : [ofLog(a), ofLog(b)];
      isClose.set(key, scale[c] < SMALL * Math.min(...spreads));
    }
    return isClose.get(key) === true; // a pair's level comes before its delta
  });
}

/** A score test counts from so many of its standard deviations: one in a thousand by chance, and there are tens of them. */
const SIGNIFICANT = 4;
const MAX_DIFFERENCES = 2;
/** On standardised columns: strong, since a network does not find large opposite weights on two nearly equal features either. */
const PENALTY = 100;
/** Columns of the regression on everything known so far: beyond, only the latest steps are taken. */
const MAX_COLUMNS = 120;
/** Sequences that are looked at. */
const MAX_ROWS = 6000;

/**
 * Tests each of `pairs` beside the levels, the movements, and what was chosen before. `table` holds every candidate, standardised;
 * `labels` are of the same sequences; only those at `rows` are looked at.
 */
export function findHiddenDifferences(
  { channels, levels, movements }: Candidates,
  pairs: readonly number[],
  table: Channels,
  labels: Uint8Array,
  rows: Int32Array,
): number[] {
  const seen = rows.subarray(0, MAX_ROWS);
  const seenLabels = Uint8Array.from(seen, (n) => labels[n]);
  const T = table.channels.length / (table.lengths.length * channels.length);
  const [channelsOfSeen, lengths] = selectChannels(table, seen, T * channels.length);
  const blockOf = (c: number): Float64Array => blocksOf({ channels: channelsOfSeen, lengths }, T, c);
  const known = Array.from({ length: levels + movements }, (_, c) => blockOf(c));
  const chosen: number[] = [];
  while (chosen.length < MAX_DIFFERENCES && pairs.length > chosen.length) {
    const probabilities = explain(known, seenLabels);
    const best = pairs
      .filter((c) => !chosen.includes(c))
      .map((c) => ({ c, ...scoreGain(blockOf(c), [], seenLabels, probabilities) }))
      .reduce((a, b) => (b.gain > a.gain ? b : a));
    if (best.gain <= SIGNIFICANT * best.noise) break;
    chosen.push(best.c);
    known.push(blockOf(best.c));
  }
  return chosen;
}

/** (M) probabilities by a logistic regression on the latest steps of the known channels. */
function explain(known: readonly Float64Array[], labels: Uint8Array): Float64Array {
  const M = labels.length;
  const steps = Math.max(1, Math.min(BLOCKS, Math.floor(MAX_COLUMNS / known.length)));
  const D = known.length * steps;
  const x = new Float64Array(M * D);
  known.forEach((block, k) => {
    for (let n = 0; n < M; n++) for (let j = 0; j < steps; j++) x[n * D + k * steps + j] = block[n * BLOCKS + j];
  });
  return fitLogistic(x, labels, { l2: PENALTY }).predict(x);
}

/** What more than half of the folds chose, the most often chosen first. */
export function chosenByMajority(choices: readonly (readonly number[])[]): number[] {
  const counts = new Map<number, number>();
  for (const choice of choices) for (const c of choice) counts.set(c, (counts.get(c) ?? 0) + 1);
  return [...counts.entries()]
    .filter(([, count]) => 2 * count > choices.length)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .map(([c]) => c);
}
