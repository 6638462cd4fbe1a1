// evaluate: the metrics of an artifact on labelled sequences, from the decoded file and the kernel that serves it.
import { createHash } from "node:crypto";
import { loadModel } from "../artifact/artifact-file.ts";
import { integer } from "../cli/arguments.ts";
import { ARTIFACT_WORD, DATA_WORD, READ_OPTIONS, readOptionsOf, SOFT_OPTION } from "../cli/data-options.ts";
import { declareCommand, flag, option, type Values } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { createReadLine, toReadDocument } from "../cli/read-line.ts";
import { createScoreProgress, noteOutside } from "../cli/score-progress.ts";
import { countOf, formatMetrics, formatOperatingPoints, formatPercent } from "../cli/tables.ts";
import { fillFromModel } from "../pipeline/data-card.ts";
import { describePaths, readBatches } from "../readers/data-files.ts";
import { requireLabels } from "../readers/dataset.ts";
import { createLabelCodes } from "../readers/labels.ts";
import { checkHorizon } from "../readers/option-checks.ts";
import { scoreBatches } from "../scoring/score-threads.ts";
import { countOnes, joinLabels, type Labels } from "../statistics/labels.ts";
import { computeMetrics } from "../statistics/metrics.ts";
import { describeMissed, findMissed, measureOperatingPoints } from "../statistics/operating-points.ts";

const WORDS = { artifact: ARTIFACT_WORD, data: DATA_WORD };

const OPTIONS = {
  threads: option("N", integer(1, 64), "threads that score", "all cores"),
  json: flag("print one JSON document on stdout"),
  ...READ_OPTIONS,
  ...SOFT_OPTION,
};

export const evaluateCommand = declareCommand({
  name: "evaluate",
  summary: "Compute the metrics of an artifact on labelled sequences",
  words: WORDS,
  options: OPTIONS,
  examples: ["evaluate mine.safetensors more.npz", "evaluate mine.safetensors more.npy --labels y.npy --json"],
  run: evaluate,
});

/** Says the metrics. Throws DataError where there are no labels or the model does not take the data. */
async function evaluate(values: Values<typeof WORDS, typeof OPTIONS>, dependencies: Dependencies): Promise<void> {
  const { terminal, now } = dependencies;
  const engines = dependencies.loadEngines();
  const loaded = loadModel(values.artifact, engines);
  const source = describePaths(values.data);
  const options = fillFromModel(readOptionsOf(values), loaded.model);
  checkHorizon(options);
  const progress = createScoreProgress("evaluate", terminal, now, options);
  const labelCodes = createLabelCodes({ positive: values.positive, learnt: options.learnt, areNumbersValues: true });
  const line = createReadLine({ source, labels: values.labels, labelCodes }, terminal);
  const read = { ...options, labelCodes, onNote: line.onNote, onRead: progress.onRead };
  const hash = createHash("sha256");
  const batches = progress.count(line.announce(readBatches(values.data, read, hash)));
  const labels: Labels[] = [];
  const probabilities: Float32Array[] = [];
  let outOfRange = 0;
  for await (const piece of scoreBatches(batches, source, loaded, engines.module, values.threads ?? dependencies.cores)) {
    labels.push(requireLabels({ ...piece, source }).labels);
    probabilities.push(piece.probabilities);
    outOfRange += countOnes(piece.outOfRange);
    progress.scored(piece.probabilities.length);
  }
  progress.finish();
  if (outOfRange > 0) terminal.say(noteOutside(outOfRange));
  const { data, calibrated } = loaded.model.card;
  const isTrainingData = [data.sha256, calibrated?.data.sha256].includes(hash.digest("hex"));
  if (isTrainingData)
    terminal.say(`note: ${source} is the file that the model was trained or calibrated on: the metrics flatter the model`);
  const { parts } = labelCodes.settle([joinLabels(labels)] as const, source);
  const scored = join(probabilities);
  const metrics = computeMetrics(parts[0], scored);
  const tell = values.json ? terminal.say : terminal.print;
  tell(`${loaded.id} on ${source}: ${countOf(metrics.examples, "sequence")}, ${formatPercent(metrics.positiveRate)} positive`);
  tell(formatMetrics({ model: metrics }, "on these sequences"));
  tell(`always answering the base rate: log loss ${metrics.baseRateLogLoss.toFixed(4)}, accuracy ${metrics.majorityAccuracy.toFixed(4)}`);
  const operatingPoints = measureOperatingPoints(loaded.model.operatingPoints, parts[0], scored);
  tell(`\n${formatOperatingPoints(operatingPoints)}`);
  for (const missed of findMissed(operatingPoints)) tell(describeMissed(missed, "on these sequences"));
  if (values.json)
    terminal.print(JSON.stringify({ ...metrics, operatingPoints, isTrainingData, outOfRange, read: toReadDocument(line.facts()) }));
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
