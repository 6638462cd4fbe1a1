// One line that says what was read, before anything else happens.
import type { Batch } from "../readers/batch.ts";
import { describeMeaning, describeRead, describeReading, listDetails } from "../readers/describe.ts";
import { createReadTally, type ReadFacts } from "../readers/facts.ts";
import { isPlain, type LabelCodes } from "../readers/labels.ts";
import type { ReadNote } from "../readers/notes.ts";
import type { Terminal } from "./terminal.ts";

interface Announced {
  readonly source: string;
  /** The file that the labels come from, where that is one of its own. */
  readonly labels?: string;
  readonly ignoreLabels?: boolean;
  /** Of the labels that the batches hold. */
  readonly labelCodes?: LabelCodes;
}

/** What was read, for programs: the sentence, and its facts. */
export function toReadDocument(facts: ReadFacts): Readonly<Record<string, unknown>> {
  return { text: describeRead(facts), ...facts };
}

/** Says what is read of a stream of batches, and knows at the end what was. */
export interface ReadLine {
  /**
   * Passes `batches` on; before the first one goes on, the terminal hears what is read. The number of sequences is said where one
   * batch holds them all: of more it is known at the end.
   */
  announce(batches: AsyncIterable<Batch>): AsyncGenerator<Batch>;
  /** Hears what the readers find out or leave out, for the line. */
  onNote(note: ReadNote): void;
  /** Throws RangeError before the first batch. */
  facts(): ReadFacts;
}

/** A line about data that are read once. */
export function createReadLine({ source, labels, ignoreLabels, labelCodes }: Announced, { say }: Terminal): ReadLine {
  const tally = createReadTally(source, labels, ignoreLabels, labelCodes);
  return {
    facts: tally.facts,
    onNote: tally.note,
    async *announce(batches) {
      let first: Batch | undefined;
      let said: readonly string[] | undefined;
      for await (const batch of batches) {
        tally.add(batch);
        if (said !== undefined) yield batch;
        else if (first === undefined) first = batch;
        else {
          const facts = tally.facts();
          say(describeReading(facts));
          said = listDetails(facts);
          yield first;
          yield batch;
          first = undefined;
        }
      }
      if (said !== undefined) sayLate(tally.facts(), said, say);
      if (first === undefined) return;
      say(describeRead(tally.facts()));
      yield first;
    },
  };
}

/** What came up after the first line. */
function sayLate(facts: ReadFacts, said: readonly string[], say: Terminal["say"]): void {
  const { source, labels } = facts;
  const meaning = typeof labels === "object" ? labels.meaning : null;
  if (meaning !== null && !isPlain(meaning)) say(`${source}: of the labels ${describeMeaning(meaning)}`);
  for (const text of listDetails(facts)) if (!said.includes(text)) say(`${source}: ${text}`);
}
