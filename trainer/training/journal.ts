// What a run of many stages has come to: values by name, so that a run that is taken up again need not compute them once more. Knows no
// stage. Values are plain data with typed arrays, since they go to disk.
import { deserialize, serialize } from "node:v8";
import { readWhole, writeWhole } from "../files/whole-files.ts";
import { checkSameRun, decodeCheckpointFile, encodeCheckpointFile } from "./checkpoint-file.ts";

/** A fit that can be left on the way. */
export interface FitRecord {
  /** What `save` was given last, in this run or the one that is taken up; undefined where there is nothing. */
  readonly from?: unknown;
  /** Keeps what the fit has come to: plain data that the caller no longer changes. */
  save(state: unknown): void;
}

export interface Journal {
  /** What `compute` comes to, or came to in the run that is taken up. Whatever `compute` notes in its own journal is dropped afterwards. */
  once<T>(name: string, compute: (inner: Journal) => Promise<T>): Promise<T>;
  record(name: string): FitRecord;
}

/** Keeps nothing. */
export const NO_JOURNAL: Journal = { once: (_, compute) => compute(NO_JOURNAL), record: () => ({ save() {} }) };

/** A journal on disk. */
export interface JournalFile {
  readonly journal: Journal;
  /** Writes what is not on disk yet. Whether anything is there then. */
  flush(): boolean;
}

export interface JournalFileOptions {
  readonly path: string;
  /** Whether to begin with what is at `path`; else it is written over. */
  readonly isResuming: boolean;
  /** JSON of all that decides the run's bytes. */
  readonly run: string;
  /** Milliseconds; the file is written at most every `intervalMs`. */
  readonly now: () => number;
  readonly intervalMs: number;
}

/** Throws DataError when the file at `path` is damaged, or belongs to another run. */
export function openJournalFile({ path, isResuming, run, now, intervalMs }: JournalFileOptions): JournalFile {
  const entries: Map<string, unknown> = isResuming ? decodeJournal(readWhole(path), run, path) : new Map();
  let isWritten = isResuming;
  let hasNews = false;
  let writtenAt = now();
  const flush = (): boolean => {
    if (hasNews) writeWhole(path, encodeJournal(entries, run));
    isWritten ||= hasNews;
    hasNews = false;
    writtenAt = now();
    return isWritten;
  };
  const keep = (): void => {
    hasNews = true;
    if (now() - writtenAt >= intervalMs) flush();
  };
  return { journal: createJournal(entries, keep), flush };
}

/** A journal in `entries`; `onChange` hears of each. */
export function createJournal(entries: Map<string, unknown>, onChange: () => void): Journal {
  const under = (folder: string): Journal => ({
    async once<T>(name: string, compute: (inner: Journal) => Promise<T>): Promise<T> {
      const key = folder + name;
      if (entries.has(key)) return entries.get(key) as T;
      const value = await compute(under(`${key}/`));
      for (const inner of [...entries.keys()]) if (inner.startsWith(`${key}/`)) entries.delete(inner);
      entries.set(key, value);
      onChange();
      return value;
    },
    record: (name) => ({
      from: entries.get(folder + name),
      save(state) {
        entries.set(folder + name, state);
        onChange();
      },
    }),
  });
  return under("");
}

/** The bytes of a checkpoint of a stack. */
export function encodeJournal(entries: ReadonlyMap<string, unknown>, run: string): Uint8Array {
  return encodeCheckpointFile("stack", run, [serialize(entries)]);
}

/** Throws DataError, which names `source`, when the bytes are damaged, or belong to another run. */
export function decodeJournal(bytes: Uint8Array, run: string, source: string): Map<string, unknown> {
  const { header, body } = decodeCheckpointFile(bytes, "stack", source);
  checkSameRun(header, run, source);
  return deserialize(body);
}
