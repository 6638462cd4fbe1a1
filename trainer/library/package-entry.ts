// `quickstep/train`: the trainer in other people's Node programs. Does what the command `train` does, on this machine; prints nothing,
// writes no file but a checkpoint that is asked for, and ends no process.
import { parseLayers } from "../layers/grammar.ts";
import { splitMethodOf } from "../split/asked-method.ts";
import type { TrainedModel, TrainingData, TrainingEvent, TrainingOptions } from "./contract.ts";
import { openHost } from "./host.ts";
import { toDataset } from "./memory-data.ts";
import { renderRunReport, runTraining } from "./training-run.ts";

export type { ReadingOptions, TrainedModel, TrainingData, TrainingEvent, TrainingOptions } from "./contract.ts";

/**
 * Trains a model of labelled sequences. `data`: a path or several, in any format that the command reads, or sequences in memory. Equal
 * data and options give equal bytes, whatever the number of threads; what the command writes for the same options are the same bytes.
 * `onProgress` hears what is read, found and decided, and every step. Rejects with an Error that says what is wrong with data or
 * options and where, and with one named `Interrupted` once `options.signal` is aborted.
 */
export async function trainModel(
  data: string | readonly string[] | TrainingData,
  options: TrainingOptions = {},
  onProgress: (event: TrainingEvent) => void = () => {},
): Promise<TrainedModel> {
  const { seed = 1, recipe = "auto", horizon = 1, costs, checkpoint, resume, threads, strict, signal, ...rest } = options;
  const { name, learner, layers, splitVersion, units, epochs, batch, padding, missing, precision, split, ...read } = rest;
  const host = openHost((text) => onProgress({ kind: "note", code: "host", text }));
  const own = { precision, name, layers: layers === undefined ? undefined : parseLayers(layers, "layers") };
  const how = { ...own, learner, splitVersion, units, epochs, batch, padding, missing, seed, recipe, horizon, costs, threads, strict };
  const isInMemory = typeof data === "object" && "sequences" in data;
  const method = split ?? (isInMemory && data.groups ? "group" : splitMethodOf(read));
  const given = isInMemory ? toDataset(data, options) : typeof data === "string" ? [data] : data;
  const ways = { ...how, read: { ...read, horizon: options.horizon }, split: method, checkpoint, resume };
  const run = await runTraining(given, ways, { ...host, signal }, onProgress);
  run.dropCheckpoint();
  const { model, bytes, channels, verdict } = run.trained;
  return {
    artifact: bytes,
    id: run.id,
    card: model.card,
    operatingPoints: model.operatingPoints,
    channels,
    verdict,
    renderReport: () => renderRunReport(run, seed),
  };
}
