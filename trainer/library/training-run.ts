// One training run, from data to a model, as the command `train` and `quickstep/train` have it: reads, checks, trains, keeps the run on
// disk where that is wanted. Says what happens by events; prints nothing and ends no process.
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { describeModel, type Engines } from "../artifact/artifact-file.ts";
import { MIN_SEQUENCES } from "../pipeline/prepare-folds.ts";
import { describeNote } from "../pipeline/sentences.ts";
import { type Trained, type TrainOptions, trainModel } from "../pipeline/train.ts";
import { checkTrainable, type Dataset, readDataset } from "../readers/dataset.ts";
import { describeRead } from "../readers/describe.ts";
import type { ReadFacts } from "../readers/facts.ts";
import { isLong, type ReadOptions } from "../readers/options.ts";
import type { Labels } from "../statistics/labels.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { type Checkpointer, createCheckpointer, createPauser, type StopSignal } from "../training/checkpoint.ts";
import type { TrainingEvent } from "./contract.ts";
import type { KernelOptions, TrainingHost } from "./host.ts";

/** How a run is done; how its data are read is `read`. */
export interface RunOptions extends TrainOptions, KernelOptions {
  /** Not looked at where the data are in memory. */
  readonly read?: ReadOptions;
  /** Where the run is kept; undefined: nowhere. */
  readonly checkpoint?: string;
  readonly resume?: boolean;
}

/** A machine, and what says that a run is to be left; that is asked for once the data are read. */
export type RunHost = TrainingHost & { readonly signal?: StopSignal };

export interface TrainingRun {
  readonly trained: Trained;
  readonly id: string;
  /** (N) of what was learnt from and tested on, in no order. */
  readonly labels: Labels;
  /** How files were read; undefined where the data were in memory. */
  readonly facts?: ReadFacts;
  readonly engines: Engines;
  /** Removes what was kept of the run: the model is safe elsewhere. */
  dropCheckpoint(): void;
}

/** Of more windows, so many are the sample that all learners see and that every choice is made by; networks learn from the others, too. */
const MAX_SAMPLE = 100_000;
/** Of more sequences those beyond the sample stay in a file. */
const MAX_IN_MEMORY = 200_000;
/** One network alone, as the first artifacts were trained, takes so many at most. */
const MAX_WINDOWS = 250_000;

/** `given`: paths, or data in memory. Throws QuickstepError, and Interrupted once the host's signal is aborted. */
export async function runTraining(
  given: readonly string[] | Dataset,
  options: RunOptions,
  host: RunHost,
  onEvent: (event: TrainingEvent) => void,
): Promise<TrainingRun> {
  /** What is left names the run, in its checkpoint: it decides the model's bytes. */
  const { read: _, checkpoint, resume, threads, strict, ...train } = options;
  const isAlone = train.splitVersion === 1 || train.recipe === "raw"; // one network, as the first artifacts were trained
  const { dataset, facts } = await readData(given, options, isAlone);
  const { timesteps } = dataset.shape;
  const text = facts === undefined ? `${dataset.labels?.length} sequences in memory` : describeRead(facts);
  onEvent({ kind: "read", text, sequences: dataset.labels?.length ?? 0, timesteps, features: dataset.features });
  const data = checkTrainable(dataset, isAlone ? undefined : MIN_SEQUENCES);
  const kept = openCheckpointer({ checkpoint, resume }, host);
  const engines = host.loadEngines();
  const layers = train.layers && (await host.openLayers({ threads, strict }));
  const createStepper = host.createStepper({ threads, strict });
  try {
    const trained = await trainModel(data, train, {
      ...engines,
      createStepper: (data, options) => (options.layers && layers ? layers.createStepper : createStepper)(data, options),
      createTrees: host.createTrees({ threads, strict }),
      node: host.node,
      onNote: (note) => onEvent({ kind: "note", code: note.code, text: describeNote(note, data.features) }),
      onProgress: (progress) => onEvent({ kind: "step", ...progress }),
      onSearchProgress: (progress) => onEvent({ kind: "search", ...progress }),
      onFold: (place) => onEvent({ kind: "fold", ...place }),
      checkpoint: kept.checkpoint,
      openJournal: kept.openJournal,
      yieldToEventLoop: kept.yieldToEventLoop,
    });
    return {
      trained,
      id: describeModel(trained.model, trained.bytes),
      labels: data.labels,
      facts,
      engines,
      dropCheckpoint: () => kept.remove?.(),
    };
  } finally {
    layers?.dispose();
    dataset.stored?.close();
  }
}

async function readData(
  given: readonly string[] | Dataset,
  { read = {}, missing, checkpoint }: RunOptions,
  isAlone: boolean,
): Promise<{ readonly dataset: Dataset; readonly facts?: ReadFacts }> {
  if ("values" in given && "shape" in given) return { dataset: given };
  const clock = read.time !== undefined && isLong(read);
  const how = {
    ...read,
    maxWindows: isAlone ? MAX_WINDOWS : MAX_SAMPLE,
    further: !isAlone,
    ...(!isAlone && { store: { above: MAX_IN_MEMORY, folder: chooseFolder(checkpoint) } }),
    gaps: missing !== "refuse",
    validation: true,
    clock,
  };
  const dataset = await readDataset(given as readonly string[], how);
  return { dataset: { ...dataset, isOwned: true }, facts: dataset.facts };
}

/** Where rows are kept: beside the run's checkpoint, on a disk that whoever trains has chosen, else where the system keeps what is not to last. */
function chooseFolder(checkpoint: string | undefined): string {
  const own = checkpoint === undefined ? undefined : dirname(checkpoint);
  return own !== undefined && existsSync(own) ? own : tmpdir();
}

function openCheckpointer(
  { checkpoint, resume = false }: Pick<RunOptions, "checkpoint" | "resume">,
  host: RunHost,
): Partial<Checkpointer> & Pick<Checkpointer, "yieldToEventLoop"> {
  const signal = host.signal ?? { aborted: false };
  return checkpoint === undefined ? createPauser(signal, host.now) : createCheckpointer(checkpoint, resume, signal, host.now);
}

/** The report of a run as one HTML page; `seed` is the run's. */
export async function renderRunReport({ trained, id, engines }: TrainingRun, seed: number): Promise<string> {
  // vega takes a tenth of a second to load: only who wants a report waits for it
  const [{ gatherReport }, { renderReport }] = await Promise.all([import("../report/gather.ts"), import("../report/page.ts")]);
  const { model, verdict, truth, evidence } = trained;
  const engine = engines.createEngine(model);
  const random = createRandom(seed, STREAMS.report);
  return renderReport(gatherReport({ model, id, verdict, truth, ...evidence, engine, log: engines.kernel.log, random }));
}
