// What the object of one key has written down: its events, its window, its outbox. Every method is synchronous, so that nothing comes
// between: the object decides what is one transaction. Memory holds only what storage does.
import { type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import { type Shape, widthWithoutTime } from "../../shared/sequence.ts";
import { Outbox, type OutboxDestinations } from "../deliveries/outbox.ts";
import type { DeliveryCounts, DeliveryState, DueRow, Outcome } from "../deliveries/outbox-rows.ts";
import { type Sql, type SqlValue, select } from "../deliveries/sql.ts";
import { type Ready, schemaOf } from "../models/servable-model.ts";
import { restoreGaps, type StreamEvent } from "../webhooks/event.ts";
import { compactAnswer, expandAnswer } from "./answers.ts";
import { type LatestStatics, latestOf, readStatics, writeStatics } from "./latest-statics.ts";
import { maxEventRows } from "./limits.ts";
import { createTables, migrateTables } from "./schema.ts";
import type { ObjectStorage } from "./storage.ts";
import type { StreamAnswer } from "./store.ts";
import type { StoredPrediction } from "./stream-object.ts";
import { alignRows, completeRow, eventPredictionId, isWarming, placeRow, scoreWindow, timedRow, type WindowRow } from "./window.ts";

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
  /** As schemaOf the model that the window's rows are for; null: not known. */
  readonly schema: string | null;
  /** The name of that model; null: the default one. */
  readonly model: string | null;
  /** Rows up to this seq are in no window. */
  readonly windowFrom: number;
  /** Who writes the window: a source; `*`: several did before anyone asked; null: nobody yet. */
  readonly owner: string | null;
  /** Of the last window that was scored, and by which model; null: of none since the window began. */
  readonly label: 0 | 1 | null;
  readonly labelModel: string | null;
}

const FACTS =
  "key, incarnation AS generation, delivered, dropped, version, due, reported, reportedAt, schema, model, windowFrom, owner, label, labelModel";
/** Beyond the limit, so many events are forgotten at a time. */
const FORGOTTEN_SHARE = 0.01;

/** A model that is ready, and its name. */
export interface Scorer {
  readonly ready: Ready;
  readonly model: string;
}

/** The answer to a new event, the same as JSON, and the label of the stream's window before it: undefined where that was none of the model's. */
export interface Added {
  readonly answer: StreamAnswer;
  readonly text: string;
  readonly previous: 0 | 1 | undefined;
}

interface StoredAnswer {
  readonly digest: string;
  /** JSON. */
  readonly answer: string;
}

/** What is written down of one key; constructed by `open` and `create`. */
export class EventLog {
  readonly outbox: Outbox;
  facts!: Facts;
  /** Oldest first. */
  window: readonly WindowRow[] = [];
  /** What is given once a sequence, as the latest event says that gave it; undefined where none did, or the model takes nothing of the kind. */
  statics: LatestStatics | undefined;
  /** Of the last event, and when it came; 0 before the first. */
  seq = 0;
  arrived = 0;
  /** Of the oldest event that is remembered. */
  #oldest = 0;
  readonly #storage: ObjectStorage;
  readonly #sql: Sql;
  #recipe: Recipe | undefined;
  /** Of what the model takes. */
  #shape: Shape | undefined;

  /** The tables must be there. */
  private constructor(storage: ObjectStorage, recipe: Recipe | undefined, destinations: OutboxDestinations) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#recipe = recipe;
    this.#shape = recipe && shapeOf(recipe);
    this.outbox = new Outbox(this.#sql, destinations);
    this.read();
  }

  /** Undefined where there has been no event: then nothing is written. */
  static open(storage: ObjectStorage, destinations: OutboxDestinations): EventLog | undefined {
    return migrateTables(storage) ? new EventLog(storage, undefined, destinations) : undefined;
  }

  /** Creates the tables. `report`: what has just been reported to the directory. */
  static create(
    storage: ObjectStorage,
    recipe: Recipe | undefined,
    destinations: OutboxDestinations,
    key: string,
    report: DirectoryReport,
  ): EventLog {
    storage.transactionSync(() => {
      createTables(storage);
      const generation = crypto.randomUUID().slice(0, 8);
      const { version, due, reported, reportedAt } = report;
      const insert = `INSERT INTO stream (key, incarnation, delivered, dropped, version, due, reported, reportedAt)
        VALUES (?, ?, 0, 0, ?, ?, ?, ?)`;
      storage.sql.exec(insert, key, generation, version, due, reported, reportedAt);
    });
    return new EventLog(storage, recipe, destinations);
  }

