// Predictions of one artifact, a share of them, until their outcomes come; and what came true, by day. What it holds of a prediction is its
// probability and its time: never an input.
import { hasTable, type Sql, select } from "../deliveries/sql.ts";
import type { ObjectStorage } from "../streams/storage.ts";
import type { Announce } from "./announce.ts";
import { addPairs, judgePair, noPairs, type PairSums } from "./comparison.ts";
import {
  addOutcome,
  addTally,
  betOn,
  evidenceOf,
  type Functions,
  noOutcomes,
  openWealth,
  PERFORMANCE_ALPHA,
  type Tally,
  type Wealth,
} from "./performance.ts";
import { nameOf, readPredictionId, shardOfId } from "./prediction-id.ts";
import type { ShadowRow } from "./shadows.ts";

/** A prediction to remember. */
export interface PredictionRow {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly probability: number;
}

/** What came true. A stream's prediction comes along: its own object remembers it. */
export interface Outcome {
  readonly id: string;
  readonly label: 0 | 1;
  /** When the prediction was made, in milliseconds since 1970. */
  readonly at: number;
  readonly probability?: number;
  /** There is no such event: it is only counted. */
  readonly isUnknown?: true;
}

/** Of one request. */
export const MAX_OUTCOMES = 1000;

/**
 * `taken`: it counts. `waiting`: its prediction has not come yet, and it counts when that comes. `repeated`: it counted already.
 * `contradicting`: another label counted already, and goes on to. `late`: its prediction is forgotten. `unknown`: there is no such event.
 */
export const OUTCOME_STATES = ["taken", "waiting", "repeated", "contradicting", "late", "unknown"] as const;
export type OutcomeState = (typeof OUTCOME_STATES)[number];
export type OutcomeCounts = Readonly<Record<OutcomeState, number>>;

export interface PerformanceShare {
  /** By day of the prediction, UTC: `2026-11-30`. */
  readonly days: Readonly<Record<string, Tally>>;
  /** Of outcomes that came as lately as predictions are kept. */
  readonly counts: OutcomeCounts;
  /** The evidence that the probabilities do not hold any more, and whether it reached the alarm. */
  readonly evidence: number;
  readonly changed: boolean;
}

/** What isolates and routes ask of it. */
export interface PredictionsObject {
  remember(rows: readonly PredictionRow[]): Promise<void>;
  /** `model`: the id. They count under its name. */
  settle(model: string, outcomes: readonly Outcome[]): Promise<readonly OutcomeState[]>;
  /** What was compared with a challenger, by its id, and what it said of predictions whose outcomes may come. */
  compare(challenger: string, more: PairSums, rows: readonly ShadowRow[]): Promise<void>;
  /** All that was. */
  compared(challenger: string): Promise<PairSums>;
  /** `model`: the id, whose name counts. What is of before names counts under each. */
  view(model: string): Promise<PerformanceShare>;
  /** Of shard 0: whether `shard` is the first of the model's objects that asked to send word of it. `model`: the id. */
  mayTell(model: string, shard: number): Promise<boolean>;
  alarm(): Promise<void>;
}

export interface PredictionsDependencies {
  readonly functions: Functions;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How long a prediction waits for its outcome. */
  readonly keptMs: number;
  readonly announce: Announce;
  /** Asks shard 0 of the model. */
  readonly mayTell: PredictionsObject["mayTell"];
}

/**
 * `day` has the model's name behind it, as `2026-11-30 sp500`; without one it is of before names were written down. `state` has the day
 * of the outcome in front, too, as `2026-11-30 taken sp500`.
 */
const SCHEMA = `
  CREATE TABLE predictions (id TEXT PRIMARY KEY, at INTEGER NOT NULL, probability REAL, label INTEGER) WITHOUT ROWID;
  CREATE INDEX predictions_by_time ON predictions (at);
  CREATE TABLE days (day TEXT PRIMARY KEY, tally TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE outcome_counts (state TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE bets (one INTEGER PRIMARY KEY, wealth TEXT NOT NULL, changed INTEGER NOT NULL, told INTEGER NOT NULL);`;
