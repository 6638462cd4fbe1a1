// Rows that go out together. A row that waits for its batch has `head` 0; when one of them is due, those that wait are closed into a batch:
// the `n` of its first row is written into the `head` of each, before the first attempt, so that every attempt sends the same rows under
// the same id. A row that goes out by itself has no head.
import { type Sql, select } from "./sql.ts";

/** An array goes out when so many rows of a key wait, or when the first of them has waited for so long. */
export interface Batching {
  readonly rows: number;
  readonly seconds: number;
}

export const MAX_BATCH_ROWS = 1000;
export const MAX_BATCH_WAIT_S = 3600;
/** Characters of all rows: a longer batch is closed earlier. */
const MAX_BATCH_LENGTH = 1_000_000;

/** From version 7 of a key's tables on. */
export const BATCHES_SCHEMA = `
  ALTER TABLE outbox ADD COLUMN head INTEGER;
  CREATE INDEX outbox_by_head ON outbox (head) WHERE head > 0;
  CREATE INDEX outbox_waiting ON outbox (destination, n) WHERE head = 0 AND state = 'pending';`;

/** The `n` of the row under which a row goes out. */
export const UNIT = "iif(head > 0, head, n)";
/** The rows that go out under row ?1. */
export const OF_UNIT = "(n = ?1 OR (head > 0 AND head = ?1))";
/** Of a batch, its head alone is due. */
export const IS_MEMBER = "(head > 0 AND head <> n)";

const WAITING = "head = 0 AND state = 'pending' AND destination";

/** What waits for `destination` is due now where it fills a batch. `now`: milliseconds since 1970. */
export function releaseFull(sql: Sql, destination: string, { rows }: Batching, now: number): void {
  const last = `SELECT 1 FROM outbox WHERE ${WAITING} = ? AND due > ? LIMIT 1 OFFSET ?`;
  if (select(sql, last, destination, now, rows - 1).length > 0)
    sql.exec(`UPDATE outbox SET due = ?1, dueSet = ?1 WHERE ${WAITING} = ?2 AND due > ?1`, now, destination);
}

/** How the id of a row is written into it: under this name, after this prefix. Without a name it is not. */
export interface RowIds {
  readonly name: string | undefined;
  readonly prefix: string;
}

/** Closes the oldest rows that wait for `destination`, of which there is one, into a batch that is due. Returns the `n` of its head. */
export function closeBatch(sql: Sql, destination: string, { rows }: Batching, { name = "", prefix }: RowIds, now: number): number {
  const waiting = `SELECT n, length(body) AS length FROM outbox WHERE ${WAITING} = ? ORDER BY n LIMIT ?`;
  let room = MAX_BATCH_LENGTH;
  const members: number[] = [];
  for (const { n, length } of select<{ n: number; length: number }>(sql, waiting, destination, rows)) {
    room -= length;
    if (room < 0 && members.length > 0) break;
    members.push(n);
  }
  sql.exec(
    `UPDATE outbox SET head = ?1, due = iif(n = ?1, ?2, NULL), dueSet = ?2,
       body = iif(?3 <> '' AND substr(body, 1, 2) = '{"', '{"' || ?3 || '":"' || ?4 || n || '",' || substr(body, 2), body)
     WHERE n IN (SELECT value FROM json_each(?5))`,
    ...[members[0], now, name, prefix, JSON.stringify(members)],
  );
  return members[0];
}

/** What the batch of this head sends: its rows' bodies as an array, in their order, through as many Workers as the one that has been through most. */
export function readBatch(sql: Sql, head: number) {
  const query = "SELECT body, hops, trace FROM outbox WHERE head > 0 AND head = ? ORDER BY n";
  const rows = select<{ body: string; hops: number; trace: string | null }>(sql, query, head);
  return {
    rows: rows.length,
    body: `[${rows.map(({ body }) => body).join(",")}]`,
    hops: Math.max(...rows.map(({ hops }) => hops)),
    trace: rows[0].trace,
  };
}
