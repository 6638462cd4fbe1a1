// train: a file of labelled sequences in, one artifact out.
import { describeModel } from "../artifact/artifact-file.ts";
import { createProgress } from "../cli/progress.ts";
import { formatMetrics, formatOperatingPoints, formatPercent, type Terminal } from "../cli/terminal.ts";
import { writeWhole } from "../files/whole-files.ts";
import { type TrainDependencies, type TrainOptions, trainModel } from "../pipeline/train.ts";
import { checkTrainable, type ReadOptions, readDataset } from "../readers/dataset.ts";
import { describeNote } from "../readers/describe.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { createCheckpointer } from "../training/checkpoint.ts";

export interface TrainCommand extends TrainOptions {
  readonly data: readonly string[];
  readonly read: ReadOptions;
  readonly out: string;
  readonly report?: string;
  readonly resume: boolean;
  readonly json: boolean;
}

/** Training takes 1.7 kB a sequence (measured): as many windows as fit a GiB together with 10 million rows. */
const MOST_WINDOWS = 250_000;

export async function train(
  command: TrainCommand,
  dependencies: Omit<TrainDependencies, "note" | "onProgress" | "checkpoint" | "yieldToEventLoop">,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const data = checkTrainable(
    await readDataset(command.data, { ...command.read, onNote: (note) => terminal.say(describeNote(note)), mostWindows: MOST_WINDOWS }),
  );
  const progress = createProgress(terminal, () => performance.now());
  const checkpointer = createCheckpointer(`${command.out}.checkpoint`, command.resume, signal, () => performance.now());
  const trained = await trainModel(data, command, {
    ...dependencies,
    note: terminal.say,
    onProgress: progress.show,
    checkpoint: checkpointer.checkpoint,
    yieldToEventLoop: checkpointer.yieldToEventLoop,
  });
  const { model, verdict, truth, evidence } = trained;
  const id = describeModel(model, trained.bytes);
  if (command.report !== undefined) {
    // vega takes a tenth of a second to load: only who wants a report waits for it
    const [{ gatherReport }, { renderReport }] = await Promise.all([import("../report/gather.ts"), import("../report/page.ts")]);
    const engine = dependencies.createEngine(model.network, model.calibration);
    const random = createRandom(command.seed, STREAMS.report);
    const html = await renderReport(gatherReport({ model, id, verdict, truth, ...evidence, engine, log: dependencies.kernel.log, random }));
    writeWhole(command.report, new TextEncoder().encode(html));
    terminal.say(`wrote ${command.report}`);
  }
  writeWhole(command.out, trained.bytes);
  checkpointer.remove();
  const seconds = (performance.now() - started) / 1000;
  const { card } = model;
  terminal.say(`\n${formatMetrics({ [`LSTM(${card.training.units})`]: card.test, ...card.baselines })}`);
  terminal.say(
    `${card.test.examples} test sequences, ${formatPercent(card.test.positiveRate)} positive; accuracy of always answering the majority: ${card.test.majorityAccuracy.toFixed(4)}`,
  );
  terminal.say(`\n${formatOperatingPoints(model.operatingPoints)}\n`);
  if (truth)
    terminal.say(
      `the true probability is known: its own log loss is ${truth.bayesLogLoss.toFixed(4)}; ${formatPercent(truth.recovered)} of what can be learnt was learnt`,
    );
  terminal.say(`${verdict.text} ${verdict.next}\nwrote ${command.out} (${id}, ${trained.bytes.length} bytes) in ${seconds.toFixed(0)} s`);
  if (command.json) {
    const { examples, ...test } = card.test;
    const document = {
      artifact: command.out,
      model: id,
      examples: { ...card.split.examples, test: examples },
      positiveRate: data.labels.reduce((sum, label) => sum + label, 0) / data.labels.length,
      test,
      baselines: card.baselines,
      operatingPoints: model.operatingPoints,
      ...(truth && { truth }),
      channels: trained.channels,
      epochs: card.training.epochs,
      examplesPerSecond: Math.round(progress.examplesPerSecond()),
      seconds,
      verdict,
    };
    terminal.print(JSON.stringify(document));
  }
}
