// What a model has to beat: the base rate, and a logistic regression on the same channels, flattened.
import { positiveRate } from "../data/sequences.ts";
import { selectView, type View } from "../learners/learner.ts";
import { fitLogistic, flattenChannels } from "../statistics/logistic.ts";
import { BASE_RATE, LOGISTIC_REGRESSION } from "./verdict.ts";

/** (N) probabilities of a view's N sequences, by the baseline's name. */
export type Baselines = (view: View) => Record<typeof BASE_RATE | typeof LOGISTIC_REGRESSION, Float64Array>;

/** Fits the baselines on the sequences `train` of `view` and `labels`. */
export function fitBaselines(view: View, labels: Uint8Array, train: Int32Array): Baselines {
  const C = view.names.length;
  const rate = positiveRate(labels, train);
  const { predict } = fitLogistic(
    flattenChannels(selectView(view, train), view.timesteps, C),
    Uint8Array.from(train, (n) => labels[n]),
    { l2: 1 },
  );
  return (part) => ({
    [BASE_RATE]: new Float64Array(part.lengths.length).fill(rate),
    [LOGISTIC_REGRESSION]: predict(flattenChannels(part, part.timesteps, C)),
  });
}