/** Made where they are not: objects of before have none. */
const LATER_SCHEMA = `
  CREATE TABLE IF NOT EXISTS shadows (id TEXT PRIMARY KEY, at INTEGER NOT NULL, challenger TEXT NOT NULL, probability REAL NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS pairs (challenger TEXT PRIMARY KEY, sums TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS named_bets (name TEXT PRIMARY KEY, wealth TEXT NOT NULL, changed INTEGER NOT NULL, told INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tellers (name TEXT PRIMARY KEY, shard INTEGER NOT NULL) WITHOUT ROWID;`;
/** Of before days were written down: as if they had come when the object woke. */
const DATE_COUNTS = "UPDATE outcome_counts SET state = ? || ' ' || state WHERE state >= 'a'";
/** Old rows go so often. */
const PURGE_MS = 6 * 3_600_000;
/** Days whose figures are kept. */
const KEPT_DAYS = 400;

interface Bets {
  wealth: Wealth;
  changed: 0 | 1;
  told: 0 | 1;
}

const DAYS = "SELECT substr(day, 1, 10) AS day, tally FROM days WHERE substr(day, 11) IN ('', ?) ORDER BY 1";
const PURGE_DAYS =
  "DELETE FROM days WHERE substr(day, 1, 10) NOT IN (SELECT DISTINCT substr(day, 1, 10) FROM days ORDER BY 1 DESC LIMIT ?)";
const TABLES = ["predictions", "shadows", "days", "outcome_counts", "named_bets", "pairs", "tellers"];
/** Whether anything is; not by UNION, of which workerd takes five terms. */
const LEFT = `SELECT 1 WHERE ${TABLES.map((table) => `EXISTS (SELECT 1 FROM ${table})`).join(" OR ")}`;
const KNOWN = "SELECT probability, label FROM predictions WHERE id = ?";
const WRITE = "INSERT OR REPLACE INTO predictions VALUES (?, ?, ?, ?)";
const COUNTS = "SELECT substr(state, 12) AS state, n FROM outcome_counts";
const COUNT = "INSERT INTO outcome_counts VALUES (?, ?) ON CONFLICT (state) DO UPDATE SET n = n + excluded.n";

interface Known {
  /** null: the prediction has not come yet. */
  readonly probability: number | null;
  /** null: the outcome has not come yet. */
  readonly label: 0 | 1 | null;
}

/** The object that this storage is. Tables are created by the first prediction or outcome. */
export class Predictions implements PredictionsObject {
  readonly #storage: ObjectStorage;
  readonly #sql: Sql;
  readonly #dependencies: PredictionsDependencies;
  #isReady: boolean;
  readonly #telling = new Set<string>();

  constructor(storage: ObjectStorage, dependencies: PredictionsDependencies) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#dependencies = dependencies;
    this.#isReady = hasTable(storage.sql, "predictions");
    if (!this.#isReady) return;
    this.#sql.exec(LATER_SCHEMA);
    this.#sql.exec(DATE_COUNTS, dayOf(dependencies.now()));
  }

  #prepare(): void {
    if (this.#isReady) return;
    this.#sql.exec(SCHEMA);
    this.#sql.exec(LATER_SCHEMA);
    void this.#storage.setAlarm(this.#dependencies.now() + PURGE_MS);
    this.#isReady = true;
  }

  #knownOf(id: string): Known | undefined {
    return select<Known>(this.#sql, KNOWN, id)[0];
  }

