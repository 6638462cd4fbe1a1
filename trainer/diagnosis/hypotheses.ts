// Hypotheses: what may keep the loss high, each with the one change to an experiment that fixes it and the one that undoes the fix.
// Knows no result of any experiment, and no sentence.
import type { Channel } from "../../shared/recipe/channel.ts";
import type { CauseCode } from "./cause.ts";
import type { ExperimentSetup, InputSetup, TrainingSetup } from "./experiment-setup.ts";
import { type DataFacts, findFeaturesWithGaps, findStillFeatures, findUnscaledFeatures, isAnyTiny } from "./facts.ts";
import type { TestableFinding } from "./finding.ts";
import type { BaselineSetup } from "./setup.ts";

export interface Hypothesis {
  readonly code: CauseCode;
  /** Why it is one. */
  readonly finding: TestableFinding;
  addFix(setup: ExperimentSetup): ExperimentSetup;
  removeFix(setup: ExperimentSetup): ExperimentSetup;
}

export interface HypothesesInput {
  readonly baseline: BaselineSetup;
  /** Sequences in the file. */
  readonly examples: number;
  readonly facts: DataFacts;
  /** Movements of features that hardly move, and differences and ratios that score tests picked. */
  readonly movement: readonly Channel[];
  readonly difference: readonly Channel[];
  /** Sequences that one run may see. */
  readonly budget: number;
  /** Codes that the user's own curve suggests. */
  readonly curveHypotheses: readonly CauseCode[];
}

/** Adam and RMSprop do well in between, for networks of this size (start values: Karpathy's recipe, Keras' 1e-3). */
const RATES = { low: 3e-4, high: 8e-3 };
/** What the experiments train with: a short budget at a rate that rises and falls. */
const RATE = 6e-3;
/** Few sequences do not need more (measured: 0.3638 nats with 16, 0.3657 with 24, mean of five synthetic data sets of 3,000). */
const UNITS = { few: 16, many: 32 };
const FEW = 8000;
const UNITS_TO_OVERFIT = 64;
const BATCH = 64;
const MIN_STEPS = 60;
/** Where nothing is said: so many, long enough for most losses to stop falling. */
const EPOCHS = 60;
/** What the user's script trains on, of all sequences. */
const TRAIN_SHARE = 0.8;
/** Padding below this share of rows is not worth an experiment. */
const PADDED = 0.01;
/** Times that each sequence is seen, from which the training part may be learnt by heart. */
const BY_HEART = 5;
/** Mean of a rate that rises over a tenth of the steps and then falls to zero, as a share of its highest. */
const CYCLE = 0.45;
/** Steps that are enough for most data, at a usual rate. */
const ENOUGH_STEPS = 1500;
export const MAX_HYPOTHESES = 6;

/** The baseline setup as an experiment within the budget, and at most MAX_HYPOTHESES about what keeps its loss high. */
export function formHypotheses(input: HypothesesInput): { readonly baseline: ExperimentSetup; readonly hypotheses: Hypothesis[] } {
  const { scaled, masked } = input.baseline;
  const pace = measurePace(input);
  const inputs: InputSetup = {
    padding: masked ? "any" : "none",
    scaled,
    addedScaled: true,
    levels: true,
    movement: false,
    difference: false,
    observed: false,
  };
  const fixed = fixedTraining(input, pace);
  const training = baselineTraining(input.baseline, pace, fixed);
  const hypotheses = [...hypothesesOfInputs(input), ...hypothesesOfTraining(input, pace, training, fixed)];
  return { baseline: { inputs, training }, hypotheses: hypotheses.slice(0, MAX_HYPOTHESES) };
}

/** How the user's script trains, in steps and rates. */
interface Pace {
  readonly isFast: boolean;
  readonly isSlow: boolean;
  readonly isShort: boolean;
  readonly isLong: boolean;
  readonly epochs: number;
  readonly batchesPerEpoch: number;
  /** Steps that the script takes; steps of an experiment at the same rate, and at a good one. */
  readonly scriptSteps: number;
  readonly steps: number;
  readonly enoughSteps: number;
  readonly batch: number;
}

function measurePace({ baseline, examples, budget, curveHypotheses }: HypothesesInput): Pace {
  const { learningRate } = baseline;
  const isFast = learningRate >= RATES.high;
  const isSlow = learningRate <= RATES.low;
  const isSaid = baseline.epochs !== undefined;
  const epochs = baseline.epochs ?? EPOCHS;
  const batch = isSaid || isFast ? Math.max(16, Math.min(256, baseline.batch)) : BATCH;
  const enoughSteps = Math.max(MIN_STEPS, Math.floor(budget / batch));
  const batchesPerEpoch = Math.ceil((TRAIN_SHARE * examples) / baseline.batch);
  const scriptSteps = epochs * batchesPerEpoch;
  // What counts is steps × rate: many steps at a low rate are run as fewer at a higher one.
  const progress = scriptSteps * learningRate;
  return {
    isFast,
    isSlow,
    isShort: (isSaid && progress < CYCLE * enoughSteps * RATE) || curveHypotheses.includes("undertrained"),
    isLong: (isSaid && epochs >= BY_HEART) || curveHypotheses.includes("overfit"),
    epochs,
    batchesPerEpoch,
    scriptSteps,
    steps: isSaid ? Math.min(scriptSteps, 2 * enoughSteps) : enoughSteps,
    enoughSteps,
    batch,
  };
}

