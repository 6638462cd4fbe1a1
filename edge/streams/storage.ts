// The storage of a Durable Object as far as streams use it: SQLite that answers at once, and one alarm. workerd has it; so has
// anything else with SQLite, which is how the objects are tested outside.

export type SqlValue = string | number | null;

export interface Sql {
  /** Runs at once, and gives all rows. */
  exec(query: string, ...bindings: SqlValue[]): { toArray(): Record<string, SqlValue>[] };
}

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

/** What an object is given of its surroundings by the runtime. */
export interface ObjectContext {
  readonly id: { toString(): string };
  readonly storage: ObjectStorage;
  /** Nothing else of this object runs meanwhile. */
  blockConcurrencyWhile<T>(run: () => Promise<T>): Promise<T>;
}

/** The rows, with the columns that `Row` names: who writes a query knows what it selects. */
export function select<Row>(sql: Sql, query: string, ...bindings: SqlValue[]): Row[] {
  return sql.exec(query, ...bindings).toArray() as Row[];
}

/** Whether the object has this table yet. Reading it writes nothing, so asking for what is not there leaves nothing behind. */
export function hasTable(sql: Sql, name: string): boolean {
  return select(sql, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name).length > 0;
}