  /** From now on the window is what a model of this recipe takes. */
  use(recipe: Recipe): void {
    if (recipe === this.#recipe) return;
    this.#recipe = recipe;
    this.#shape = shapeOf(recipe);
    this.#readLatest();
  }

  /** Everything that is held in memory, from storage: also after a transaction that was undone. */
  read(): void {
    [this.facts] = select<Facts>(this.#sql, `SELECT ${FACTS} FROM stream`);
    const last = select<{ seq: number; arrived: number }>(this.#sql, "SELECT seq, arrived FROM events ORDER BY seq DESC LIMIT 1");
    const { seq, arrived } = last[0] ?? { seq: 0, arrived: 0 };
    this.seq = seq;
    this.arrived = arrived;
    this.#oldest = select<{ seq: number | null }>(this.#sql, "SELECT min(seq) AS seq FROM events")[0].seq ?? seq;
    this.#readLatest();
    this.outbox.read();
  }

  /** Window and statics, without events later than `latest`, ms since 1970. */
  #readLatest(latest = Number.MAX_VALUE): void {
    this.window = this.#readWindow(latest);
    this.statics = this.#readStatics(latest);
  }

  /** The window without events later than `latest`, ms since 1970: those before come back, since all keep their values. */
  windowUntil(latest: number): readonly WindowRow[] {
    const isWhole = (this.window.at(-1)?.timestamp ?? 0) <= latest;
    const window = isWhole ? this.window : this.#readWindow(latest);
    if (this.#shape?.statics === undefined) return window;
    const statics = isWhole ? this.statics : this.#readStatics(latest);
    return window.map((row) => ({ ...row, values: completeRow(row.values, statics, this.#shape!) }));
  }

  /** Events later than `latest` are left out of the window, and so it stays until the object wakes again. */
  leaveOut(latest: number): void {
    if ((this.window.at(-1)?.timestamp ?? 0) > latest) this.#readLatest(latest);
  }

  /** T; 0 without a model. */
  get timesteps(): number {
    return this.#shape?.timesteps ?? 0;
  }

  /** Events whose ids are known, those that were deleted between them included. */
  get remembered(): number {
    return this.seq === 0 ? 0 : this.seq - this.#oldest + 1;
  }

  /** From now on rows are of `schema` and `model`, a name or null. Where those before were another's, the window begins anew: whether it had rows that were lost so. */
  adopt(schema: string, model: string | null): boolean {
    if (this.facts.model !== model) this.change({ model });
    if (this.facts.schema === schema) return false;
    const isOther = this.facts.schema !== null;
    const had =
      isOther && select(this.#sql, "SELECT 1 FROM events WHERE row IS NOT NULL AND seq > ? LIMIT 1", this.facts.windowFrom).length > 0;
    this.change({ schema, ...(isOther && { windowFrom: this.seq }) });
    this.#readLatest();
    return had;
  }

  /** Rows for another model are left out: from before the schema changed, or, where that is not known, of another width; and
   * those with gaps that it does not take. */
  #readWindow(latest = Number.MAX_VALUE): WindowRow[] {
    const shape = this.#shape;
    if (shape === undefined || this.#isOtherSchema()) return [];
    const { timesteps: T, gaps = false, statics = 0 } = shape;
    const width = widthWithoutTime(shape);
    const rows = select<Omit<WindowRow, "values"> & { row: string }>(
      this.#sql,
      `SELECT seq, source, id, timestamp, row FROM events WHERE row IS NOT NULL AND json_array_length(row) IN (?, ?) AND (? OR instr(row, 'null') = 0)
         AND timestamp <= ? AND seq > ?
       ORDER BY timestamp DESC, seq DESC LIMIT ?`,
      ...[width, width - statics, gaps ? 1 : 0, latest, this.facts.windowFrom, T],
    );
    return rows.reverse().map(({ row, ...rest }) => ({ ...rest, values: restoreGaps(JSON.parse(row)) })); // JSON has null for NaN
  }

  #readStatics(latest: number): LatestStatics | undefined {
    return this.#shape === undefined || this.#isOtherSchema()
      ? undefined
      : readStatics(this.#sql, this.#shape, this.facts.windowFrom, latest);
  }

  /** Whether the rows that are stored are known to be another model's. */
  #isOtherSchema(): boolean {
    return this.facts.schema !== null && this.#recipe !== undefined && this.facts.schema !== schemaOf(this.#recipe);
  }

  /** What this id was answered with; undefined where it is new. */
  find(source: string, id: string): StoredAnswer | undefined {
    const known = this.#stored(source, id);
    return known && { ...known, answer: expandAnswer(known.answer, (seqs) => this.#idsOf(seqs)) };
  }

  /** The same as it is stored, where the window names no ids. */
  #stored(source: string, id: string): StoredAnswer | undefined {
    return select<StoredAnswer>(this.#sql, "SELECT digest, answer FROM events WHERE source = ? AND id = ?", source, id)[0];
  }

  /** What was said of the event; undefined where it is not known, or was not scored. */
  predictionOf(source: string, id: string): StoredPrediction | undefined {
    const known = this.#stored(source, id);
    if (known === undefined) return undefined;
    const { model, probability, timestamp } = JSON.parse(known.answer) as Pick<StreamAnswer, "model" | "probability" | "timestamp">;
    return probability === undefined ? undefined : { model, probability, at: Date.parse(timestamp) };
  }

  #idsOf(seqs: readonly number[]): ReadonlyMap<number, string> {
    const query = "SELECT seq, id FROM events WHERE seq IN (SELECT value FROM json_each(?))";
    const rows = select<{ seq: number; id: string }>(this.#sql, query, JSON.stringify(seqs));
    return new Map(rows.map(({ seq, id }) => [seq, id]));
  }

  /**
   * Scores and stores a new event; undefined, and nothing is stored, where its id is known. `now`: milliseconds since 1970, never less
   * than `arrived`. `fresh`: the answer says that the window began anew. Where the event leaves out what is given once a sequence,
   * `statics` must be known.
   */
  add({ ready, model }: Scorer, source: string, event: StreamEvent, now: number, fresh: boolean): Added | undefined {
    const { id, digest, timestamp, data } = event;
    const shape = shapeOf(ready.model.recipe);
    const { timesteps } = shape;
    const seq = this.seq + 1;
    const isRow = !("sequence" in data);
    const row = isRow ? ("own" in data ? data.own : data.values).map((value) => value + 0) : []; // −0 is 0, as JSON keeps it
    const window = isRow ? placeRow(this.window, { seq, source, id, timestamp, values: row }, timesteps) : this.window;
    const statics = "values" in data ? latestOf(shape, this.statics, { timestamp, seq, row }) : this.statics;
    const rows = isRow ? (window ?? []).map((one) => timedRow(one, statics, shape)) : data.sequence;
    const values = alignRows(ready, rows);
    const late = window === undefined;
    const warming = !late && isWarming(ready, values, rows.length);
    const scored = late || warming ? undefined : scoreWindow(ready, values);
    const answer: StreamAnswer = {
      key: this.facts.key,
      source,
      id,
      timestamp: new Date(timestamp).toISOString(),
      seq,
      model,
      ...(fresh && { fresh }),
      ...(late && { late }),
      ...(warming && { warming }),
      ...scored?.said,
      filled: (window ?? this.window).length,
      timesteps,
      window: isRow && !late ? window.map(({ seq, id }) => ({ seq, id })) : [],
    };
    const text = JSON.stringify(answer);
    const { stored, lowest } = compactAnswer(text, answer.window);
    const given = isRow ? [timestamp, JSON.stringify(row)] : [null, null];
    if (!this.#insert([seq, source, id, digest, now, ...given, stored, lowest])) return undefined;
    if (statics !== this.statics) writeStatics(this.#sql, this.statics, { timestamp, seq, row });
    if (this.seq === 0) this.#oldest = seq;
    this.seq = seq;
    this.arrived = now;
    if (!late) this.window = window;
    this.statics = statics;
    if (scored !== undefined)
      ready.onScored?.(values, scored.probabilities, !isRow || seq % timesteps === 0, [eventPredictionId(this.facts.key, source, id)]);
    return { answer, text, previous: isRow ? this.#replaceLabel(answer) : undefined };
  }

  /** Whether the row's id was new: the table says so, which spares most events a question before. */
  #insert(row: readonly SqlValue[]): boolean {
    const [, source, id] = row as readonly string[];
    try {
      this.#sql.exec(
        "INSERT INTO events (seq, source, id, digest, arrived, timestamp, row, answer, lowest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ...row,
      );
      return true;
    } catch (error) {
      if (this.#stored(source, id) === undefined) throw error;
      return false;
    }
  }

  /** The label of the scored window before, by the same model; from now on the answer's. */
  #replaceLabel({ label, model }: StreamAnswer): 0 | 1 | undefined {
    const { label: known, labelModel } = this.facts;
    if (label !== undefined && (label !== known || model !== labelModel)) this.change({ label, labelModel: model });
    return known === null || labelModel !== model ? undefined : known;
  }

  /** Forgets the oldest events where there are more than one object may hold. Returns how many. */
  trim(): number {
    if (this.#recipe === undefined) return 0;
    const max = maxEventRows(this.timesteps, this.#recipe.features.length);
    if (this.remembered <= max) return 0;
    const before = this.remembered;
    this.#forgetBelow(this.seq - Math.floor(max * (1 - FORGOTTEN_SHARE)));
    return before - this.remembered;
  }

  /** Deletes events below `cut`, but for those in the window and the last one, which seq goes on from. */
  #forgetBelow(cut: number): void {
    const kept = JSON.stringify([...this.window.map(({ seq }) => seq), this.seq]);
    // answers that stay and name events that go: the ids are written into them
    const naming = `SELECT seq, answer FROM events WHERE lowest < ?1 AND (seq >= ?1 OR seq IN (SELECT value FROM json_each(?2)))`;
    for (const { seq, answer } of select<{ seq: number; answer: string }>(this.#sql, naming, cut, kept)) {
      const whole = expandAnswer(answer, (seqs) => this.#idsOf(seqs));
      this.#sql.exec("UPDATE events SET answer = ?, lowest = NULL WHERE seq = ?", whole, seq);
    }
    this.#sql.exec("DELETE FROM events WHERE seq < ? AND seq NOT IN (SELECT value FROM json_each(?))", cut, kept);
    this.#oldest = select<{ seq: number | null }>(this.#sql, "SELECT min(seq) AS seq FROM events")[0].seq ?? this.seq;
  }

  /** Empties the window and deletes all events' values; ids and answers stay. */
  forgetWindow(): void {
    this.#sql.exec("UPDATE events SET row = NULL WHERE row IS NOT NULL"); // also of events that were late, or for another model
    this.#sql.exec("DELETE FROM statics");
    if (this.facts.label !== null) this.change({ label: null });
    this.window = [];
    this.statics = undefined;
  }

  /**
   * Forgets ids that came before `before`, unless they are in the window or the last one, which seq goes on from. Returns when the
   * oldest that is left came; undefined where there is none.
   */
  purge(before: number): number | undefined {
    if (this.#shape?.statics === undefined) this.#sql.exec("DELETE FROM statics"); // another model's
    const recent = "SELECT seq FROM events WHERE arrived >= ? ORDER BY seq LIMIT 1";
    this.#forgetBelow(select<{ seq: number }>(this.#sql, recent, before)[0]?.seq ?? this.seq);
    return select<{ arrived: number }>(this.#sql, "SELECT arrived FROM events ORDER BY seq LIMIT 1")[0]?.arrived;
  }

  /** Deletes outbox rows that were created before `before` and never delivered, and counts them as dropped; how many. */
  expire(before: number): number {
    const expired = this.outbox.expire(before);
    if (expired > 0) this.change({ dropped: this.facts.dropped + expired });
    return expired;
  }

  /** As Outbox.settle, and counted. */
  settle(row: DueRow, outcome: Outcome): DeliveryState {
    return this.#storage.transactionSync(() => {
      const state = this.outbox.settle(row, outcome);
      if (state === "delivered") this.change({ delivered: this.facts.delivered + (row.rows ?? 1) });
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
    this.#sql.exec(`UPDATE stream SET ${names.map((name) => `${name} = ?`).join(", ")}`, ...values);
    this.facts = { ...this.facts, ...facts };
  }
}
