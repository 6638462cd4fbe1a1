// train: a file of labelled sequences in, one artifact out.
import { existsSync } from "node:fs";
import { PADDINGS } from "../../shared/sequence.ts";
import { choice, integer, modelName, pair, type Read, text } from "../cli/arguments.ts";
import {
  DATA_WORD,
  MAX_SEED,
  MISSING_OPTION,
  READ_OPTIONS,
  readOptionsOf,
  SOFT_OPTION,
  SPLIT_OPTION,
  TEST_OPTIONS,
} from "../cli/data-options.ts";
import { declareCommand, flag, option, optionWithDefault, type Values } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { ARTIFACT_ENDINGS, checkAbsent, checkOutput, PAGE_ENDINGS } from "../cli/outputs.ts";
import { createFitProgress } from "../cli/progress.ts";
import { toReadDocument } from "../cli/read-line.ts";
import { createStages, type Stages } from "../cli/stages.ts";
import { countOf, formatMetrics, formatOperatingPoints, formatPercent, titleOfAssessment } from "../cli/tables.ts";
import type { Terminal } from "../cli/terminal.ts";
import type { SearchProgress } from "../features/search-state.ts";
import { writeWhole } from "../files/whole-files.ts";
import { parseLayers } from "../layers/grammar.ts";
import type { TrainingEvent } from "../library/contract.ts";
import { type RunOptions, renderRunReport, runTraining } from "../library/training-run.ts";
import type { FoldPlace } from "../pipeline/cross-fit.ts";
import { describeKeptEpoch } from "../pipeline/sentences.ts";
import { LEARNERS, PRECISION_CHOICES, RECIPES, type Trained } from "../pipeline/train.ts";
import { stem } from "../readers/source.ts";
import { splitMethodOf } from "../split/asked-method.ts";
import { countOnes, type Labels } from "../statistics/labels.ts";
import { describeMissed, findMissed } from "../statistics/operating-points.ts";
import type { LayerSpec } from "../training/layer-spec.ts";

const WORDS = { data: DATA_WORD };

const layersText: Read<readonly LayerSpec[]> = (value, option) => parseLayers(value, `--${option}`);

const OPTIONS = {
  out: option("FILE", text, "where the artifact goes", "<data>.safetensors, which --force overwrites"),
  force: flag("overwrite the default --out where it is there already"),
  name: option("NAME", modelName, "what the model is called, in its card and in every answer", "the data's file name without its ending"),
  report: option("FILE", text, "where an HTML report goes", "no report"),
  units: option("N", integer(1, 1024), "hidden units of the LSTM", "16, 32 or 64, by the number of sequences; raw: 100"),
  layers: option("LAYERS", layersText, "the network instead of one LSTM, such as bilstm:64,lstm:32,dense:16:relu", "one LSTM"),
  epochs: option("N", integer(1, 10_000), "most passes over the training part", "10 to 40, by the number of sequences; raw: 100"),
  batch: option("N", integer(1, 1_000_000), "sequences of one optimizer step", "64 or 256, by their number; raw: 1000"),
  seed: optionWithDefault("N", integer(0, MAX_SEED), "seed of every random choice", 1),
  recipe: optionWithDefault("NAME", choice(...RECIPES), "auto searches the channels; raw takes the numbers as they are", "auto"),
  learner: optionWithDefault(
    "NAME",
    choice(...LEARNERS),
    "auto stacks all learners; lstm, layers, trees or linear takes one alone",
    "auto",
  ),
  splitVersion: optionWithDefault("N", integer(1, 2), "2: a test part and folds; 1: four parts, for one network alone", 2),
  padding: option("HOW", choice(...PADDINGS), "which all-zero rows are padding: leading, any or none", "found from the data"),
  costs: option("A:B", pair, "cost of a false 1 and of a false 0, for the operating point lowest-cost", "no such operating point"),
  precision: optionWithDefault(
    "HOW",
    choice(...PRECISION_CHOICES),
    "int16 computes an LSTM faster; auto takes it where answers hardly move",
    "auto",
  ),
  split: SPLIT_OPTION,
  threads: option("N", integer(1, 64), "threads that train", "all cores"),
  strict: flag("without relaxed multiply-adds: the same bytes on every machine"),
  resume: flag("go on from the checkpoint that an interrupted run left"),
  json: flag("print one JSON document on stdout"),
  ...TEST_OPTIONS,
  ...READ_OPTIONS,
  ...SOFT_OPTION,
  ...MISSING_OPTION,
};

