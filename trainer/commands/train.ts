// train: a file of labelled sequences in, one artifact out.
import { describeModel } from "../artifact-file.ts";
import { createKeeper } from "../checkpoint.ts";
import { writeWhole } from "../files.ts";
import { createProgress } from "../progress.ts";
import { checkTrainable, type ReadOptions, readDataset } from "../readers/dataset.ts";
import { formatMetrics, formatPercent, type Terminal } from "../terminal.ts";
import { type Host, type TrainOptions, trainModel } from "../train.ts";

export interface TrainCommand extends TrainOptions, Omit<ReadOptions, "ignoreLabels"> {
  readonly data: string;
  readonly out: string;
  readonly resume: boolean;
  readonly json: boolean;
}

export async function train(
  command: TrainCommand,
  host: Omit<Host, "note" | "onProgress" | "keep" | "breathe">,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const data = checkTrainable(await readDataset(command.data, command));
  const progress = createProgress(terminal, () => performance.now());
  const keeper = createKeeper(`${command.out}.checkpoint`, command.resume, signal, () => performance.now());
  const trained = await trainModel(data, command, {
    ...host,
    note: terminal.say,
    onProgress: progress.show,
    keep: keeper.keep,
    breathe: keeper.breathe,
  });
  writeWhole(command.out, trained.bytes);
  keeper.remove();
  const seconds = (performance.now() - started) / 1000;
  const { card } = trained.model;
  const id = describeModel(trained.model, trained.bytes);
  terminal.say(`\n${formatMetrics({ [`LSTM(${card.training.units})`]: card.test, ...card.baselines })}`);
  terminal.say(
    `${card.test.examples} test sequences, ${formatPercent(card.test.positiveRate)} positive; accuracy of always answering the majority: ${card.test.majorityAccuracy.toFixed(4)}`,
  );
  if (trained.truth)
    terminal.say(
      `the true probability is known: its own log loss is ${trained.truth.bayesLogLoss.toFixed(4)}; ${formatPercent(trained.truth.recovered)} of what can be learnt was learnt`,
    );
  terminal.say(`${trained.verdict.text}\nwrote ${command.out} (${id}, ${trained.bytes.length} bytes) in ${seconds.toFixed(0)} s`);
  if (command.json) {
    const { examples, ...test } = card.test;
    const document = {
      artifact: command.out,
      model: id,
      examples: { ...card.split.examples, test: examples },
      positiveRate: data.labels.reduce((sum, label) => sum + label, 0) / data.labels.length,
      test,
      baselines: card.baselines,
      ...(trained.truth && { truth: trained.truth }),
      channels: trained.channels,
      epochs: card.training.epochs,
      examplesPerSecond: Math.round(progress.examplesPerSecond()),
      seconds,
      verdict: trained.verdict,
    };
    terminal.print(JSON.stringify(document));
  }
}
