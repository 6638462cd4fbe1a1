// SQLite as a Durable object has it: it answers at once. So does anything else with SQLite, which is how the objects are tested outside
// workerd.

export type SqlValue = string | number | null;

export interface Sql {
  /** Runs at once, and gives all rows. */
  exec(query: string, ...bindings: SqlValue[]): { toArray(): Record<string, SqlValue>[] };
}

/** The rows, with the columns that `Row` names: who writes a query knows what it selects. */
export function select<Row>(sql: Sql, query: string, ...bindings: SqlValue[]): Row[] {
  return sql.exec(query, ...bindings).toArray() as Row[];
}

/** Whether the object has this table yet. Reading it writes nothing, so asking for what is not there leaves nothing behind. */
export function hasTable(sql: Sql, name: string): boolean {
  return select(sql, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name).length > 0;
}
