// What came of the webhooks of each source: by the hour, and the last few of each kind. An isolate gathers it while it answers and takes
// it to the directory's shard that the source's name falls to, after its answers have left. Never an input, never a signature.
import { hasTable, type Sql, select } from "../deliveries/sql.ts";
import { PROBLEMS, type ProblemKind } from "../http/problem.ts";
import type { RequestRecord } from "../http/request-context.ts";

/** `ignored`: verified, and not wanted by the source; a provider's handshake, too. */
export const SOURCE_OUTCOMES = ["taken", "replayed", "late", "refused", "ignored"] as const;
export type SourceOutcome = (typeof SOURCE_OUTCOMES)[number];
type Counts = Partial<Record<SourceOutcome, number>>;

export interface SourceEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly outcome: SourceOutcome;
  /** Why it was refused; empty otherwise. */
  readonly reason: string;
}

/** Of one source, between two flushes. Plain data. */
export interface SourceTally {
  readonly counts: Counts;
  readonly last: SourceEvent[];
}

export interface SourceView {
  readonly name: string;
  /** Of the last day, those in which something came; `from`: when the hour began, in milliseconds since 1970. */
  readonly hours: readonly ({ readonly from: number } & Record<SourceOutcome, number>)[];
  /** Newest first. */
  readonly last: readonly SourceEvent[];
}

const HOUR_MS = 3_600_000;
const KEPT_MS = 24 * HOUR_MS;
/** Of each source and outcome. */
const MAX_LAST = 5;
const MAX_REASON = 200;
const FLUSH_MS = 5000;
/** A flush that was armed so long ago died with the request that armed it: the platform gives it 30 s. */
const ARMED_MS = 30_000;

export interface WatchDependencies {
  readonly send: (source: string, tally: SourceTally) => Promise<void>;
  /** Keeps the isolate at it after the answer. */
  readonly waitUntil: (promise: Promise<void>) => void;
  /** Resolves after so many milliseconds. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Hears of every request that is over. What cannot be sent is lost: no answer waits for it. */
export function watchSources({ send, waitUntil, sleep, now }: WatchDependencies): (record: RequestRecord) => void {
  let tallies = new Map<string, SourceTally>();
  let armedAt = Number.NEGATIVE_INFINITY;
  async function flush(): Promise<void> {
    const gathered = tallies;
    tallies = new Map();
    armedAt = Number.NEGATIVE_INFINITY;
    await Promise.allSettled(Array.from(gathered, ([source, tally]) => send(source, tally)));
  }
  return (record) => {
    if (record.source === undefined) return;
    const at = now();
    const tally = tallies.get(record.source) ?? { counts: {}, last: [] };
    tallies.set(record.source, tally);
    for (const [outcome, count] of outcomesOf(record)) {
      tally.counts[outcome] = (tally.counts[outcome] ?? 0) + count;
      const alike = tally.last.filter((event) => event.outcome === outcome);
      if (alike.length >= MAX_LAST) tally.last.splice(tally.last.indexOf(alike[0]), 1);
      tally.last.push({ at, outcome, reason: outcome === "refused" ? reasonOf(record) : "" });
    }
    if (Math.abs(at - armedAt) < ARMED_MS) return;
    armedAt = at;
    waitUntil(sleep(FLUSH_MS).then(flush));
  };
}

function outcomesOf({ status, ignored, replayed = 0, late = 0, taken = replayed + late > 0 ? 0 : 1 }: RequestRecord) {
  const counts: Counts = status >= 400 ? { refused: 1 } : ignored ? { ignored } : { taken, replayed, late };
  return (Object.entries(counts) as [SourceOutcome, number][]).filter(([, count]) => count > 0);
}

function reasonOf({ refusal, problem, pointer = "" }: RequestRecord): string {
  return (refusal ?? `${PROBLEMS[problem as ProblemKind][1]} ${pointer}`).trim().slice(0, MAX_REASON);
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS source_hours (
    source TEXT NOT NULL, hour INTEGER NOT NULL, outcome TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (source, hour, outcome)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS source_last (source TEXT NOT NULL, at INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL);`;

/** Adds what an isolate gathered. `now`: milliseconds since 1970. */
export function addTally(sql: Sql, source: string, { counts, last }: SourceTally, now: number): void {
  const hour = Math.floor(now / HOUR_MS);
  sql.exec(TABLES);
  sql.exec("DELETE FROM source_hours WHERE hour < ?", hour - KEPT_MS / HOUR_MS);
  const add = "INSERT INTO source_hours VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n";
  for (const [outcome, count] of Object.entries(counts)) sql.exec(add, source, hour, outcome, count);
  for (const { at, outcome, reason } of last) sql.exec("INSERT INTO source_last VALUES (?, ?, ?, ?)", source, at, outcome, reason);
  const trim = `DELETE FROM source_last WHERE source = ?1 AND outcome = ?2 AND rowid NOT IN
    (SELECT rowid FROM source_last WHERE source = ?1 AND outcome = ?2 ORDER BY at DESC, rowid DESC LIMIT ?3)`;
  for (const outcome of Object.keys(counts)) sql.exec(trim, source, outcome, MAX_LAST);
}

/** What is known of all sources here. `now`: milliseconds since 1970. */
export function viewSources(sql: Sql, now: number): SourceView[] {
  if (!hasTable(sql, "source_last")) return [];
  const first = Math.floor((now - KEPT_MS) / HOUR_MS);
  const rows = select<{ source: string; hour: number; outcome: SourceOutcome; n: number }>(
    sql,
    "SELECT * FROM source_hours WHERE hour > ? ORDER BY hour",
    first,
  );
  const last = select<SourceEvent & { source: string }>(sql, "SELECT * FROM source_last ORDER BY at DESC, rowid DESC");
  return Array.from(new Set(last.map(({ source }) => source)), (name) => {
    const own = Map.groupBy(
      rows.filter(({ source }) => source === name),
      ({ hour }) => hour,
    );
    const none = Object.fromEntries(SOURCE_OUTCOMES.map((outcome) => [outcome, 0])) as Record<SourceOutcome, number>;
    const hours = Array.from(own, ([hour, of]) => ({
      from: hour * HOUR_MS,
      ...none,
      ...Object.fromEntries(of.map(({ outcome, n }) => [outcome, n])),
    }));
    return { name, hours, last: last.filter(({ source }) => source === name).map(({ source, ...event }) => event) };
  });
}