/** Nothing is wrong with it. */
function fixedTraining({ baseline, examples }: HypothesesInput, { isLong, batch, enoughSteps }: Pace): TrainingSetup {
  return {
    optimizer: baseline.optimizer,
    units: Math.min(baseline.units, isLong ? UNITS_TO_OVERFIT : examples <= FEW ? UNITS.few : UNITS.many),
    batch,
    steps: enoughSteps,
    rate: RATE,
    schedule: "cycle",
    stopsEarly: true,
  };
}

/** The same with what may be wrong with the script's rate, steps and stopping. */
function baselineTraining({ learningRate }: BaselineSetup, pace: Pace, fixed: TrainingSetup): TrainingSetup {
  const { isFast, isSlow, isShort, isLong, steps, scriptSteps } = pace;
  const stretched = Math.min(Math.max(RATE, learningRate), learningRate * Math.max(1, scriptSteps / steps));
  const stopsEarly = !isLong;
  if (isFast) return { ...fixed, steps, rate: learningRate, schedule: "constant", stopsEarly };
  if (isSlow || isShort || isLong) return { ...fixed, steps, rate: stretched, schedule: "constant", stopsEarly };
  return { ...fixed, stopsEarly };
}

const changeInputs =
  (part: Partial<InputSetup>) =>
  (setup: ExperimentSetup): ExperimentSetup => ({ ...setup, inputs: { ...setup.inputs, ...part } });

const changeTraining =
  (part: Partial<TrainingSetup>) =>
  (setup: ExperimentSetup): ExperimentSetup => ({ ...setup, training: { ...setup.training, ...part } });

function hypothesis(finding: TestableFinding, addFix: Hypothesis["addFix"], removeFix: Hypothesis["removeFix"]): Hypothesis {
  return { code: finding.code, finding, addFix, removeFix };
}

function hypothesesOfInputs({ baseline, facts, movement, difference }: HypothesesInput): Hypothesis[] {
  const hypotheses: Hypothesis[] = [];
  if (movement.length > 0) {
    const features = findStillFeatures(facts);
    const code = isAnyTiny(features) ? "movement-tiny" : "movement-hidden";
    hypotheses.push(
      hypothesis({ code, features, channels: movement }, changeInputs({ movement: true }), changeInputs({ movement: false, levels: true })),
    );
  }
  if (difference.length > 0)
    hypotheses.push(
      hypothesis(
        { code: "difference-hidden", channels: difference },
        changeInputs({ difference: true }),
        changeInputs({ difference: false, levels: true }),
      ),
    );
  const lacking = findFeaturesWithGaps(facts);
  if (lacking.length > 0)
    hypotheses.push(
      hypothesis({ code: "gaps-hidden", features: lacking }, changeInputs({ observed: true }), changeInputs({ observed: false })),
    );
  const unscaled = findUnscaledFeatures(facts);
  if (!baseline.scaled && (unscaled.length > 0 || movement.length + difference.length > 0))
    hypotheses.push(
      hypothesis(
        { code: "features-unscaled", features: unscaled },
        changeInputs({ scaled: true, addedScaled: true }),
        changeInputs({ scaled: false, addedScaled: false }),
      ),
    );
  const { front, behind, sequences } = facts.padding;
  if (!baseline.masked && front + behind >= PADDED)
    hypotheses.push(
      hypothesis(
        { code: "padding-unmasked", rows: front + behind, sequences },
        changeInputs({ padding: facts.reading }),
        changeInputs({ padding: "none" }),
      ),
    );
  return hypotheses;
}

function hypothesesOfTraining(
  { baseline, examples }: HypothesesInput,
  { isFast, isSlow, isShort, isLong, epochs, batchesPerEpoch, scriptSteps, steps }: Pace,
  training: TrainingSetup,
  fixed: TrainingSetup,
): Hypothesis[] {
  const { learningRate, optimizer, batch } = baseline;
  const hypotheses: Hypothesis[] = [];
  const rateOf = ({ rate, schedule }: TrainingSetup): Partial<TrainingSetup> => ({ rate, schedule });
  if (isFast || isSlow)
    hypotheses.push(
      hypothesis(
        { code: isFast ? "learning-rate-high" : "learning-rate-low", learningRate, optimizer },
        changeTraining(rateOf(fixed)),
        changeTraining(rateOf(training)),
      ),
    );
  if (isShort) {
    const enoughEpochs = Math.max(10, Math.ceil((ENOUGH_STEPS * batch) / (TRAIN_SHARE * examples)));
    hypotheses.push(
      hypothesis(
        { code: "undertrained", epochs, batchesPerEpoch, steps: scriptSteps, enoughEpochs },
        changeTraining({ steps: fixed.steps, ...(isSlow ? {} : rateOf(fixed)) }),
        changeTraining({ steps, ...(isSlow ? {} : rateOf(training)) }),
      ),
    );
  }
  if (isLong)
    hypotheses.push(hypothesis({ code: "overfit", epochs }, changeTraining({ stopsEarly: true }), changeTraining({ stopsEarly: false })));
  return hypotheses;
}
