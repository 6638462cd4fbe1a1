// The attempts of outbox rows, the latest of each, those before a replay included; those of a batch are its head's. They go with their row.
import { UNIT } from "./batches.ts";
import { type Sql, select } from "./sql.ts";

/** From version 5 on: each attempt of a row, which a replay keeps. */
export const ATTEMPTS_SCHEMA = `
  CREATE TABLE attempts (n INTEGER NOT NULL, at INTEGER NOT NULL, ms INTEGER NOT NULL, status INTEGER, diagnostics TEXT NOT NULL);
  CREATE INDEX attempts_by_row ON attempts (n);
  CREATE TRIGGER attempts_of_row AFTER DELETE ON outbox BEGIN DELETE FROM attempts WHERE n = OLD.n; END;`;
/** Of one row, the latest. */
const MAX_ATTEMPTS = 20;

/** One attempt. `at`: when it began, in milliseconds since 1970; `status`: null where there was no answer. */
export interface AttemptRecord {
  readonly at: number;
  readonly ms: number;
  readonly status: number | null;
  readonly diagnostics: string;
}

/** SQL for a column of the last attempt of an outbox row, or of its batch. */
export const lastAttempt = (column: string): string =>
  `(SELECT ${column} FROM attempts WHERE n = iif(head > 0, head, outbox.n) ORDER BY rowid DESC LIMIT 1)`;

/** Adds an attempt of row `n`, or of the batch that it is the head of. */
export function recordAttempt(sql: Sql, n: number, { at, ms, status, diagnostics }: AttemptRecord): void {
  sql.exec("INSERT INTO attempts (n, at, ms, status, diagnostics) VALUES (?, ?, ?, ?, ?)", n, at, ms, status, diagnostics);
  const older = "DELETE FROM attempts WHERE rowid IN (SELECT rowid FROM attempts WHERE n = ? ORDER BY rowid DESC LIMIT -1 OFFSET ?)";
  sql.exec(older, n, MAX_ATTEMPTS);
}

/** The attempts of row `n`, or of its batch, oldest first. */
export function attemptsOf(sql: Sql, n: number): AttemptRecord[] {
  const ofUnit = `SELECT at, ms, status, diagnostics FROM attempts WHERE n = (SELECT ${UNIT} FROM outbox WHERE n = ?) ORDER BY rowid`;
  return select<AttemptRecord>(sql, ofUnit, n);
}