type TrainValues = Values<typeof WORDS, typeof OPTIONS>;

export const trainCommand = declareCommand({
  name: "train",
  summary: "Train a model of labelled sequences and write one artifact",
  words: WORDS,
  options: OPTIONS,
  examples: ["train mine.npz --report mine.html", "train ticks.parquet --key symbol --time at --label rises --window 10"],
  run: (values: TrainValues, dependencies: Dependencies) => train(values, dependencies),
});

const SEARCH_STAGES: Readonly<Record<SearchProgress["stage"], string>> = {
  adding: "feature search: adding channels",
  comparing: "feature search: comparing with levels and deltas of all features",
  removing: "feature search: removing channels that add nothing",
  teachers: "feature search: looking for a teacher",
};

/** Reads, trains, writes the artifact and the report, and says what came of it. Throws QuickstepError, Interrupted. */
export async function train(values: Partial<TrainValues> & Pick<TrainValues, "data">, dependencies: Dependencies): Promise<void> {
  const { terminal, now } = dependencies;
  const started = now();
  const { report, json = false, resume = false } = values;
  const out = checkOutputs(values);
  const listener = listen(terminal, now, resume ? `${out}.checkpoint` : undefined);
  const run = await runTraining(values.data, runOptionsOf(values, `${out}.checkpoint`), dependencies, listener.hear);
  listener.finish();
  const { trained, id, facts, labels } = run;
  if (report !== undefined) writeWhole(report, new TextEncoder().encode(await renderRunReport(run, values.seed ?? 1)));
  writeWhole(out, trained.bytes);
  run.dropCheckpoint();
  const seconds = (now() - started) / 1000;
  sayResult(trained, terminal);
  if (report !== undefined) terminal.say(`wrote ${report}`);
  terminal.say(`wrote ${out} (${id}, ${trained.bytes.length} bytes) in ${seconds.toFixed(0)} s`);
  if (json) {
    const speed = { examplesPerSecond: listener.sequencesPerSecond(), seconds };
    const read = facts && toReadDocument(facts);
    terminal.print(JSON.stringify(toDocument(trained, { artifact: out, model: id, ...(read && { read }) }, labels, speed)));
  }
}

/** Shows a run's events. `resumed`: the checkpoint that was asked for. */
function listen(terminal: Terminal, now: () => number, resumed: string | undefined) {
  const progress = createFitProgress(terminal, now);
  const search = createStages(terminal, now);
  const folds = createStages(terminal, now);
  const hear = (event: TrainingEvent): void => {
    if (event.kind === "read") terminal.say(event.text);
    else if (event.kind === "note") progress.say(event.text);
    else if (event.kind === "step") progress.show(event);
    else if (event.kind === "search")
      search.show(`${describeOuter(event)}${SEARCH_STAGES[event.stage]}`, event.share, countOf(event.channels, "channel"));
    else showFold(folds, event);
  };
  return {
    hear(event: TrainingEvent): void {
      hear(event);
      if (event.kind === "read" && resumed !== undefined && !existsSync(resumed))
        terminal.say(`note: there is no ${resumed} to go on from, so the run begins anew`);
    },
    finish(): void {
      progress.finish();
      folds.finish();
    },
    sequencesPerSecond: progress.sequencesPerSecond,
  };
}

/** Where the artifact goes. Throws UsageError, DataError where something cannot be written, or a default would overwrite. */
function checkOutputs({
  data,
  out,
  report,
  format,
  force = false,
  resume = false,
}: Partial<TrainValues> & Pick<TrainValues, "data">): string {
  const path = out ?? `${stem(data[0])}.safetensors`;
  checkOutput("out", path, ARTIFACT_ENDINGS);
  if (report !== undefined) checkOutput("report", report, PAGE_ENDINGS);
  const isRead = path === data[0] && format === undefined; // by a reader that will say what it thinks of its ending
  if (out === undefined && !force && !resume && !isRead) checkAbsent(path);
  return path;
}

