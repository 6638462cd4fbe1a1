// What a model has to beat: the base rate, and a logistic regression on the same channels.
import { positiveRate } from "../data/sequences.ts";
import { lastAndMean } from "../features/logistic-teacher.ts";
import { type ChannelView, selectView } from "../learners/learner.ts";
import { type Labels, takeLabels } from "../statistics/labels.ts";
import { fitLogistic, flattenChannels } from "../statistics/logistic.ts";
import { BASE_RATE, LOGISTIC_REGRESSION } from "./verdict.ts";

/** (N) probabilities of a view's N sequences, by the baseline's name. */
export type Baselines = (view: ChannelView) => Record<typeof BASE_RATE | typeof LOGISTIC_REGRESSION, Float64Array>;

/** N·D² of one Newton step, about a second, with N sequences and D columns. */
const MAX_WORK = 2e9;
/** Few channels stay flattened, however long their sequences are. */
const MANY_CHANNELS = 20;

/** Fits the baselines on the sequences `train` of `view` and `labels`. */
export function fitBaselines({ channels, lengths, timesteps, names }: ChannelView, labels: Labels, train: Int32Array): Baselines {
  const view: ChannelView = { channels, lengths, timesteps, names }; // columns, which a view may have, are not copied
  const C = names.length;
  const rate = positiveRate(labels, train);
  // Many channels have more steps than there is time for, or sequences to learn them from: the last step and the mean stand for all.
  const isWide = C > MANY_CHANNELS && train.length * (view.timesteps * C) ** 2 > MAX_WORK;
  const columnsOf = (part: ChannelView) => (isWide ? lastAndMean(part, part.timesteps) : flattenChannels(part, part.timesteps, C));
  const { predict } = fitLogistic(columnsOf(selectView(view, train)), takeLabels(labels, train), { l2: 1 });
  return (part) => ({
    [BASE_RATE]: new Float64Array(part.lengths.length).fill(rate),
    [LOGISTIC_REGRESSION]: predict(columnsOf(part)),
  });
}
