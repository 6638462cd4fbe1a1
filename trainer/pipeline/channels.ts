// The channels of a data set as a model's recipe makes them, for networks that are trained elsewhere: X, y, lengths, and the part of each
// sequence, split as training splits. Knows no file.
// Legend: N sequences, T steps, C channels.
import type { Model } from "../../shared/model.ts";
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { type Log, shapeOf } from "../../shared/recipe/recipe.ts";
import { fitShape } from "../artifact/artifact-file.ts";
import { dropPaddingOnly } from "../data/sequences.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import { type SplitMethod, splitDataset } from "../split/split.ts";
import type { Labels } from "../statistics/labels.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import type { TrainNote } from "./note.ts";

/** The parts by their numbers in `parts`. */
export const CHANNEL_PARTS = ["train", "validation", "calibration", "test"] as const;
/** In `parts`: left out, to keep a gap between parts. */
export const LEFT_OUT = 255;

export interface ChannelSet {
  readonly N: number;
  readonly T: number;
  readonly C: number;
  /** (N,T,C) left-aligned; rows behind a sequence's length are zero. */
  readonly X: Float32Array;
  /** (N) */
  readonly y: Labels;
  /** (N) valid rows */
  readonly lengths: Int32Array;
  /** (N) number of the part in CHANNEL_PARTS, or LEFT_OUT. */
  readonly parts: Uint8Array;
}

export interface ChannelOptions {
  readonly seed: number;
  readonly split: SplitMethod;
  readonly horizon: number;
}

/** The channels of labelled sequences. Throws DataError where the data do not fit the model, FitError where a part would be empty. */
export function channelsOf(
  model: Model,
  data: LabelledDataset,
  options: ChannelOptions,
  log: Log,
  onNote: (note: TrainNote) => void,
): ChannelSet {
  const { recipe } = model;
  const { padding } = recipe;
  const shape = shapeOf(recipe);
  const usable = dropPaddingOnly({ ...data, values: fitShape(data, data.source, model), shape }, padding, onNote);
  const { values, labels, groups, timeline } = usable;
  const random = createRandom(options.seed, STREAMS.split);
  const { split: method, horizon } = options;
  const split = splitDataset({ values, labels, groups, timeline, shape, padding, method, horizon, hasTest: false, random });
  onNote({ code: "split", split });
  const { channels: X, lengths } = applyRecipe(recipe, values, log);
  const parts = new Uint8Array(labels.length).fill(LEFT_OUT);
  for (const [k, part] of CHANNEL_PARTS.entries()) for (const n of split[part]) parts[n] = k;
  return { N: labels.length, T: recipe.timesteps, C: recipe.channels.length, X, y: labels, lengths, parts };
}
