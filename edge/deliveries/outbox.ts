// The outbox of one key, as rows in its object's storage: what is due, what became of it, what may go. Every method is synchronous:
// whoever calls it decides what is one transaction. What memory holds follows each change of the table: hence one class.
import { attemptsOf, lastAttempt, recordAttempt } from "./attempts.ts";
import { closeBatch, IS_MEMBER, OF_UNIT, readBatch, releaseFull, UNIT } from "./batches.ts";
import { rowIdName } from "./bodies.ts";
import type { Destination } from "./destinations.ts";
import type { Delivery, DeliveryFilter, DeliveryState, DueRow, NewRow, Outcome, ReplayFilter, WholeDelivery } from "./outbox-rows.ts";
import { type Sql, type SqlValue, select } from "./sql.ts";

/** Delivered rows that are kept to be looked at. */
const DELIVERED_ROWS = 100;

/** The outbox of version 1 of a key's tables (streams/schema.ts). `gone` holds the destinations that are disabled. */
export const OUTBOX_SCHEMA = `
  CREATE TABLE outbox (
    n INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL, destination TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
    created INTEGER NOT NULL, due INTEGER, status INTEGER, diagnostics TEXT NOT NULL, body TEXT NOT NULL);
  CREATE INDEX outbox_by_due ON outbox (state, due);
  CREATE TABLE gone (destination TEXT PRIMARY KEY, url TEXT NOT NULL);`;

/** From version 2 on: with `dueSet`, when a row's `due` was set. */
export const OUTBOX_BY_SETTING = "CREATE INDEX outbox_by_setting ON outbox (state, destination, due, dueSet);";

/** A clock that went back by less has not jumped. */
const CLOCK_JITTER_MS = 1000;

const LISTED = `n, seq, destination, state, attempts, created, status, diagnostics, nullif(head, 0) AS batch,
  iif(${IS_MEMBER}, (SELECT due FROM outbox AS first WHERE first.n = outbox.head), due) AS due, ${lastAttempt("at")} AS attempted, ${lastAttempt("ms")} AS ms`;
/** Of a DeliveryFilter, as `filtered` binds it. */
const MATCHES = "(?1 IS NULL OR state = ?1) AND (?2 IS NULL OR destination = ?2) AND created >= ?3 AND created < ?4";
const filtered = ({ state, destination, since = 0, until = Number.MAX_SAFE_INTEGER }: DeliveryFilter): SqlValue[] => [
  ...[state ?? null, destination ?? null, since, until],
];
const replayed = (filter: ReplayFilter): SqlValue[] => filtered({ ...filter, state: filter.state ?? "dead" });
const SENT = "n, destination, attempts, body, hops, trace, head, due";

/** As it is stored, with its batch's head. */
type StoredRow = Omit<DueRow, "rows"> & { readonly head: number | null; readonly due: number };

/** What an outbox knows of each destination, by name. */
export type OutboxDestinations = ReadonlyMap<string, Pick<Destination, "batch" | "ordered" | "body">>;

/** The rows of one key. Memory holds only what storage does. */
export class Outbox {
  readonly #sql: Sql;
  readonly #destinations: OutboxDestinations;
  #rows = new Map<string, number>();
  /** Destinations that answered 410, with the address that did: another address under that name is another receiver. */
  #disabled = new Map<string, string>();

  /** The tables must be there. `destinations`: as they are configured now. */
  constructor(sql: Sql, destinations: OutboxDestinations) {
    this.#sql = sql;
    this.#destinations = destinations;
    this.read();
  }

