// A training run, from a data set to a model: a stack of learners, or one LSTM alone.
import { UsageError } from "../../shared/errors.ts";
import { isIrregular, withoutClock } from "../data/clock.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import type { TrainDependencies, TrainOptions } from "./contract.ts";
import { trainNetwork } from "./train-network.ts";
import { trainStack } from "./train-stack.ts";
import type { Trained } from "./trained.ts";

export { LEARNERS, RECIPES, type RecipeName, type TrainDependencies, type TrainOptions } from "./contract.ts";
export type { Trained } from "./trained.ts";

/**
 * Trains a model of `data`. Equal arguments give equal bytes, whatever the number of threads and however often the run is left and
 * resumed. Throws DataError, UsageError, FitError or LimitError in words for whoever brought the data, and what `checkpoint` and
 * `yieldToEventLoop` throw to leave.
 */
export function trainModel(given: LabelledDataset, options: TrainOptions, dependencies: TrainDependencies): Promise<Trained> {
  const data = given.shape.clock && !isIrregular(given.values, given.shape) ? withoutClock(given) : given;
  const { learner = "auto", splitVersion = 2, recipe } = options;
  if (splitVersion === 1 && learner !== "lstm")
    throw new UsageError(
      `--split-version 1 is of one LSTM alone, got --learner ${learner}: give --learner lstm, or leave --split-version out`,
    );
  if (recipe === "raw" && learner !== "auto" && learner !== "lstm")
    throw new UsageError(`--recipe raw is of one LSTM alone, got --learner ${learner}: give --learner lstm, or leave --recipe out`);
  return splitVersion === 1 || recipe === "raw" ? trainNetwork(data, options, dependencies) : trainStack(data, options, dependencies);
}
