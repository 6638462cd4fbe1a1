// Finds the numbers from which a data set can be learnt: forward by score tests, each step confirmed by a short training run on
// validation, then backward by the same. Counts its budget in sequences, never in seconds. Never sees calibration or test.
// Legend: N sequences, T steps, F features, C channels.
import { applyRecipe, type Channel, type Channels, describeChannel, fitRecipe, type Log } from "../../shared/recipe.ts";
import type { Padding, Shape } from "../../shared/sequence.ts";
import type { Stepper } from "../fit.ts";
import { flattenNetwork, initialNetwork } from "../network.ts";
import { createRandom, type Random } from "../random.ts";
import { listCandidates, plainChannels } from "./candidates.ts";
import type { FeatureFacts } from "./features.ts";
import { blocksOf, scoreGain } from "./score-test.ts";

export interface SearchInput {
  /** (N,T,F) */
  readonly values: Float64Array;
  /** (N) */
  readonly labels: Uint8Array;
  readonly shape: Shape;
  readonly features: readonly string[];
  readonly facts: FeatureFacts;
  readonly padding: Padding;
  readonly train: Int32Array;
  readonly validation: Int32Array;
  /** Indices are in the order of time, and neighbours this far apart share rows; 0 when the order means nothing. */
  readonly gap: number;
  readonly log: Log;
  /** Streams of its own from this seed on. */
  readonly seed: number;
  createStepper(data: Channels & { readonly labels: Uint8Array }, options: TrialOptions): Stepper;
}

export interface TrialOptions {
  readonly channels: number;
  readonly timesteps: number;
  readonly units: number;
  readonly maxBatch: number;
  readonly optimizer: "adam";
  readonly clipNorm: number;
}

/** One set of channels, tried. */
export interface Trial {
  readonly channels: readonly Channel[];
  /** Mean log loss on held-out sequences. */
  readonly loss: number;
}

export interface Found extends Trial {
  /** What each step of the search gained or lost, for people. */
  readonly notes: readonly string[];
  /** The plain channels' loss on the same sample, by the same budget. */
  readonly plainLoss: number;
  /** Per-sequence held-out losses of the winner. */
  readonly losses: Float64Array;
}

const MAX_CHANNELS = 10;
/** Candidates whose score test is best, tried by training. */
const TRIED = 3;
/** A score test counts from so many of its standard deviations. */
const SIGNIFICANT = 3;
const MAX_TRAIN = 20_000;
const MAX_VALIDATION = 10_000;
const MAX_TESTED = 10_000;
/** With a smaller validation part, training and validation are held out in turn, in so many parts. */
const ENOUGH_TO_VALIDATE = 3000;
const FOLDS = 3;
/** Numbers in the table of all candidates: 80 MB as float32. */
const MAX_TABLE = 20_000_000;
const UNITS = 24;
const BATCH = 128;
/** Sequences one trial sees: at least this many, or six epochs, but not more than this. */
const BUDGET = [24_000, 60_000];
const LEARNING_RATE = 8e-3;
/** Products are tested with the channels chosen last. */
const MAX_PRODUCTS = 4;
const STREAM = { sample: 500, weights: 501, order: 502 };

interface Run {
  readonly set: readonly number[];
  readonly loss: number;
  /** (held out) */
  readonly losses: Float64Array;
  /** (tested) as the networks say that trained on them */
  readonly probabilities: Float64Array;
}

/** Rows of the table of all candidates, by what a trial does with them. */
interface Fold {
  readonly train: Int32Array;
  readonly held: Int32Array;
}