  /** What is held in memory, from storage. */
  read(): void {
    const counted = select<{ destination: string; rows: number }>(
      this.#sql,
      "SELECT destination, count(*) AS rows FROM outbox GROUP BY destination",
    );
    this.#rows = new Map(counted.map(({ destination, rows }) => [destination, rows]));
    const disabled = select<{ destination: string; url: string }>(this.#sql, "SELECT destination, url FROM gone");
    this.#disabled = new Map(disabled.map(({ destination, url }) => [destination, url]));
  }

  /**
   * One row; at once a dead one where the destination, at its `url` now, has asked for no more. For a destination that takes batches it
   * waits for others, unless it is the last that a batch has room for. Returns its `n`.
   */
  add({ seq, destination, url, body, now, due, hops, trace }: NewRow): number {
    const isDisabled = url !== undefined && this.#disabled.get(destination) === url;
    const batch = this.#destinations.get(destination)?.batch;
    const next = due + 1000 * (batch?.seconds ?? 0);
    const [{ n }] = select<{ n: number }>(
      this.#sql,
      `INSERT INTO outbox (seq, destination, state, attempts, created, due, dueSet, hops, trace, diagnostics, body, head)
       VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING n`,
      ...[seq, destination, isDisabled ? "dead" : "pending", now, isDisabled ? null : next, now, hops, trace ?? null],
      ...[isDisabled ? DISABLED : "", body, batch === undefined ? null : 0],
    );
    if (batch !== undefined) releaseFull(this.#sql, destination, batch, now);
    this.#rows.set(destination, (this.#rows.get(destination) ?? 0) + 1);
    return n;
  }

  /**
   * Makes room where `destination` has more than `maxRows` rows: its oldest delivered ones go, then its oldest dead ones; where all are
   * pending, the oldest of those. No other destination's go, and of a batch all. Returns how many were deleted that were never delivered.
   */
  trim(destination: string, maxRows: number): number {
    let dropped = 0;
    const excess = (): number => (this.#rows.get(destination) ?? 0) - maxRows;
    if (excess() > 0) this.#drop(destination, "delivered", excess());
    if (excess() > 0) dropped += this.#drop(destination, "dead", excess());
    if (excess() > 0) dropped += this.#drop(destination, "pending", excess());
    return dropped;
  }

  #drop(destination: string, state: DeliveryState, count: number): number {
    const oldest = "FROM outbox WHERE destination = ?1 AND state = ?2 ORDER BY n LIMIT ?3";
    const deleted = select<{ destination: string }>(
      this.#sql,
      `DELETE FROM outbox WHERE n IN (SELECT n ${oldest}) OR (head > 0 AND head IN (SELECT head ${oldest})) RETURNING destination`,
      ...[destination, state, count],
    );
    this.#discount(deleted);
    return deleted.length;
  }

  #discount(deleted: readonly { readonly destination: string }[]): void {
    for (const { destination } of deleted) this.#rows.set(destination, this.#rows.get(destination)! - 1);
  }

  /**
   * When the next row of each destination that has pending ones is due; of an ordered one, its oldest. Rows whose `due` was set by a clock
   * that was ahead of `now` are due as long from now as they were then.
   */
  nextDueOfEach(now: number): ReadonlyMap<string, number> {
    const query = "SELECT destination, min(due) AS due, max(dueSet) AS dueSet FROM outbox WHERE state = 'pending' GROUP BY destination";
    const read = () => select<{ destination: string; due: number; dueSet: number | null }>(this.#sql, query);
    let rows = read();
    if (rows.some(({ dueSet }) => (dueSet ?? 0) > now + CLOCK_JITTER_MS)) {
      const reset = "UPDATE outbox SET due = ?1 + max(due - dueSet, 0), dueSet = ?1 WHERE state = 'pending' AND dueSet > ?2";
      this.#sql.exec(reset, now, now + CLOCK_JITTER_MS);
      rows = read();
    }
    return new Map(rows.map(({ destination, due }) => [destination, this.#isOrdered(destination) ? this.#oldest(destination)!.due : due]));
  }

  #isOrdered(destination: string): boolean {
    return this.#destinations.get(destination)?.ordered === true;
  }

  /** The pending row that came first. */
  #oldest(destination: string): StoredRow | undefined {
    return select<StoredRow & { first: number }>(
      this.#sql,
      `SELECT min(n) AS first, ${SENT} FROM outbox WHERE state = 'pending' AND destination = ? GROUP BY destination`,
      destination,
    )[0];
  }

  /** The destinations of pending rows that an attempt has failed for. */
  failing(): readonly string[] {
    const tried = "SELECT DISTINCT destination FROM outbox WHERE state = 'pending' AND (attempts > 0 OR diagnostics <> '')";
    return select<{ destination: string }>(this.#sql, tried).map(({ destination }) => destination);
  }

  /**
   * At most `limit` rows to `destination` that are due, the longest due first, none of `except`; of an ordered one, the oldest or none.
   * What waits for a batch and is due is closed into one. `idPrefix`: an id before its row's `n`.
   */
  due(now: number, destination: string, limit: number, except: readonly number[], idPrefix: string): DueRow[] {
    const chosen: DueRow[] = [];
    while (chosen.length < limit) {
      const row = this.#nextRow(now, destination, [...except, ...chosen.map(({ n }) => n)]);
      if (row === undefined) break;
      chosen.push(this.#unitOf(row, now, idPrefix));
    }
    return chosen;
  }

  #nextRow(now: number, destination: string, except: readonly number[]): StoredRow | undefined {
    if (this.#isOrdered(destination)) {
      const row = this.#oldest(destination);
      return row === undefined || row.due > now || except.includes(row.n) ? undefined : row;
    }
    const next = `SELECT ${SENT} FROM outbox
      WHERE state = 'pending' AND destination = ? AND due <= ? AND n NOT IN (SELECT value FROM json_each(?)) ORDER BY due, n LIMIT 1`;
    return select<StoredRow>(this.#sql, next, destination, now, JSON.stringify(except))[0];
  }

  /** What goes out for a row that is due. */
  #unitOf({ head, due: _, ...row }: StoredRow, now: number, prefix: string): DueRow {
    const { batch, body } = this.#destinations.get(row.destination) ?? {};
    let unit = head;
    if (head === 0 && batch !== undefined)
      unit = closeBatch(this.#sql, row.destination, batch, { name: body && rowIdName(body), prefix }, now);
    else if (head === 0) this.#sql.exec("UPDATE outbox SET head = NULL WHERE n = ?", row.n); // the destination takes no batches any more
    return unit ? { ...row, n: unit, ...readBatch(this.#sql, unit) } : { ...row, rows: null };
  }

  /** When the next row is due, none before `pausedUntil` its destination. */
  nextDue(now: number, pausedUntil: (destination: string) => number): number | undefined {
    const times = [...this.nextDueOfEach(now)].map(([destination, due]) => Math.max(due, pausedUntil(destination)));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Writes down what came of an attempt, for all rows of a batch. Returns their state. */
  settle({ n, destination }: DueRow, { attempt, url, spent, started, now, nextDelayMs }: Outcome): DeliveryState {
    const { verdict, status, diagnostics } = attempt;
    recordAttempt(this.#sql, n, { at: started, ms: Math.max(0, now - started), status: status ?? null, diagnostics });
    if (!spent) {
      this.#sql.exec(`UPDATE outbox SET status = ?2, diagnostics = ?3 WHERE ${OF_UNIT}`, n, status ?? null, diagnostics);
      return "pending";
    }
    const isOver = verdict === "disable" || nextDelayMs === undefined;
    const state: DeliveryState = verdict === "delivered" ? "delivered" : isOver ? "dead" : "pending";
    const settled = `UPDATE outbox SET state = ?2, attempts = attempts + 1, due = iif(${IS_MEMBER}, NULL, ?3), dueSet = ?4, status = ?5,
      diagnostics = ?6 WHERE ${OF_UNIT}`;
    this.#sql.exec(
      settled,
      n,
      state,
      state === "pending" ? now + nextDelayMs! : null,
      now,
      status ?? null,
      state === "delivered" ? "" : diagnostics,
    );
    if (verdict === "disable" && url !== undefined) this.#disable(destination, url);
    return state;
  }

  /** Row `n` with all that is known of it; undefined where there is none. */
  find(n: number): WholeDelivery | undefined {
    const [row] = select<Delivery & { body: string }>(this.#sql, `SELECT ${LISTED}, body FROM outbox WHERE n = ?`, n);
    return row && { ...row, history: attemptsOf(this.#sql, n) };
  }

  /** What waits for this destination waits in vain. */
  #disable(destination: string, url: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO gone (destination, url) VALUES (?, ?)", destination, url);
    const dead = "UPDATE outbox SET state = 'dead', due = NULL, diagnostics = ? WHERE destination = ? AND state = 'pending'";
    this.#sql.exec(dead, DISABLED, destination);
    this.#disabled.set(destination, url);
  }

  /** Row `n`, and with it its batch, again from the start of the schedule, whatever its state. Returns its destination; undefined where
   * there is no such row. */
  replay(n: number, now: number): string | undefined {
    const [row] = select<{ destination: string; unit: number }>(
      this.#sql,
      `SELECT destination, ${UNIT} AS unit FROM outbox WHERE n = ?`,
      n,
    );
    if (row === undefined) return undefined;
    this.#revive(row.destination);
    this.#sql.exec(`UPDATE outbox SET ${again("?2")} WHERE ${OF_UNIT}`, row.unit, now);
    return row.destination;
  }

  /** All rows of the filter, each with its batch, and their destination counts as there again. Returns how many. */
  replayAll(filter: ReplayFilter, now: number): number {
    this.#revive(filter.destination);
    const revived = `UPDATE outbox SET ${again("?5")} WHERE ${UNIT} IN (SELECT ${UNIT} FROM outbox WHERE ${MATCHES}) RETURNING n`;
    return select(this.#sql, revived, ...replayed(filter), now).length;
  }

  /** Whether replayAll would change anything. */
  hasAny(filter: ReplayFilter): boolean {
    const any = `SELECT 1 FROM outbox WHERE ${MATCHES} LIMIT 1`;
    return this.#disabled.has(filter.destination) || select(this.#sql, any, ...replayed(filter)).length > 0;
  }

  #revive(destination: string): void {
    if (this.#disabled.delete(destination)) this.#sql.exec("DELETE FROM gone WHERE destination = ?", destination);
  }

  /** Newest first, from below `before`. */
  list(filter: DeliveryFilter, before: number, limit: number): Delivery[] {
    const listed = `SELECT ${LISTED} FROM outbox WHERE ${MATCHES} AND n < ?5 ORDER BY n DESC LIMIT ?6`;
    return select<Delivery>(this.#sql, listed, ...filtered(filter), before, limit);
  }

  /** Rows by state. */
  counts(): Record<DeliveryState, number> {
    const counts = { pending: 0, delivered: 0, dead: 0 };
    for (const { state, rows } of select<{ state: DeliveryState; rows: number }>(
      this.#sql,
      "SELECT state, count(*) AS rows FROM outbox GROUP BY state",
    ))
      counts[state] = rows;
    return counts;
  }

  /** Deletes rows that were created before `before` and never delivered, and of a batch all with its first; how many. */
  expire(before: number): number {
    const undelivered = "state IN ('dead', 'pending')";
    const expired = `DELETE FROM outbox WHERE ${undelivered} AND ${UNIT} IN (SELECT n FROM outbox WHERE ${undelivered} AND created < ?)
      RETURNING destination`;
    const deleted = select<{ destination: string }>(this.#sql, expired, before);
    this.#discount(deleted);
    return deleted.length;
  }

  /** Forgets delivered rows created before `before`, and all but the newest; batches as a whole. */
  prune(before: number): void {
    const deleted = select<{ destination: string }>(
      this.#sql,
      `DELETE FROM outbox WHERE state = 'delivered' AND ${UNIT} IN (SELECT n FROM outbox WHERE state = 'delivered'
         AND (created < ? OR n <= (SELECT n FROM outbox WHERE state = 'delivered' ORDER BY n DESC LIMIT 1 OFFSET ?))) RETURNING destination`,
      before,
      DELIVERED_ROWS,
    );
    this.#discount(deleted);
  }

  get isEmpty(): boolean {
    return [...this.#rows.values()].every((rows) => rows === 0);
  }
}

/** What a row is when it is to be tried again at `time`. */
const again = (time: string): string => `state = 'pending', attempts = 0, due = iif(${IS_MEMBER}, NULL, ${time}), dueSet = ${time}`;

const DISABLED = "the destination answered 410 and gets nothing until one of its deliveries is replayed";
