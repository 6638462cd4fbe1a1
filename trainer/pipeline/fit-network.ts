// Third step of a training run: the network, one LSTM or the layers that are asked for, with settings that fit the data's size.
import { VERSION } from "../../shared/version.ts";
import { positiveRate } from "../data/sequences.ts";
import { createLstmTrainer, type LstmMember, type LstmTrainer } from "../learners/lstm/lstm.ts";
import { chooseSettings, type LstmSettings, PLAIN_SETTINGS } from "../learners/lstm/settings.ts";
import { crossEntropy } from "../statistics/log-loss.ts";
import { createLossWatch } from "../training/loss-watch.ts";
import type { TrainDependencies, TrainOptions } from "./contract.ts";
import type { Prepared } from "./prepare.ts";
import type { Represented } from "./represent.ts";

export interface Fitted {
  readonly learner: LstmTrainer;
  readonly member: LstmMember;
  readonly settings: LstmSettings;
  /** Of the training part. */
  readonly positiveRate: number;
}

/** Throws FitError when a loss is not finite, and what `checkpoint` throws to leave. */
export async function fitNetwork(
  prepared: Prepared,
  represented: Represented,
  options: TrainOptions,
  dependencies: TrainDependencies,
): Promise<Fitted> {
  const { usable, split, gap } = prepared;
  const { labels } = usable;
  const { train, validation } = split;
  const settings = decideSettings(train.length, options);
  const rate = positiveRate(labels, train);
  const watch = createLossWatch(crossEntropy(positiveRate(labels, validation), rate), dependencies.onNote);
  const run = nameRun(prepared, represented, settings, options, dependencies);
  const learner = createLstmTrainer(
    { settings, targets: represented.targets, requireSignificance: !represented.isSignificant },
    {
      createStepper: dependencies.createStepper,
      createEngine: dependencies.createEngine,
      checkpoint: (target, stage, simdPath) => dependencies.checkpoint?.(JSON.stringify({ ...run, target, simdPath }), stage) ?? {},
      onNote: dependencies.onNote,
      onProgress(progress) {
        watch(progress);
        dependencies.onProgress(progress);
      },
    },
  );
  const member = await learner.fit(represented.view, labels, { train, validation, gap }, options.seed);
  return { learner, member, settings, positiveRate: rate };
}

function decideSettings(examples: number, { recipe, units, epochs, batch, layers }: TrainOptions): LstmSettings {
  const settings = recipe === "raw" ? { ...PLAIN_SETTINGS, ...(layers && { layers }) } : chooseSettings(examples, layers);
  return { ...settings, units: units ?? settings.units, epochs: epochs ?? settings.epochs, batch: batch ?? settings.batch };
}

/** All that decides the bytes of a fit but its target and arithmetic: a checkpoint of another run is not taken up. */
function nameRun(
  { data, split }: Prepared,
  { plan }: Represented,
  { units, layers, batch, epochs }: LstmSettings,
  { seed, horizon }: TrainOptions,
  { node }: TrainDependencies,
) {
  return {
    data: data.sha256,
    reading: data.reading,
    seed,
    horizon,
    split: split.by,
    plan,
    units,
    ...(layers && { layers }),
    batch,
    epochs,
    version: VERSION,
    node,
  };
}