export function searchChannels(input: SearchInput): Found {
  const { values, labels, shape, features, facts, padding, gap, log, seed, createStepper } = input;
  const T = shape.timesteps;
  const random = createRandom(seed, STREAM.sample);
  const candidates = listCandidates(facts, T);
  const plain = plainChannels(facts, T);
  const all = [...candidates, ...plain.filter((channel) => !candidates.some((known) => isSame(known, channel)))];
  const most = Math.floor(MAX_TABLE / (T * all.length));
  const train = sample(input.train, Math.min(MAX_TRAIN, most), random);
  const validation = sample(input.validation, Math.min(MAX_VALIDATION, most), random);
  const rows = Int32Array.from([...train, ...validation]);
  const recipe = fitRecipe({ timesteps: T, features, padding, channels: all, standardise: true }, values, train, log);
  const table = applyRecipe(recipe, select(values, rows, shape), log);
  const tableLabels = Uint8Array.from(rows, (n) => labels[n]);
  const folds =
    validation.length >= ENOUGH_TO_VALIDATE ? [holdOut(train.length, rows.length, rows.length, 0)] : chooseFolds(rows.length, gap);
  const isTrained = new Uint8Array(rows.length);
  for (const fold of folds) for (const n of fold.train) isTrained[n] = 1;
  const tested = Int32Array.from(rows.keys())
    .filter((n) => isTrained[n] === 1)
    .subarray(0, MAX_TESTED);
  const testedLabels = Uint8Array.from(tested, (n) => tableLabels[n]);
  const size = T * all.length;
  const testedChannels = new Float32Array(tested.length * size);
  tested.forEach((n, i) => {
    testedChannels.set(table.channels.subarray(n * size, (n + 1) * size), i * size);
  });
  const testedTable = { channels: testedChannels, lengths: tested.map((n) => table.lengths[n]) };
  const blocks = all.map((_, c) => blocksOf(testedTable, T, c));
  const baseRate = tableLabels.reduce((sum, y) => sum + y, 0) / rows.length;

  const runs = new Map<string, Run>();
  /** Trains a small network on the channels `set` within the budget, its learning rate falling to zero; once for each fold. */
  const attempt = (set: readonly number[]): Run => {
    const key = [...set].sort((a, b) => a - b).join();
    const known = runs.get(key);
    if (known) return known;
    const C = set.length;
    const channels = pick(table.channels, all.length, set);
    const options = { channels: C, timesteps: T, units: UNITS, maxBatch: BATCH, optimizer: "adam", clipNorm: 1 } as const;
    const stepper = createStepper({ ...table, channels, labels: tableLabels }, options);
    const losses: number[] = [];
    const probabilities = new Float64Array(tested.length);
    const trainedOn = new Uint8Array(tested.length);
    try {
      const initial = flattenNetwork(initialNetwork(C, UNITS, baseRate, createRandom(seed, STREAM.weights)));
      for (const fold of folds) {
        stepper.setParameters(initial);
        stepper.setOptimizer({ steps: 0, moments: new Float32Array(2 * initial.length) });
        trainBriefly(stepper, fold.train, createRandom(seed, STREAM.order));
        losses.push(...lossesOf(stepper.logits(fold.held), tableLabels, fold.held));
        const isIn = new Set(fold.train);
        stepper.logits(tested).forEach((z, i) => {
          if (!isIn.has(tested[i])) return;
          probabilities[i] += 1 / (1 + Math.exp(-z));
          trainedOn[i]++;
        });
      }
    } finally {
      stepper.dispose();
    }
    const run = {
      set,
      losses: Float64Array.from(losses),
      loss: mean(losses),
      probabilities: probabilities.map((p, i) => p / trainedOn[i]),
    };
    runs.set(key, run);
    return run;
  };
  const name = (c: number): string => describeChannel(all[c], features);
  const notes: string[] = [];

  const baseLosses = folds.flatMap(({ held }) => Array.from(held, (n) => -Math.log(tableLabels[n] === 1 ? baseRate : 1 - baseRate)));
  let best: Run = {
    set: [],
    losses: Float64Array.from(baseLosses),
    loss: mean(baseLosses),
    probabilities: new Float64Array(tested.length).fill(baseRate),
  };
  const isBetter = (a: Run, b: Run): boolean => exceedsNoise(b.losses, a.losses, gap);
  while (best.set.length < Math.min(MAX_CHANNELS, all.length)) {
    const chosen = best.set.slice(-MAX_PRODUCTS).map((c) => blocks[c]);
    const ranked = Array.from(all.keys())
      .filter((c) => !best.set.includes(c))
      .map((c) => ({ c, ...scoreGain(blocks[c], chosen, testedLabels, best.probabilities) }))
      .filter(({ gain, noise }) => gain > SIGNIFICANT * noise)
      .sort((a, b) => b.gain - a.gain)
      .slice(0, TRIED);
    const tried = ranked.map(({ c }) => attempt([...best.set, c])).sort((a, b) => a.loss - b.loss)[0];
    if (tried === undefined || !isBetter(tried, best)) break;
    notes.push(`+ ${name(tried.set[tried.set.length - 1])}: ${best.loss.toFixed(4)} → ${tried.loss.toFixed(4)}`);
    best = tried;
  }

  const plainRun = attempt(plain.map((channel) => all.findIndex((known) => isSame(known, channel))));
  const union = attempt([...new Set([...best.set, ...plainRun.set])]);
  for (const [run, what] of [
    [plainRun, "levels and deltas of all features"],
    [union, "the chosen with levels and deltas of all features"],
  ] as const) {
    if (!isBetter(run, best)) continue;
    notes.push(`${what}: ${best.loss.toFixed(4)} → ${run.loss.toFixed(4)}`);
    best = run;
  }
  for (const c of [...best.set].reverse()) {
    if (best.set.length === 1) break;
    const without = attempt(best.set.filter((other) => other !== c));
    if (isBetter(best, without)) continue;
    notes.push(`− ${name(c)}: ${best.loss.toFixed(4)} → ${without.loss.toFixed(4)}`);
    best = without;
  }
  return { channels: best.set.map((c) => all[c]), loss: best.loss, losses: best.losses, notes, plainLoss: plainRun.loss };
}

