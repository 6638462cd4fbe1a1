// One line that says what was read, before anything else happens.
import type { Batch } from "../readers/batch.ts";
import { describeNote, describeRead, describeReading } from "../readers/describe.ts";
import { createReadTally } from "../readers/facts.ts";
import type { ReadNote } from "../readers/notes.ts";
import type { Terminal } from "./terminal.ts";

/** Says what a reader leaves out or does by itself. */
export function noteReading({ say }: Terminal): (note: ReadNote) => void {
  return (note) => say(describeNote(note));
}

interface Announced {
  readonly source: string;
  /** The file that the labels come from, where that is one of its own. */
  readonly labels?: string;
  readonly ignoreLabels?: boolean;
}

/**
 * Passes `batches` on; before the first one goes on, the terminal hears what is read. The number of sequences is said where one
 * batch holds them all: of more it is known at the end.
 */
export async function* announceBatches(
  batches: AsyncIterable<Batch>,
  { source, labels, ignoreLabels }: Announced,
  { say }: Terminal,
): AsyncGenerator<Batch> {
  const tally = createReadTally(source, labels, ignoreLabels);
  let first: Batch | undefined;
  let isSaid = false;
  for await (const batch of batches) {
    if (isSaid) yield batch;
    else if (first === undefined) {
      first = batch;
      tally.add(batch);
    } else {
      say(describeReading(tally.facts()));
      isSaid = true;
      yield first;
      yield batch;
      first = undefined;
    }
  }
  if (isSaid || first === undefined) return;
  say(describeRead(tally.facts()));
  yield first;
}
