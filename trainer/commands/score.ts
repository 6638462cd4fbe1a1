// score: a probability for every sequence, in input order, as it comes.
import { loadModel } from "../artifact/artifact-file.ts";
import { integer, text } from "../cli/arguments.ts";
import { ARTIFACT_WORD, DATA_WORD, READ_OPTIONS, readOptionsOf } from "../cli/data-options.ts";
import { declareCommand, flag, option, type Values } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { createReadLine, toReadDocument } from "../cli/read-line.ts";
import { createScoreProgress, noteOutside } from "../cli/score-progress.ts";
import { countOf } from "../cli/tables.ts";
import { checkWritable } from "../files/whole-files.ts";
import { fillFromModel } from "../pipeline/data-card.ts";
import { describePaths, readBatches } from "../readers/data-files.ts";
import { describeMeaning } from "../readers/describe.ts";
import { isPlain } from "../readers/labels.ts";
import { checkHorizon } from "../readers/option-checks.ts";
import { createScoreOutput, endingOf, formatCsv, type ScoreOutput } from "../scoring/score-output.ts";
import { type Scored, scoreBatches } from "../scoring/score-threads.ts";
import { countOnes } from "../statistics/labels.ts";
import { Interrupted } from "../training/checkpoint.ts";

const WORDS = { artifact: ARTIFACT_WORD, data: DATA_WORD };

const OPTIONS = {
  out: option("FILE", text, "where the probabilities go: .csv, .jsonl, .parquet or .npy", "CSV on stdout"),
  threads: option("N", integer(1, 64), "threads that score", "all cores"),
  json: flag("print one JSON document on stdout"),
  ...READ_OPTIONS,
};

export const scoreCommand = declareCommand({
  name: "score",
  summary: "Write the probability of every sequence, in the order of the input",
  words: WORDS,
  options: OPTIONS,
  examples: ["score mine.safetensors new.parquet --out q.csv", "score mine.safetensors - --format jsonl < new.jsonl"],
  run: scoreFile,
});

/** Scores to `--out`, whole or not at all, or to stdout once all is scored. Throws UsageError, DataError, SequenceError, Interrupted. */
async function scoreFile(values: Values<typeof WORDS, typeof OPTIONS>, dependencies: Dependencies): Promise<void> {
  const { terminal, now } = dependencies;
  const { out, data, json } = values;
  const source = describePaths(data);
  if (out !== undefined) {
    endingOf(out);
    checkWritable(out);
  }
  const engines = dependencies.loadEngines();
  const loaded = loadModel(values.artifact, engines);
  const options = { ...fillFromModel(readOptionsOf(values), loaded.model), ignoreLabels: true, keepTimes: true };
  checkHorizon(options);
  const progress = createScoreProgress("score", terminal, now, options);
  const line = createReadLine({ source, ignoreLabels: true }, terminal);
  const read = { ...options, onNote: line.onNote, onRead: progress.onRead };
  const batches = progress.count(line.announce(readBatches(data, read)));
  let examples = 0;
  let outOfRange = 0;
  const signal = out === undefined ? undefined : dependencies.signal; // so that nothing is left of a file that is not whole
  const collected = collectScores(out, json);
  try {
    for await (const piece of scoreBatches(batches, data[0], loaded, engines.module, values.threads ?? dependencies.cores)) {
      if (signal?.aborted) throw new Interrupted();
      collected.add(piece, examples === 0);
      examples += piece.probabilities.length;
      outOfRange += countOnes(piece.outOfRange);
      progress.scored(piece.probabilities.length);
    }
    progress.finish();
    collected.output?.finish();
  } finally {
    collected.output?.discard();
  }
  for (const lines of collected.printed) terminal.print(lines);
  if (out !== undefined) terminal.say(`wrote ${out}: ${countOf(examples, "sequence")} scored by ${loaded.id}`);
  const { learnt } = options;
  if (learnt && !isPlain(learnt)) terminal.say(`each probability is that of a 1, where ${describeMeaning(learnt)}`);
  if (outOfRange > 0) terminal.say(noteOutside(outOfRange));
  const { probabilities, columns } = collected;
  if (json) {
    const scores = out === undefined ? { probabilities, ...(Object.keys(columns).length > 0 && { columns }) } : { out };
    terminal.print(JSON.stringify({ model: loaded.id, examples, outOfRange, ...scores, read: toReadDocument(line.facts()) }));
  }
}

interface Collected {
  readonly output: ScoreOutput | null;
  /** Lines of CSV for stdout: nothing is printed of what turns out to be bad further on. */
  readonly printed: string[];
  /** For the JSON document. */
  readonly probabilities: number[];
  /** And what names each sequence. */
  readonly columns: Record<string, (string | number)[]>;
  add(piece: Scored, isFirst: boolean): void;
}

/** Scores go to a file, into a JSON document, or to stdout. */
function collectScores(out: string | undefined, json: boolean): Collected {
  const output = out === undefined ? null : createScoreOutput(out);
  const printed: string[] = [];
  const probabilities: number[] = [];
  const columns: Record<string, (string | number)[]> = {};
  return {
    output,
    printed,
    probabilities,
    columns,
    add(piece, isFirst) {
      if (output) output.write(piece);
      else if (json) {
        for (const probability of piece.probabilities) probabilities.push(probability);
        for (const [name, column] of Object.entries(piece.columns)) (columns[name] ??= []).push(...column);
      } else printed.push(formatCsv(piece, isFirst).trimEnd());
    },
  };
}
