// The one object that holds all isolates' counts: in memory, and in one row that is written at most once a minute. What comes within the
// minute keeps the object awake until then.
import type { ObjectStorage } from "../streams/storage.ts";
import { addCounts, type Counts, noCounts } from "./counts.ts";
import { readRow, writeRow } from "./kept-row.ts";

const WRITE_EVERY_MS = 60_000;

/** What isolates and GET /metrics ask of it. */
export interface MetricsObject {
  /** Counts of one isolate since its last. */
  add(more: Counts): Promise<void>;
  view(): Promise<Counts>;
}

export interface MetricsDependencies {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Resolves after so many milliseconds. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** The object that this storage is. */
export function createMetrics({ sql }: Pick<ObjectStorage, "sql">, { now, sleep }: MetricsDependencies): MetricsObject {
  const counts = noCounts();
  const before = readRow<Counts>(sql);
  if (before !== undefined) addCounts(counts, before);
  let writtenAt = Number.NEGATIVE_INFINITY;
  let isWaiting = false;

  function write(): void {
    writeRow(sql, counts);
    writtenAt = now();
  }

  return {
    async add(more) {
      addCounts(counts, more);
      const since = now() - writtenAt;
      if (since >= WRITE_EVERY_MS || since < 0) return write(); // also where the clock was set back
      if (isWaiting) return;
      isWaiting = true;
      void sleep(WRITE_EVERY_MS - since).then(() => {
        isWaiting = false;
        write();
      });
    },
    async view() {
      return counts;
    },
  };
}
