// One shard of the directory: which keys there are, since the platform lists no objects, when each has something due, and its counts.
// A key is here before its first event is acknowledged; what is said of it may be some seconds old. The number of shards is fixed:
// another would look for known keys in the wrong place.
import type { DeliveryCounts } from "../deliveries/outbox-rows.ts";
import { hasTable, type Sql, select } from "../deliveries/sql.ts";
import { fnv1a } from "../http/hashes.ts";
import { addTally, type SourceTally, type SourceView, viewSources } from "./source-events.ts";
import type { ObjectContext } from "./storage.ts";

export const DIRECTORY_SHARDS = 16;

/** What a key's object reports of itself. */
export interface Summary extends DeliveryCounts {
  /** Counts up: what arrives late is not taken for news. */
  readonly version: number;
  /** Not later than when its earliest delivery is due; null: none is, and the counts are exact. */
  readonly due: number | null;
}

export interface ListedKey extends Summary {
  readonly key: string;
}

export interface Totals extends DeliveryCounts {
  readonly streams: number;
}

/** What the key's object and the Worker ask of a shard. */
export interface Directory {
  /** Learns the key where it is new. False where it is, and all shards together hold `maxKeys` already, by this one's share of them. */
  report(key: string, summary: Summary, maxKeys: number): Promise<boolean>;
  /** The key's object is empty. What it delivered and dropped still counts. */
  forget(key: string, version: number): Promise<void>;
  /** Keys after `after`, in their order as bytes. */
  page(after: string, limit: number): Promise<ListedKey[]>;
  /** Keys with something due by `due` that were not asked since `checkedBefore`; they count as asked at `now`. */
  overdue(due: number, checkedBefore: number, now: number, limit: number): Promise<string[]>;
  totals(): Promise<Totals>;
  /** What came of a source's webhooks. */
  hear(source: string, tally: SourceTally, now: number): Promise<void>;
  sources(now: number): Promise<SourceView[]>;
  /** Whether what a sender signed once, `token`, is new, or came with the same `digest` before. `now`: milliseconds since 1970. */
  claim(token: string, digest: string, now: number): Promise<boolean>;
}

const SCHEMA = `
  CREATE TABLE streams (
    key TEXT PRIMARY KEY, version INTEGER NOT NULL, due INTEGER, checked INTEGER NOT NULL DEFAULT 0,
    pending INTEGER NOT NULL, delivered INTEGER NOT NULL, dead INTEGER NOT NULL, dropped INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX streams_by_due ON streams (due) WHERE due IS NOT NULL;
  CREATE TABLE retired (delivered INTEGER NOT NULL, dropped INTEGER NOT NULL);
  INSERT INTO retired VALUES (0, 0);`;

/** What was signed once may be of 300 s ago or ahead by a sender's clock, or of a day by the configuration's. */
const CLAIM_MS = 2 * 86_400_000;
const CLAIMS = `
  CREATE TABLE IF NOT EXISTS claims (token TEXT PRIMARY KEY, digest TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS claims_by_time ON claims (at);`;

/** Even, and the same for ever. */
export function shardOf(key: string): number {
  return fnv1a(key) % DIRECTORY_SHARDS;
}

/** The shard that an object's storage is. Tables are created by the first report. */
export function createDirectory({ storage }: ObjectContext): Directory {
  const sql: Sql = storage.sql;
  let isReady = hasTable(sql, "streams");
  /** How many there are; undefined: not counted. */
  let keys: number | undefined;

  function prepare(): void {
    if (!isReady) storage.transactionSync(() => sql.exec(SCHEMA));
    isReady = true;
  }

  return {
    async report(key, { version, due, pending, delivered, dead, dropped }, maxKeys) {
      prepare();
      keys ??= select<{ n: number }>(sql, "SELECT count(*) AS n FROM streams")[0].n;
      const isNew = select(sql, "SELECT 1 FROM streams WHERE key = ?", key).length === 0;
      if (isNew && keys >= Math.ceil(maxKeys / DIRECTORY_SHARDS)) return false;
      sql.exec(
        `INSERT INTO streams (key, version, due, pending, delivered, dead, dropped) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET version = excluded.version, due = excluded.due, pending = excluded.pending,
           delivered = excluded.delivered, dead = excluded.dead, dropped = excluded.dropped
         WHERE excluded.version > version`,
        ...[key, version, due, pending, delivered, dead, dropped],
      );
      if (isNew) keys++;
      return true;
    },
    async forget(key, version) {
      if (!isReady) return;
      keys = undefined;
      storage.transactionSync(() => {
        const deleted = "DELETE FROM streams WHERE key = ? AND version < ? RETURNING delivered, dropped";
        for (const { delivered, dropped } of select<DeliveryCounts>(sql, deleted, key, version))
          sql.exec("UPDATE retired SET delivered = delivered + ?, dropped = dropped + ?", delivered, dropped);
      });
    },
    async page(after, limit) {
      if (!isReady) return [];
      const columns = "key, version, due, pending, delivered, dead, dropped";
      return select<ListedKey>(sql, `SELECT ${columns} FROM streams WHERE key > ? ORDER BY key LIMIT ?`, after, limit);
    },
    async overdue(due, checkedBefore, now, limit) {
      if (!isReady) return [];
      return select<{ key: string }>(
        sql,
        `UPDATE streams SET checked = ?1 WHERE key IN (
           SELECT key FROM streams WHERE due <= ?2 AND checked < ?3 ORDER BY checked, due LIMIT ?4) RETURNING key`,
        ...[now, due, checkedBefore, limit],
      ).map(({ key }) => key);
    },
    totals: async () => (isReady ? sumUp(sql) : { streams: 0, pending: 0, delivered: 0, dead: 0, dropped: 0 }),
    hear: async (source, tally, now) => storage.transactionSync(() => addTally(sql, source, tally, now)),
    sources: async (now) => viewSources(sql, now),
    claim: async (token, digest, now) => claim(sql, token, digest, now),
  };
}

function sumUp(sql: Sql): Totals {
  const sums = ["pending", "delivered", "dead", "dropped"].map((name) => `coalesce(sum(${name}), 0) AS ${name}`).join(", ");
  const [totals] = select<Totals>(sql, `SELECT count(*) AS streams, ${sums} FROM streams`);
  const [retired] = select<DeliveryCounts>(sql, "SELECT delivered, dropped FROM retired");
  return { ...totals, delivered: totals.delivered + retired.delivered, dropped: totals.dropped + retired.dropped };
}

function claim(sql: Sql, token: string, digest: string, now: number): boolean {
  sql.exec(CLAIMS);
  sql.exec("DELETE FROM claims WHERE at < ?", now - CLAIM_MS);
  const [known] = select<{ digest: string }>(sql, "SELECT digest FROM claims WHERE token = ?", token);
  if (known === undefined) sql.exec("INSERT INTO claims VALUES (?, ?, ?)", token, digest, now);
  return known === undefined || known.digest === digest;
}
