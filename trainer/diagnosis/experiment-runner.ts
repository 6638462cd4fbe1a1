// Experiments: a setup trained and held out on every fold of a sample, all within one budget, counted in sequences. Runs that were
// made before are not made again. Legend: M sequences of the sample, T steps, F features.
import { sigmoid } from "../../shared/networks/lstm.ts";
import { mean } from "../statistics/descriptive.ts";
import { logLossOfLogit } from "../statistics/log-loss.ts";
import { type ChannelTablesInput, createChannelTables } from "./channel-tables.ts";
import type { ExperimentSetup } from "./experiment-setup.ts";
import { type FoldRun, trainFold } from "./fold-training.ts";
import type { DiagnosisDependencies } from "./input.ts";
import { examineTensors, type Tensors } from "./tensors.ts";

/** How one setup did on all folds. */
export interface Experiment {
  readonly setup: ExperimentSetup;
  /** (M) held-out losses in nats, mean over the runs that held a sequence out; NaN where none did. */
  readonly losses: Float64Array;
  /** The same of each seed. */
  readonly seeds: readonly Float64Array[];
  readonly loss: number;
  /** (M) probabilities. */
  readonly probabilities: Float64Array;
  /** Loss on the sequences trained on, over the last tenth of the steps. */
  readonly trainLoss: number;
  /** Mean held-out loss at each checkpoint, the first before any step. */
  readonly curve: readonly number[];
  /** Mean change of a weight in one of the last steps, as a share of the weight (about 1e-3 where training goes well). */
  readonly updateRatio: number;
  /** Share of gates below 0.05 or above 0.95 in the end. */
  readonly saturation: number;
}

export interface ExperimentRunner {
  /** Trains `setup` on every fold. */
  run(setup: ExperimentSetup): Promise<Experiment>;
  /** One small batch by heart and a ramp of learning rates, on the first fold. */
  examine(setup: ExperimentSetup): Tensors;
}

export interface RunnerInput extends ChannelTablesInput {
  /** (M) */
  readonly labels: Uint8Array;
  readonly seed: number;
  /** Called after each fold of each experiment. */
  onFoldRun(): void;
}

/** Throws what `yieldToEventLoop` throws, between two runs. */
export function createExperimentRunner(
  input: RunnerInput,
  { createStepper, yieldToEventLoop }: Pick<DiagnosisDependencies, "createStepper" | "yieldToEventLoop">,
): ExperimentRunner {
  const { labels, shape, folds, seed } = input;
  const { timesteps } = shape;
  const inputsOf = createChannelTables(input);
  const known = new Map<string, FoldRun>();

  const runFold = (k: number, setup: ExperimentSetup): FoldRun => {
    const { channels, width, inputs } = inputsOf(k, setup.inputs);
    const { stopsEarly: _, ...training } = setup.training; // both answers are in every run
    const key = JSON.stringify([k, inputs, training]);
    const fold = folds[k];
    const run =
      known.get(key) ??
      trainFold({ channels, width, timesteps, labels, fold, training: setup.training, seed: seed + 31 * k + fold.seed }, createStepper);
    known.set(key, run);
    return run;
  };
  return {
    async run(setup) {
      const runs: FoldRun[] = [];
      for (const k of folds.keys()) {
        await yieldToEventLoop();
        runs.push(runFold(k, setup));
        input.onFoldRun();
      }
      return summarise(setup, runs, input);
    },
    examine(setup) {
      const { channels, width } = inputsOf(0, setup.inputs);
      return examineTensors(
        { data: channels, labels, width, timesteps, train: folds[0].train, training: setup.training, seed },
        createStepper,
      );
    },
  };
}

function summarise(setup: ExperimentSetup, runs: readonly FoldRun[], { folds, labels }: Pick<RunnerInput, "folds" | "labels">): Experiment {
  const seedCount = Math.max(...folds.map((fold) => fold.seed)) + 1;
  const seeds = Array.from({ length: seedCount }, () => new Float64Array(labels.length).fill(Number.NaN));
  const probabilities = seeds.map((losses) => losses.slice());
  folds.forEach(({ seed, heldOut }, k) => {
    const logits = setup.training.stopsEarly ? runs[k].best : runs[k].last;
    heldOut.forEach((n, i) => {
      seeds[seed][n] = logLossOfLogit(labels[n], logits[i]);
      probabilities[seed][n] = sigmoid(logits[i]);
    });
  });
  const losses = averageNumbers(seeds);
  return {
    setup,
    losses,
    seeds,
    probabilities: averageNumbers(probabilities),
    loss: mean(losses.filter((loss) => !Number.isNaN(loss))),
    trainLoss: mean(runs.map(({ trainLoss }) => trainLoss)),
    curve: runs[0].curve.map((_, i) => mean(runs.map(({ curve }) => curve[i]))),
    updateRatio: mean(runs.map(({ updateRatio }) => updateRatio)),
    saturation: mean(runs.map(({ saturation }) => saturation)),
  };
}

/** Entry by entry over those that are numbers; NaN where none is. */
function averageNumbers(arrays: readonly Float64Array[]): Float64Array {
  return arrays[0].map((_, i) => {
    const numbers = arrays.map((array) => array[i]).filter((x) => !Number.isNaN(x));
    return numbers.length === 0 ? Number.NaN : mean(numbers);
  });
}
