// A training run, from a data set to a model: a stack of learners, or one network alone.
import { UsageError } from "../../shared/errors.ts";
import { isIrregular, withoutClock } from "../data/clock.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import type { TrainDependencies, TrainOptions } from "./contract.ts";
import { trainNetwork } from "./train-network.ts";
import { trainStack } from "./train-stack.ts";
import type { Trained } from "./trained.ts";

export { LEARNERS, PRECISION_CHOICES, RECIPES, type RecipeName, type TrainDependencies, type TrainOptions } from "./contract.ts";
export type { Trained } from "./trained.ts";

/**
 * Trains a model of `data`. Equal arguments give equal bytes, whatever the number of threads and however often the run is left and
 * resumed. Throws DataError, UsageError, FitError or LimitError in words for whoever brought the data, and what `checkpoint` and
 * `yieldToEventLoop` throw to leave.
 */
export function trainModel(given: LabelledDataset, options: TrainOptions, dependencies: TrainDependencies): Promise<Trained> {
  const data = given.shape.clock && !isIrregular(given.values, given.shape) ? withoutClock(given) : given;
  const { splitVersion = 2, recipe } = options;
  checkLearner(options);
  return splitVersion === 1 || recipe === "raw" ? trainNetwork(data, options, dependencies) : trainStack(data, options, dependencies);
}

/** Throws UsageError where options name learners that do not go together. */
function checkLearner({ learner = "auto", layers, units, splitVersion, recipe }: TrainOptions): void {
  const alone = layers === undefined ? "lstm" : "layers";
  if (learner === "layers" && layers === undefined)
    throw new UsageError("--learner layers needs --layers, which says the network: --layers bilstm:32,dense:16:relu");
  if (layers !== undefined && learner !== "auto" && learner !== "layers")
    throw new UsageError(`--layers says the network in the place of the lstm, got --learner ${learner}: give --learner layers or auto`);
  if (layers !== undefined && units !== undefined)
    throw new UsageError(`--layers says the units of each layer, got --units ${units}: leave --units out`);
  if (splitVersion === 1 && learner !== alone)
    throw new UsageError(
      `--split-version 1 is of one network alone, got --learner ${learner}: give --learner ${alone}, or leave --split-version out`,
    );
  if (recipe === "raw" && learner !== "auto" && learner !== alone)
    throw new UsageError(`--recipe raw is of one network alone, got --learner ${learner}: give --learner ${alone}, or leave --recipe out`);
}
