// The storage of a Durable Object as far as streams use it: SQLite that answers at once, and one alarm.
import type { Sql } from "../deliveries/sql.ts";

export interface ObjectStorage {
  readonly sql: Sql;
  /** All of what `run` writes, or, if it throws, nothing. */
  transactionSync<T>(run: () => T): T;
  /** Instead of the alarm that may be set. Part of the writes around it, up to the next await. */
  setAlarm(ms: number): Promise<void>;
  deleteAlarm(): Promise<void>;
  /** Everything, as if there had never been an object. */
  deleteAll(): Promise<void>;
}

/** What the runtime gives an object. */
export interface ObjectContext {
  readonly id: { toString(): string };
  readonly storage: ObjectStorage;
  /** Nothing else of this object runs meanwhile. */
  blockConcurrencyWhile<T>(run: () => Promise<T>): Promise<T>;
}