/** One-cycle training within the budget: the learning rate rises over a tenth of it, then falls to zero. */
function trainBriefly(stepper: Stepper, train: Int32Array, random: Random): void {
  const order = train.slice();
  random.shuffle(order);
  const steps = Math.ceil(Math.min(BUDGET[1], Math.max(BUDGET[0], 6 * train.length)) / BATCH);
  const batch = Math.min(BATCH, order.length);
  for (let step = 0, at = 0; step < steps; step++, at += batch) {
    if (at + batch > order.length) {
      random.shuffle(order);
      at = 0;
    }
    stepper.step(order.subarray(at, at + batch), LEARNING_RATE * Math.min(1, (10 * (step + 1)) / steps) * (1 - step / steps));
  }
}

/** Holds out rows `from` … `to` of `count`, and trains on the others that are at least `gap` away. */
function holdOut(from: number, to: number, count: number, gap: number): Fold {
  const all = Int32Array.from({ length: count }, (_, n) => n);
  return { held: all.subarray(from, to), train: all.filter((n) => n < from - gap || n >= to + gap) };
}

function chooseFolds(count: number, gap: number): Fold[] {
  return Array.from({ length: FOLDS }, (_, k) =>
    holdOut(Math.floor((k * count) / FOLDS), Math.floor(((k + 1) * count) / FOLDS), count, gap),
  );
}

/**
 * Whether the mean of `before − after` exceeds one standard error. Neighbours that share rows are not independent: with a `gap`
 * the error is that of means over blocks twice as long.
 */
function exceedsNoise(before: Float64Array, after: Float64Array, gap: number): boolean {
  const length = Math.max(1, 2 * gap);
  const means: number[] = [];
  for (let from = 0; from < before.length; from += length) {
    const block = before.subarray(from, from + length).map((loss, i) => loss - after[from + i]);
    means.push(mean(block));
  }
  const gain = mean(means);
  const variance = means.reduce((sum, m) => sum + (m - gain) ** 2, 0) / Math.max(1, means.length - 1);
  return gain > Math.sqrt(variance / means.length);
}

function isSame(a: Channel, b: Channel): boolean {
  return a.view === b.view && a.base === b.base && a.a === b.a && (a.base === "feature" || (b.base !== "feature" && a.b === b.b));
}

/** At most `count` of `indices`, at random, in their order. */
function sample(indices: Int32Array, count: number, random: Random): Int32Array {
  if (indices.length <= count) return indices;
  const shuffled = indices.slice();
  random.shuffle(shuffled);
  return shuffled.subarray(0, count);
}

function select(values: Float64Array, indices: Int32Array, { timesteps, features }: Shape): Float64Array {
  const size = timesteps * features;
  const out = new Float64Array(indices.length * size);
  indices.forEach((n, i) => {
    out.set(values.subarray(n * size, (n + 1) * size), i * size);
  });
  return out;
}

/** The columns `set` of a table with `C` columns. */
function pick(table: Float32Array, C: number, set: readonly number[]): Float32Array {
  const out = new Float32Array((table.length / C) * set.length);
  for (let row = 0, at = 0; row < table.length; row += C) for (const c of set) out[at++] = table[row + c];
  return out;
}

function lossesOf(logits: Float32Array, labels: Uint8Array, indices: Int32Array): Float64Array {
  return Float64Array.from(logits, (z, i) => Math.max(z, 0) - z * labels[indices[i]] + Math.log1p(Math.exp(-Math.abs(z))));
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
