// What the object of one key has written down: its events, its window, its outbox. Every method is synchronous, so that nothing comes
// between: the object decides what is one transaction. Memory holds only what storage does.
import { shapeOf } from "../../shared/recipe/recipe.ts";
import {
  type DeliveryCounts,
  type DeliveryState,
  type DueRow,
  OUTBOX_BY_DESTINATION,
  OUTBOX_SCHEMA,
  Outbox,
  type Outcome,
} from "../deliveries/outbox.ts";
import { hasTable, type Sql, type SqlValue, select } from "../deliveries/sql.ts";
import type { Ready } from "../models/servable-model.ts";
import { restoreGaps, type StreamEvent } from "../webhooks/event.ts";
import type { ObjectStorage } from "./storage.ts";
import type { StreamAnswer } from "./store.ts";
import { isWarming, placeRow, scoreRows, type WindowRow } from "./window.ts";

/**
 * Tables and columns lie in people's objects: their names stay. `incarnation` is the generation, `reported` and `reportedAt` the counts
 * that the directory heard and when. Events keep their values for as long as their ids, or until the window is forgotten: NULL then. `timestamp` is NULL for a whole
 * sequence, which is in no window.
 */
const SCHEMA = `
  CREATE TABLE stream (
    key TEXT NOT NULL, incarnation TEXT NOT NULL, delivered INTEGER NOT NULL, dropped INTEGER NOT NULL,
    version INTEGER NOT NULL, due INTEGER, reported TEXT NOT NULL, reportedAt INTEGER NOT NULL);
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY, source TEXT NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, arrived INTEGER NOT NULL,
    timestamp REAL, row TEXT, answer TEXT NOT NULL, UNIQUE (source, id));
  CREATE INDEX events_by_time ON events (timestamp, seq) WHERE row IS NOT NULL;
  ${OUTBOX_SCHEMA}`;

/** The last report to the directory. */
export interface DirectoryReport {
  readonly version: number;
  /** null: the directory believes that nothing is due. */
  readonly due: number | null;
  /** The counts as JSON. Empty: the directory may not know this object. */
  readonly reported: string;
  /** Milliseconds since 1970. */
  readonly reportedAt: number;
}

export interface Facts extends DirectoryReport {
  readonly key: string;
  /** Tells this object's deliveries from those it had before it was emptied. */
  readonly generation: string;
  /** Deliveries that succeeded, and rows that were deleted undelivered, since the key is known. */
  readonly delivered: number;
  readonly dropped: number;
}

const FACTS = "key, incarnation AS generation, delivered, dropped, version, due, reported, reportedAt";

/** A model that is ready, and its name. */
export interface Scorer {
  readonly ready: Ready;
  readonly model: string;
}

/** What is written down of one key; constructed by `open` and `create`. */
export class EventLog {
  readonly outbox: Outbox;
  facts!: Facts;
  /** Oldest first. */
  window: readonly WindowRow[] = [];
  /** Of the last event, and when it came; 0 before the first. */
  seq = 0;
  arrived = 0;
  private readonly storage: ObjectStorage;
  private readonly sql: Sql;
  private readonly ready: Ready | undefined;

  /** The tables must be there. */
  private constructor(storage: ObjectStorage, ready: Ready | undefined) {
    this.storage = storage;
    this.sql = storage.sql;
    this.ready = ready;
    this.outbox = new Outbox(this.sql);
    this.read();
  }

  /** Undefined where there has been no event: then nothing is written. */
  static open(storage: ObjectStorage, ready: Ready | undefined): EventLog | undefined {
    if (!hasTable(storage.sql, "stream")) return undefined;
    storage.sql.exec(OUTBOX_BY_DESTINATION);
    return new EventLog(storage, ready);
  }

  /** Creates the tables. `report`: what has just been reported to the directory. */
  static create(storage: ObjectStorage, ready: Ready | undefined, key: string, report: DirectoryReport): EventLog {
    storage.transactionSync(() => {
      storage.sql.exec(SCHEMA);
      const generation = crypto.randomUUID().slice(0, 8);
      const { version, due, reported, reportedAt } = report;
      const insert = "INSERT INTO stream VALUES (?, ?, 0, 0, ?, ?, ?, ?)";
      storage.sql.exec(insert, key, generation, version, due, reported, reportedAt);
    });
    return new EventLog(storage, ready);
  }

  /** Everything that is held in memory, from storage: also after a transaction that was undone. */
  read(): void {
    [this.facts] = select<Facts>(this.sql, `SELECT ${FACTS} FROM stream`);
    const last = select<{ seq: number; arrived: number }>(this.sql, "SELECT seq, arrived FROM events ORDER BY seq DESC LIMIT 1");
    const { seq, arrived } = last[0] ?? { seq: 0, arrived: 0 };
    this.seq = seq;
    this.arrived = arrived;
    this.window = this.readWindow();
    this.outbox.read();
  }

  /** The window without events later than `latest`, ms since 1970: those before come back, since all keep their values. */
  windowUntil(latest: number): readonly WindowRow[] {
    return (this.window.at(-1)?.timestamp ?? 0) <= latest ? this.window : this.readWindow(latest);
  }

