// The tables of a key's object, and the steps from one version of them to the next. They lie in people's objects: names stay, a step that
// was deployed is never changed, and whoever needs another table or column adds a step.
import { ATTEMPTS_SCHEMA } from "../deliveries/attempts.ts";
import { BATCHES_SCHEMA } from "../deliveries/batches.ts";
import { OUTBOX_BY_SETTING, OUTBOX_SCHEMA } from "../deliveries/outbox.ts";
import { hasTable, type Sql, select } from "../deliveries/sql.ts";
import type { ObjectStorage } from "./storage.ts";

/**
 * Version 1. `incarnation` is the generation, `reported` and `reportedAt` the counts that the directory heard and when. Events keep their
 * values for as long as their ids, or until the window is forgotten: NULL then. `timestamp` is NULL for a whole sequence, which is in no
 * window.
 */
const FIRST = `
  CREATE TABLE stream (
    key TEXT NOT NULL, incarnation TEXT NOT NULL, delivered INTEGER NOT NULL, dropped INTEGER NOT NULL,
    version INTEGER NOT NULL, due INTEGER, reported TEXT NOT NULL, reportedAt INTEGER NOT NULL);
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY, source TEXT NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, arrived INTEGER NOT NULL,
    timestamp REAL, row TEXT, answer TEXT NOT NULL, UNIQUE (source, id));
  CREATE INDEX events_by_time ON events (timestamp, seq) WHERE row IS NOT NULL;
  ${OUTBOX_SCHEMA}`;

/**
 * Step i leads from version i + 1 to the next.
 * To 2: the schema of the rows and where the window of it begins; who writes the window, `*`
 * where several did before anyone asked; the lowest seq that an answer's window names; when a row's `due` was set; how often an event has
 * been round.
 * To 3: the rows of the latest events that gave what is given once a sequence, of which each row before held its own.
 * To 4: the trace that the event of an outbox row came with.
 * To 5: the label of the last scored window, and by which model; the attempts of each row.
 * To 6: the name of the model that the rows are for.
 * To 7: the batch of an outbox row; those of before go out by themselves.
 */
const STEPS: readonly string[] = [
  `CREATE TABLE storage (version INTEGER NOT NULL);
  INSERT INTO storage VALUES (1);
  ALTER TABLE stream ADD COLUMN schema TEXT;
  ALTER TABLE stream ADD COLUMN windowFrom INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE stream ADD COLUMN owner TEXT;
  UPDATE stream SET owner =
    (SELECT CASE count(DISTINCT source) WHEN 0 THEN NULL WHEN 1 THEN min(source) ELSE '*' END FROM events);
  ALTER TABLE events ADD COLUMN lowest INTEGER;
  ALTER TABLE outbox ADD COLUMN dueSet INTEGER;
  ALTER TABLE outbox ADD COLUMN hops INTEGER NOT NULL DEFAULT 0;
  DROP INDEX IF EXISTS outbox_by_destination;
  ${OUTBOX_BY_SETTING}`,
  `CREATE TABLE statics (timestamp REAL NOT NULL, seq INTEGER NOT NULL, row TEXT NOT NULL, PRIMARY KEY (timestamp, seq)) WITHOUT ROWID;
  INSERT INTO statics SELECT timestamp, seq, row FROM events WHERE row IS NOT NULL ORDER BY timestamp DESC, seq DESC LIMIT 1;`,
  "ALTER TABLE outbox ADD COLUMN trace TEXT;",
  `ALTER TABLE stream ADD COLUMN label INTEGER;
  ALTER TABLE stream ADD COLUMN labelModel TEXT;
  ${ATTEMPTS_SCHEMA}`,
  "ALTER TABLE stream ADD COLUMN model TEXT;",
  BATCHES_SCHEMA,
];

/** The version of the tables that this code reads and writes. */
export const STORAGE_VERSION = STEPS.length + 1;

/** Creates the tables, in a transaction of the caller's. */
export function createTables(storage: ObjectStorage): void {
  storage.sql.exec(FIRST);
  takeSteps(storage.sql, 1);
}

/** Brings older tables up to date; whether there are any. Throws where they are newer than this code: it must not touch them. */
export function migrateTables(storage: ObjectStorage): boolean {
  const { sql } = storage;
  if (!hasTable(sql, "stream")) return false;
  const version = hasTable(sql, "storage") ? select<{ version: number }>(sql, "SELECT version FROM storage")[0].version : 1;
  if (version > STORAGE_VERSION)
    throw new Error(`the storage of this key has version ${version}, newer than this Worker's ${STORAGE_VERSION}: deploy the newer Worker`);
  if (version < STORAGE_VERSION) storage.transactionSync(() => takeSteps(sql, version));
  return true;
}

function takeSteps(sql: Sql, from: number): void {
  for (const step of STEPS.slice(from - 1)) sql.exec(step);
  sql.exec("UPDATE storage SET version = ?", STORAGE_VERSION);
}
