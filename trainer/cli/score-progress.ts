// How far scoring has come, from what is read, how many sequences that gave, and how many of them are scored.
import type { Batch } from "../readers/batch.ts";
import { isLong, type ReadOptions } from "../readers/options.ts";
import { createStages } from "./stages.ts";
import { countOf, formatCount } from "./tables.ts";
import type { Terminal } from "./terminal.ts";

/** What is said of `count` scored sequences that lie outside what training saw. */
export function noteOutside(count: number): string {
  return `note: sequences outside what training saw, in length, numbers or categories: ${formatCount(count)}`;
}

export interface ScoreProgress {
  /** As `onRead` of the readers. */
  onRead(share: number): void;
  /** Passes batches on and counts their sequences. */
  count(batches: AsyncIterable<Batch>): AsyncGenerator<Batch>;
  /** So many more sequences are scored. */
  scored(sequences: number): void;
  /** Clears the line. */
  finish(): void;
}

/** `stage` is what the line calls the work, `now` in milliseconds. Windows are cut when all rows are read: of them no share is known, only their number so far. */
export function createScoreProgress(
  stage: "score" | "evaluate",
  terminal: Terminal,
  now: () => number,
  options: ReadOptions,
): ScoreProgress {
  const stages = createStages(terminal, now);
  let readShare = 0;
  let read = 0;
  let scored = 0;
  return {
    onRead(share) {
      readShare = share;
    },
    async *count(batches) {
      for await (const batch of batches) {
        read += batch.values.length / (batch.shape.timesteps * batch.shape.features);
        yield batch;
      }
    },
    scored(sequences) {
      scored += sequences;
      const share = isLong(options) ? 0 : (scored / read) * readShare;
      stages.show(stage, share, countOf(scored, "sequence"));
    },
    finish: stages.finish,
  };
}