  async remember(rows: readonly PredictionRow[]): Promise<void> {
    this.#prepare();
    this.#storage.transactionSync(() => {
      const sums = openSums(this.#sql, this.#dependencies.functions);
      for (const { id, at, probability } of rows) {
        const known = this.#knownOf(id);
        if (known !== undefined && known.probability !== null) continue; // a call that came twice
        this.#sql.exec(WRITE, id, at, probability, known?.label ?? null);
        if (known !== undefined && known.label !== null) sums.add(suffixOf(readPredictionId(id)?.model), id, at, probability, known.label);
      }
      sums.write();
    });
    for (const [model, [{ id }]] of Map.groupBy(rows, ({ id }) => readPredictionId(id)?.model)) await this.#tell(id, model).catch(() => {});
  }

  async settle(model: string, outcomes: readonly Outcome[]): Promise<readonly OutcomeState[]> {
    this.#prepare();
    const states = this.#storage.transactionSync(() => {
      const sums = openSums(this.#sql, this.#dependencies.functions);
      const suffix = suffixOf(model);
      const today = dayOf(this.#dependencies.now());
      const states = outcomes.map((outcome) => this.#settleOne(suffix, outcome, sums));
      for (const [state, { length }] of Map.groupBy(states, (state) => state)) this.#sql.exec(COUNT, `${today} ${state}${suffix}`, length);
      sums.write();
      return states;
    });
    if (outcomes.length > 0) await this.#tell(outcomes[0].id, model).catch(() => {}); // the next outcome tries again
    return states;
  }

  #settleOne(suffix: string, { id, label, at, probability, isUnknown }: Outcome, sums: Sums): OutcomeState {
    if (isUnknown) return "unknown";
    const known = this.#knownOf(id);
    if (known !== undefined && known.label !== null) return known.label === label ? "repeated" : "contradicting";
    if (at < this.#dependencies.now() - this.#dependencies.keptMs) return "late";
    const said = known?.probability ?? probability ?? null;
    this.#sql.exec(WRITE, id, at, said, label);
    if (said === null) return "waiting";
    sums.add(suffix, id, at, said, label);
    return "taken";
  }

  async compare(challenger: string, more: PairSums, rows: readonly ShadowRow[]): Promise<void> {
    this.#prepare();
    this.#storage.transactionSync(() => {
      const pairs = readPairs(this.#sql, challenger);
      addPairs(pairs, more);
      for (const { id, at, probability } of rows) {
        const { label = null, probability: said = null } = this.#knownOf(id) ?? {};
        if (label === null || said === null)
          this.#sql.exec("INSERT OR REPLACE INTO shadows VALUES (?, ?, ?, ?)", id, at, challenger, probability);
        else judgePair(pairs, said, probability, label, this.#dependencies.functions.log);
      }
      writePairs(this.#sql, challenger, pairs);
    });
  }

  async compared(challenger: string): Promise<PairSums> {
    const pairs = noPairs();
    // Of before names were written down there are digits of its hash alone.
    if (this.#isReady) for (const key of new Set([challenger, challenger.slice(-12)])) addPairs(pairs, readPairs(this.#sql, key));
    return pairs;
  }

  async mayTell(model: string, shard: number): Promise<boolean> {
    this.#prepare();
    const suffix = suffixOf(model);
    this.#sql.exec("INSERT OR IGNORE INTO tellers VALUES (?, ?)", suffix, shard);
    return select<{ shard: number }>(this.#sql, "SELECT shard FROM tellers WHERE name = ?", suffix)[0].shard === shard;
  }

  /** Once for each name, by one of the model's objects. `id`: of one of this object's predictions. */
  async #tell(id: string, model = ""): Promise<void> {
    const suffix = suffixOf(model);
    const { changed, told } = readBets(this.#sql, suffix);
    if (changed === 0 || told === 1 || this.#telling.has(suffix)) return;
    this.#telling.add(suffix); // other calls come meanwhile
    try {
      const reason = "the probabilities do not hold as they did: outcomes follow others";
      const shard = shardOfId(id);
      const mayTell = shard === 0 ? this.mayTell(model, shard) : this.#dependencies.mayTell(model, shard);
      if (await mayTell) await this.#dependencies.announce("performance.changed", model, { model, reason });
      writeBets(this.#sql, suffix, { ...readBets(this.#sql, suffix), told: 1 });
    } finally {
      this.#telling.delete(suffix);
    }
  }

  async view(model: string): Promise<PerformanceShare> {
    const suffix = suffixOf(model);
    const days: Record<string, Tally> = {};
    if (!this.#isReady) return { days, counts: countsOf([], suffix), evidence: 1, changed: false };
    for (const { day, tally } of select<{ day: string; tally: string }>(this.#sql, DAYS, suffix))
      addTally((days[day] ??= noOutcomes()), JSON.parse(tally));
    const { wealth, changed } = readBets(this.#sql, suffix);
    return {
      days,
      counts: countsOf(select<{ state: string; n: number }>(this.#sql, COUNTS), suffix),
      evidence: evidenceOf(wealth),
      changed: changed === 1,
    };
  }

  async alarm(): Promise<void> {
    if (!this.#isReady) return;
    const { now, keptMs } = this.#dependencies;
    for (const table of ["predictions", "shadows"]) this.#sql.exec(`DELETE FROM ${table} WHERE at < ?`, now() - keptMs);
    this.#sql.exec("DELETE FROM outcome_counts WHERE state < ?", dayOf(now() - keptMs));
    this.#sql.exec(PURGE_DAYS, KEPT_DAYS);
    if (select(this.#sql, LEFT).length > 0) return this.#storage.setAlarm(now() + PURGE_MS);
    await this.#storage.deleteAll(); // an id that nobody gave out names an object, too
    this.#isReady = false;
  }
}

/** What complete pairs come to. */
interface Sums {
  /** A pair is complete: it counts. */
  add(suffix: string, id: string, at: number, probability: number, label: 0 | 1): void;
  write(): void;
}

/** For the pairs of one call: what is written down is read once and written once, however many they are. */
function openSums(sql: Sql, functions: Functions): Sums {
  const days = new Map<string, Tally>();
  const betsOf = new Map<string, Bets>();
  const pairs = new Map<string, PairSums>();
  return {
    add(suffix, id, at, probability, label) {
      const day = dayOf(at) + suffix;
      const tally = days.get(day) ?? readDay(sql, day);
      days.set(day, tally);
      addOutcome(tally, probability, label, functions.log);
      const bets = betsOf.get(suffix) ?? readBets(sql, suffix);
      betsOf.set(suffix, bets);
      if (betOn(bets.wealth, probability, label, functions) >= 1 / PERFORMANCE_ALPHA) bets.changed = 1;
      const [shadow] = select<{ challenger: string; probability: number }>(
        sql,
        "SELECT challenger, probability FROM shadows WHERE id = ?",
        id,
      );
      if (shadow === undefined) return;
      const { challenger } = shadow;
      const compared = pairs.get(challenger) ?? readPairs(sql, challenger);
      pairs.set(challenger, compared);
      judgePair(compared, probability, shadow.probability, label, functions.log);
      sql.exec("DELETE FROM shadows WHERE id = ?", id);
    },
    write() {
      for (const [day, tally] of days) sql.exec("INSERT OR REPLACE INTO days VALUES (?, ?)", day, JSON.stringify(tally));
      for (const [suffix, bets] of betsOf) writeBets(sql, suffix, bets);
      for (const [challenger, compared] of pairs) writePairs(sql, challenger, compared);
    },
  };
}

function readDay(sql: Sql, day: string): Tally {
  const [row] = select<{ tally: string }>(sql, "SELECT tally FROM days WHERE day = ?", day);
  return row ? JSON.parse(row.tally) : noOutcomes();
}

function readPairs(sql: Sql, challenger: string): PairSums {
  const [row] = select<{ sums: string }>(sql, "SELECT sums FROM pairs WHERE challenger = ?", challenger);
  return row ? JSON.parse(row.sums) : noPairs();
}

function writePairs(sql: Sql, challenger: string, pairs: PairSums): void {
  sql.exec("INSERT OR REPLACE INTO pairs VALUES (?, ?)", challenger, JSON.stringify(pairs));
}

/** Those of before names were written down are where each name's begin. */
function readBets(sql: Sql, suffix: string): Bets {
  const read = (from: string, ...values: string[]) =>
    select<{ wealth: string; changed: 0 | 1; told: 0 | 1 }>(sql, `SELECT wealth, changed, told FROM ${from}`, ...values)[0];
  const row = read("named_bets WHERE name = ?", suffix) ?? read("bets");
  return row ? { ...row, wealth: JSON.parse(row.wealth) } : { wealth: openWealth(), changed: 0, told: 0 };
}

function writeBets(sql: Sql, suffix: string, { wealth, changed, told }: Bets): void {
  sql.exec("INSERT OR REPLACE INTO named_bets VALUES (?, ?, ?, ?)", suffix, JSON.stringify(wealth), changed, told);
}

function countsOf(rows: readonly { readonly state: string; readonly n: number }[], suffix: string): OutcomeCounts {
  const count = (name: string) => rows.reduce((sum, { state, n }) => (state === name || state === name + suffix ? sum + n : sum), 0);
  return Object.fromEntries(OUTCOME_STATES.map((state) => [state, count(state)])) as Record<OutcomeState, number>;
}

/** UTC: `2026-11-30`. `at`: milliseconds since 1970. */
function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** What stands behind a day and a state of the model of this id; nothing, where its name is not known. */
function suffixOf(model = ""): string {
  const name = nameOf(model);
  return name && ` ${name}`;
}