/** Shares of a run's learners, in their order: a rough guess of their time. */
const LEARNER_SHARES: Readonly<Record<FoldPlace["learner"], readonly [from: number, to: number]>> = {
  lstm: [0, 0.3],
  layers: [0, 0.3],
  linear: [0.3, 0.5],
  trees: [0.5, 0.7],
  "greedy trees": [0.7, 0.85],
  "quantile trees": [0.85, 1],
};

function showFold(stages: Stages, { learner, setting, settings, fold, folds, outer, outers }: FoldPlace): void {
  const [from, to] = LEARNER_SHARES[learner];
  const share = from + ((to - from) * (setting + fold / folds)) / settings;
  const detail = `${learner}: fold ${fold + 1} of ${folds}`;
  const done = outer === undefined || outers === undefined ? share : (outer + share) / outers;
  stages.show(`${describeOuter({ outer, outers })}learning on folds`, done, detail);
}

/** Which fold of a nested cross-validation is judged, where there is one. */
function describeOuter({ outer, outers }: Pick<FoldPlace, "outer" | "outers">): string {
  return outer === undefined ? "" : `nested cross-validation, ${outer + 1} of ${outers}: `;
}

function runOptionsOf(values: Partial<TrainValues>, checkpoint: string): RunOptions {
  const { units, epochs, batch, seed = 1, recipe = "auto", padding, missing, costs, horizon = 1, learner, layers, splitVersion } = values;
  const { name, precision, threads, strict, resume } = values;
  return {
    name,
    units,
    layers,
    epochs,
    batch,
    seed,
    recipe,
    learner,
    splitVersion: splitVersion === 1 ? 1 : 2,
    padding,
    missing,
    precision,
    horizon,
    split: splitMethodOf(values),
    costs: costs && { falsePositive: costs[0], falseNegative: costs[1] },
    read: { ...readOptionsOf(values), ...(missing === "refuse" && { gapAdvice: "--missing carry takes numbers that are missing" }) },
    ...{ threads, strict, checkpoint, resume },
  };
}

function sayResult({ model, verdict, truth }: Trained, { say }: Terminal): void {
  const { card, operatingPoints } = model;
  if (card.stack === undefined) say(describeKeptEpoch(card.training));
  const name = card.stack === undefined ? (card.training.layers === undefined ? `LSTM(${card.training.units})` : "network") : "stack";
  say(`\n${formatMetrics({ [name]: card.test, ...card.baselines }, titleOfAssessment(card))}`);
  const isNested = card.assessment === "nested-cross-validation";
  say(
    `${isNested ? "nested cross-validation of the whole path: " : ""}${countOf(card.test.examples, isNested ? "sequence" : "test sequence")}, ${formatPercent(card.test.positiveRate)} positive; the majority's accuracy is ${card.test.majorityAccuracy.toFixed(4)}`,
  );
  if (isNested) say("The base rate is that of the other folds, which differs from fold to fold, so that its AUC is not one half.");
  say(`\n${formatOperatingPoints(operatingPoints)}\n`);
  for (const missed of findMissed(operatingPoints)) say(describeMissed(missed, isNested ? "in it" : "on the test part"));
  if (truth) {
    say(`the true probability is known; its own log loss is ${truth.bayesLogLoss.toFixed(4)}`);
    say(`${formatPercent(truth.recovered)} of what can be learnt was learnt`);
  }
  say(`${verdict.text} ${verdict.next}`);
}

function toDocument(
  { model, verdict, truth, channels }: Trained,
  names: { readonly artifact: string; readonly model: string; readonly read?: object },
  labels: Labels,
  speed: { readonly examplesPerSecond: number; readonly seconds: number },
): Readonly<Record<string, unknown>> {
  const { card, operatingPoints } = model;
  const { examples, ...test } = card.test;
  return {
    ...names,
    examples: { ...card.split.examples, test: examples },
    positiveRate: countOnes(labels) / labels.length,
    test,
    baselines: card.baselines,
    operatingPoints,
    ...(truth && { truth }),
    channels,
    epochs: card.training.epochs,
    ...(card.stack && { stack: card.stack }),
    ...(card.assessment && { assessment: card.assessment }),
    ...speed,
    verdict,
  };
}
