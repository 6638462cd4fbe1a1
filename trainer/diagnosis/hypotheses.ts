// What the data checks accuse: each cause with the one change that takes it away, and the one that puts it back.
// Knows no result of any experiment.

import { percent, short } from "../html/format.ts";
import type { CauseCode } from "./diagnose.ts";
import type { Regime, Setup, View } from "./experiments.ts";
import { type DataFacts, findStill, findUnscaled } from "./facts.ts";
import type { Tried } from "./setup.ts";

export interface Accusation {
  readonly code: CauseCode;
  /** What the data checks say. */
  readonly evidence: string;
  readonly remedy: string;
  add(setup: Setup): Setup;
  remove(setup: Setup): Setup;
}

export interface Accused {
  readonly tried: Setup;
  readonly accusations: readonly Accusation[];
}

export interface Evidence {
  readonly tried: Tried;
  /** Sequences in the file. */
  readonly examples: number;
  readonly names: readonly string[];
  readonly facts: DataFacts;
  /** Names of the movements of features that hardly move, and of the differences and ratios that score tests picked. */
  readonly movement: readonly string[];
  readonly difference: readonly string[];
  /** Sequences that one run may see. */
  readonly budget: number;
  /** What something else accuses, such as the user's own curve. */
  readonly suspects: readonly CauseCode[];
}

/** Adam and RMSprop do well in between, for networks of this size (start values: Karpathy's recipe, Keras' 1e-3). */
const RATES = [3e-4, 8e-3] as const;
/** What the experiments train with: a short budget at a rate that rises and falls. */
const RATE = 6e-3;
/** Few sequences do not need more (measured: 0.3638 nats with 16, 0.3657 with 24, mean of five made data sets of 3,000). */
const UNITS = { few: 16, many: 32 };
const FEW = 8000;
const UNITS_TO_OVERFIT = 64;
const BATCH = 64;
const MIN_STEPS = 60;
/** Where nothing is said: so many, long enough for most losses to stop falling. */
const EPOCHS = 60;
/** Padding below this share of rows is not worth an experiment. */
const PADDED = 0.01;
/** Times that each sequence is seen, from which the training part may be learnt by heart. */
const BY_HEART = 5;
/** Mean of a rate that rises over a tenth of the steps and then falls to zero, as a share of its highest. */
const CYCLE = 0.45;
export const MAX_ACCUSATIONS = 6;