  /** As `windowUntil`, and so it stays until the object wakes again. */
  leaveOut(latest: number): void {
    this.window = this.windowUntil(latest);
  }

  /** Rows of another width than the model's, or with gaps that it does not take, are left out: they were for another model. */
  private readWindow(latest = Number.MAX_VALUE): WindowRow[] {
    if (this.ready === undefined) return [];
    const { timesteps: T, features: F, gaps = false } = shapeOf(this.ready.model.recipe);
    const rows = select<Omit<WindowRow, "values"> & { row: string }>(
      this.sql,
      `SELECT seq, source, id, timestamp, row FROM events WHERE row IS NOT NULL AND json_array_length(row) = ? AND (? OR instr(row, 'null') = 0) AND timestamp <= ?
       ORDER BY timestamp DESC, seq DESC LIMIT ?`,
      F,
      gaps ? 1 : 0,
      latest,
      T,
    );
    return rows.reverse().map(({ row, ...rest }) => ({ ...rest, values: restoreGaps(JSON.parse(row)) })); // JSON has null for NaN
  }

  /** What this id was answered with; undefined where it is new. */
  find(source: string, id: string): { readonly digest: string; readonly answer: string } | undefined {
    return select<{ digest: string; answer: string }>(
      this.sql,
      "SELECT digest, answer FROM events WHERE source = ? AND id = ?",
      source,
      id,
    )[0];
  }

  /** Stores and scores a new event; its StreamAnswer as JSON. `now`: milliseconds since 1970, never less than `arrived`. */
  add({ ready, model }: Scorer, source: string, event: StreamEvent, now: number): { readonly answer: string; readonly scored: boolean } {
    const { id, digest, timestamp, data } = event;
    const { timesteps } = shapeOf(ready.model.recipe);
    const seq = this.seq + 1;
    const isRow = "values" in data;
    const values = isRow ? data.values.map((value) => value + 0) : []; // −0 is 0, as JSON keeps it
    const window = isRow ? placeRow(this.window, { seq, source, id, timestamp, values }, timesteps) : this.window;
    const rows = isRow ? (window ?? []).map(({ values }) => values) : data.sequence;
    const late = window === undefined;
    const warming = !late && isWarming(ready, rows);
    const scored = !late && !warming;
    const answer: StreamAnswer = {
      key: this.facts.key,
      source,
      id,
      timestamp: new Date(timestamp).toISOString(),
      seq,
      model,
      ...(late && { late }),
      ...(warming && { warming }),
      ...(scored && { operatingPoint: ready.model.operatingPoints[0].name, ...scoreRows(ready, rows) }),
      filled: (window ?? this.window).length,
      timesteps,
      window: isRow && !late ? window.map(({ seq, id }) => ({ seq, id })) : [],
    };
    const text = JSON.stringify(answer);
    this.sql.exec(
      "INSERT INTO events (seq, source, id, digest, arrived, timestamp, row, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      ...[seq, source, id, digest, now, isRow ? timestamp : null, isRow ? JSON.stringify(values) : null, text],
    );
    this.seq = seq;
    this.arrived = now;
    if (!late) this.window = window;
    return { answer: text, scored };
  }

  /** Empties the window and deletes all events' values; ids and answers stay. */
  forgetWindow(): void {
    this.sql.exec("UPDATE events SET row = NULL WHERE row IS NOT NULL"); // also of events that were late, or for another model
    this.window = [];
  }

  /**
   * Forgets ids that came before `before`, unless they are in the window or the last one, which seq goes on from. Returns when the
   * oldest that is left came; undefined where there is none.
   */
  purge(before: number): number | undefined {
    this.sql.exec(
      `DELETE FROM events WHERE seq < coalesce((SELECT seq FROM events WHERE arrived >= ? ORDER BY seq LIMIT 1), ?)
         AND seq NOT IN (SELECT value FROM json_each(?))`,
      ...[before, this.seq, JSON.stringify(this.window.map(({ seq }) => seq))],
    );
    return select<{ arrived: number }>(this.sql, "SELECT arrived FROM events ORDER BY seq LIMIT 1")[0]?.arrived;
  }

  /** As Outbox.settle, and counted. */
  settle(row: DueRow, outcome: Outcome): DeliveryState {
    return this.storage.transactionSync(() => {
      const state = this.outbox.settle(row, outcome);
      if (state === "delivered") this.change({ delivered: this.facts.delivered + 1 });
      return state;
    });
  }

  /** Rows of the outbox by state. */
  counts(): DeliveryCounts {
    return { ...this.outbox.counts(), delivered: this.facts.delivered, dropped: this.facts.dropped };
  }

  /** Writes these facts, and remembers them. */
  change(facts: Partial<Omit<Facts, "key" | "generation">>): void {
    const names = Object.keys(facts) as (keyof typeof facts)[];
    const values: SqlValue[] = names.map((name) => facts[name] ?? null);
    this.sql.exec(`UPDATE stream SET ${names.map((name) => `${name} = ?`).join(", ")}`, ...values);
    this.facts = { ...this.facts, ...facts };
  }
}
