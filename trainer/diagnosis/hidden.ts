// Which movements, differences and ratios tell what the levels do not: score tests against a logistic regression, before
// anything is trained. Legend: M sequences, T steps, C channels, D columns.
import type { Channel, Channels } from "../../shared/recipe.ts";
import { fitLogistic } from "../logistic.ts";
import { listCandidates, plainChannels } from "../representation/candidates.ts";
import type { FeatureFacts } from "../representation/features.ts";
import { BLOCKS, blocksOf, scoreGain } from "../representation/score-test.ts";

export interface Hidden {
  /** Positions in the list of candidates. */
  readonly movement: readonly number[];
  readonly difference: readonly number[];
}

export interface Candidates {
  /** All levels first, then movements, then differences and ratios of pairs. */
  readonly channels: readonly Channel[];
  readonly levels: number;
  readonly movements: number;
}

/** A score test counts from so many of its standard deviations: one in a thousand by chance, and there are tens of them. */
const SIGNIFICANT = 4;
const MAX_DIFFERENCES = 2;
/** On standardised columns. */
const PENALTY = 10;
/** Columns of the regression on everything known so far: beyond, only the latest steps are taken. */
const MAX_COLUMNS = 120;
/** Sequences that are looked at. */
const MAX_ROWS = 6000;

/**
 * Tests each movement beside all levels, then each pair beside levels and movements. `table` holds every candidate, standardised;
 * `labels` are of the same sequences; only those at `rows` are looked at.
 */
export function findHidden(
  { channels, levels, movements }: Candidates,
  table: Channels,
  T: number,
  labels: Uint8Array,
  rows: Int32Array,
): Hidden {
  const seen = rows.subarray(0, MAX_ROWS);
  const own = Uint8Array.from(seen, (n) => labels[n]);
  const K = channels.length;
  const blocks = channels.map((_, c) => {
    const all = blocksOf(table, T, c);
    const out = new Float64Array(seen.length * BLOCKS);
    seen.forEach((n, i) => {
      out.set(all.subarray(n * BLOCKS, (n + 1) * BLOCKS), i * BLOCKS);
    });
    return out;
  });
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
  const best = (candidates: readonly number[], known: readonly number[]): number[] => {
    if (candidates.length === 0) return [];
    const probabilities = explain(
      known.map((c) => blocks[c]),
      own,
    );
    return candidates
      .map((c) => ({ c, ...scoreGain(blocks[c], [], own, probabilities) }))
      .filter(({ gain, noise }) => gain > SIGNIFICANT * noise)
      .sort((a, b) => b.gain - a.gain)
      .map(({ c }) => c);
  };
  const level = range(0, levels);
  const movement = best(range(levels, levels + movements), level);
  const difference: number[] = [];
  const pairs = range(levels + movements, K);
  while (difference.length < MAX_DIFFERENCES) {
    const next = best(
      pairs.filter((c) => !difference.includes(c)),
      [...range(0, levels + movements), ...difference],
    )[0];
    if (next === undefined) break;
    difference.push(next);
  }
  return { movement, difference };
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

/** All levels, the movement of every useful feature, and what pairs of similar features give. */
export function listHidden(facts: FeatureFacts, timesteps: number): Candidates {
  const levels = Array.from(facts.mean.keys(), (a): Channel => ({ base: "feature", a, view: "level" }));
  const movements = plainChannels(facts, timesteps).filter(({ view }) => view === "delta" || view === "logDelta");
  const pairs = listCandidates(facts, timesteps).filter(({ base }) => base !== "feature");
  return { channels: [...levels, ...movements, ...pairs], levels: levels.length, movements: movements.length };
}

/** With the movements of the features that hardly move within a sequence, whatever the score tests say of them. */
export function withStill({ movement, difference }: Hidden, { channels, levels, movements }: Candidates, still: readonly number[]): Hidden {
  const more = Array.from({ length: movements }, (_, i) => levels + i).filter((c) => still.includes(channels[c].a));
  return { movement: [...new Set([...movement, ...more])].sort((a, b) => a - b), difference };
}

/** What more than half of the folds chose, the most often chosen first. */
export function chosenByMost(choices: readonly (readonly number[])[]): number[] {
  const counts = new Map<number, number>();
  for (const choice of choices) for (const c of choice) counts.set(c, (counts.get(c) ?? 0) + 1);
  return [...counts.entries()]
    .filter(([, count]) => 2 * count > choices.length)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .map(([c]) => c);
}
