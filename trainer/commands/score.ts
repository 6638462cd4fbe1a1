// score: a probability for every sequence, in input order, as it comes.
import { type Engines, loadModel } from "../artifact/artifact-file.ts";
import type { Terminal } from "../cli/terminal.ts";
import { readBatches } from "../readers/data-files.ts";
import { describeNote } from "../readers/describe.ts";
import type { ReadNote } from "../readers/facts.ts";
import { fillFrom, type ReadOptions } from "../readers/options.ts";
import { createScoreOutput, endingOf, formatCsv } from "../scoring/score-output.ts";
import { scoreBatches } from "../scoring/score-threads.ts";

export interface ScoreCommand {
  readonly artifact: string;
  readonly data: readonly string[];
  readonly read: ReadOptions;
  /** Its ending says the format; undefined prints the CSV. */
  readonly out?: string;
  readonly threads: number;
  readonly json: boolean;
}

export async function scoreFile(command: ScoreCommand, engines: Engines, terminal: Terminal): Promise<void> {
  const { out, data } = command;
  if (out !== undefined) endingOf(out);
  const loaded = loadModel(command.artifact, engines);
  const read = {
    ...fillFrom(command.read, loaded.model.recipe),
    ignoreLabels: true,
    onNote: (note: ReadNote) => terminal.say(describeNote(note)),
  };
  let examples = 0;
  let strange = 0;
  const printed: string[] = []; // nothing is printed of what turns out to be bad further on
  const probabilities: Float32Array[] = [];
  const output = out === undefined ? null : createScoreOutput(out);
  try {
    for await (const piece of scoreBatches(readBatches(data, read), data[0], loaded, engines.module, command.threads)) {
      if (output) output.write(piece);
      else if (command.json) probabilities.push(piece.probabilities);
      else printed.push(formatCsv(piece, examples === 0).trimEnd());
      examples += piece.probabilities.length;
      strange += piece.outOfRange.reduce((sum, flag) => sum + flag, 0);
    }
    output?.finish();
  } finally {
    output?.discard();
  }
  for (const lines of printed) terminal.print(lines);
  if (output) terminal.say(`wrote ${examples} probabilities of ${loaded.id} to ${out}`);
  if (strange > 0) terminal.say(`note: ${strange} sequences lie outside what training saw`);
  if (command.json)
    terminal.print(
      JSON.stringify({
        model: loaded.id,
        examples,
        outOfRange: strange,
        ...(output ? { out } : { probabilities: probabilities.flatMap((piece) => Array.from(piece)) }),
      }),
    );
}
