// evaluate: the figures of an artifact on labelled sequences, from the decoded file and the kernel that serves it.
import { type Engines, loadModel } from "../artifact/artifact-file.ts";
import { formatMetrics, formatPercent, type Terminal } from "../cli/terminal.ts";
import { readBatches } from "../readers/data-files.ts";
import { requireLabels } from "../readers/dataset.ts";
import { describeNote } from "../readers/describe.ts";
import type { ReadNote } from "../readers/facts.ts";
import { fillFrom, type ReadOptions } from "../readers/options.ts";
import { scoreBatches } from "../scoring/score-threads.ts";
import { computeMetrics } from "../statistics/metrics.ts";

export interface EvaluateCommand {
  readonly artifact: string;
  readonly data: readonly string[];
  readonly read: ReadOptions;
  readonly threads: number;
  readonly json: boolean;
}

export async function evaluate(command: EvaluateCommand, engines: Engines, terminal: Terminal): Promise<void> {
  const loaded = loadModel(command.artifact, engines);
  const source = command.data.join(", ");
  const read = { ...fillFrom(command.read, loaded.model.recipe), onNote: (note: ReadNote) => terminal.say(describeNote(note)) };
  const labels: Uint8Array[] = [];
  const probabilities: Float32Array[] = [];
  for await (const piece of scoreBatches(readBatches(command.data, read), source, loaded, engines.module, command.threads)) {
    labels.push(requireLabels({ ...piece, source }).labels);
    probabilities.push(piece.probabilities);
  }
  const metrics = computeMetrics(Buffer.concat(labels), join(probabilities));
  terminal.say(`${loaded.id} on ${source}: ${metrics.examples} sequences, ${formatPercent(metrics.positiveRate)} positive`);
  terminal.say(formatMetrics({ model: metrics }));
  terminal.say(
    `always answering the base rate: log loss ${metrics.baseRateLogLoss.toFixed(4)}, accuracy ${metrics.majorityAccuracy.toFixed(4)}`,
  );
  if (command.json) terminal.print(JSON.stringify(metrics));
}

function join(pieces: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
