// evaluate: the figures of an artifact on labelled sequences, from the decoded file and the kernel that serves it.
import { type Engines, fitShape, loadModel } from "../artifact-file.ts";
import { computeMetrics } from "../metrics.ts";
import { readDataset, requireLabels } from "../readers/dataset.ts";
import { formatMetrics, formatPercent, type Terminal } from "../terminal.ts";

export interface EvaluateCommand {
  readonly artifact: string;
  readonly data: string;
  readonly labels?: string;
  readonly json: boolean;
}

export async function evaluate(command: EvaluateCommand, engines: Engines, terminal: Terminal): Promise<void> {
  const loaded = loadModel(command.artifact, engines);
  const data = requireLabels(await readDataset(command.data, { labels: command.labels }));
  const metrics = computeMetrics(data.labels, loaded.score(fitShape(data, loaded.model)).probabilities);
  terminal.say(`${loaded.id} on ${command.data}: ${metrics.examples} sequences, ${formatPercent(metrics.positiveRate)} positive`);
  terminal.say(formatMetrics({ model: metrics }));
  terminal.say(
    `always answering the base rate: log loss ${metrics.baseRateLogLoss.toFixed(4)}, accuracy ${metrics.majorityAccuracy.toFixed(4)}`,
  );
  if (command.json) terminal.print(JSON.stringify(metrics));
}