export function accuse(evidence: Evidence): Accused {
  const { tried, examples, budget, suspects } = evidence;
  const { learningRate, optimizer } = tried;
  const isFast = learningRate >= RATES[1];
  const isSlow = learningRate <= RATES[0];
  const isSaid = tried.epochs !== undefined;
  const epochs = tried.epochs ?? EPOCHS;
  const batch = isSaid || isFast ? Math.max(16, Math.min(256, tried.batch)) : BATCH;
  const enough = Math.max(MIN_STEPS, Math.floor(budget / batch));
  const said = epochs * Math.ceil((0.8 * examples) / tried.batch);
  // What counts is steps × rate: many steps at a low rate are run as fewer at a higher one.
  const progress = said * learningRate;
  const isShort = (isSaid && progress < CYCLE * enough * RATE) || suspects.includes("undertrained");
  const isLong = (isSaid && epochs >= BY_HEART) || suspects.includes("overfit");
  const good: Regime = {
    optimizer,
    units: Math.min(tried.units, isLong ? UNITS_TO_OVERFIT : examples <= FEW ? UNITS.few : UNITS.many),
    batch,
    steps: enough,
    rate: RATE,
    schedule: "cycle",
    stops: true,
  };
  let regime = good;
  const steps = isSaid ? Math.min(said, 2 * enough) : enough;
  const stretched = Math.min(Math.max(RATE, learningRate), learningRate * Math.max(1, said / steps));
  if (isFast) regime = { ...regime, steps, rate: learningRate, schedule: "constant" };
  else if (isSlow || isShort || isLong) regime = { ...regime, steps, rate: stretched, schedule: "constant" };
  if (isLong) regime = { ...regime, stops: false };

  const view: View = {
    padding: tried.masked ? "any" : "none",
    scaled: tried.scaled,
    addedScaled: true,
    levels: true,
    movement: false,
    difference: false,
  };
  const accusations = [...accuseView(evidence)];
  const change =
    (part: Partial<Regime>) =>
    (setup: Setup): Setup => ({ ...setup, regime: { ...setup.regime, ...part } });
  const { rate, schedule } = regime;
  if (isFast || isSlow)
    accusations.push({
      code: isFast ? "learning-rate-high" : "learning-rate-low",
      evidence: `the learning rate is ${tried.learningRate}`,
      remedy: `${tried.optimizer} with a learning rate of 1e-3`,
      add: change({ rate: good.rate, schedule: good.schedule }),
      remove: change({ rate, schedule }),
    });
  if (isShort)
    accusations.push({
      code: "undertrained",
      evidence: `${epochs} epochs of ${Math.ceil((0.8 * examples) / tried.batch)} batches are ${said} steps`,
      remedy: `train for ${Math.max(10, Math.ceil((1500 * tried.batch) / (0.8 * examples)))} epochs or more, stopping early, or use smaller batches`,
      add: change(isSlow ? { steps: good.steps } : { steps: good.steps, rate: good.rate, schedule: good.schedule }),
      remove: change(isSlow ? { steps } : { steps, rate, schedule }),
    });
  if (isLong)
    accusations.push({
      code: "overfit",
      evidence: `${epochs} epochs, with all weights of the last one`,
      remedy: "stop early: EarlyStopping(patience=5, restore_best_weights=True)",
      add: change({ stops: true }),
      remove: change({ stops: false }),
    });
  return { tried: { view, regime }, accusations: accusations.slice(0, MAX_ACCUSATIONS) };
}

function accuseView({ tried, names, facts, movement, difference }: Evidence): Accusation[] {
  const accusations: Accusation[] = [];
  const change =
    (part: Partial<View>) =>
    (setup: Setup): Setup => ({ ...setup, view: { ...setup.view, ...part } });
  if (movement.length > 0) {
    const still = findStill(facts);
    const shares = still
      .map((f) => `${names[f]} ${short(facts.movement[f])} (${percent(facts.within[f])} of its variance within sequences)`)
      .join(", ");
    accusations.push({
      code: "movement-tiny",
      evidence: `from row to row a feature changes by so many of its standard deviations: ${shares}`,
      remedy: `give the network ${movement.join(", ")}, standardised`,
      add: change({ movement: true }),
      remove: change({ movement: false, levels: true }),
    });
  }
  if (difference.length > 0)
    accusations.push({
      code: "difference-hidden",
      evidence: `score tests find more in ${difference.join(", ")} than in all levels and movements`,
      remedy: `give the network ${difference.join(", ")}, standardised`,
      add: change({ difference: true }),
      remove: change({ difference: false, levels: true }),
    });
  const unscaled = findUnscaled(facts, names);
  if (!tried.scaled && (unscaled.length > 0 || movement.length + difference.length > 0))
    accusations.push({
      code: "features-unscaled",
      evidence: unscaled.length > 0 ? unscaled.slice(0, 5).join(", ") : "what has to be seen is far from a standard deviation of 1",
      remedy: "standardise each channel by mean and standard deviation of the training part",
      add: change({ scaled: true, addedScaled: true }),
      remove: change({ scaled: false, addedScaled: false }),
    });
  const { front, behind, sequences } = facts.padding;
  if (!tried.masked && front + behind >= PADDED)
    accusations.push({
      code: "padding-unmasked",
      evidence: `${percent(front + behind)} of all rows are padding, in ${percent(sequences)} of the sequences`,
      remedy: "mask it: Masking(0.0) before the LSTM",
      add: change({ padding: facts.reading }),
      remove: change({ padding: "none" }),
    });
  return accusations;
}
