// One row of JSON in an object's storage: what the object knows, written down whole.
import { hasTable, type Sql, select } from "../deliveries/sql.ts";

const SCHEMA = "CREATE TABLE kept (one INTEGER PRIMARY KEY, json TEXT NOT NULL);";

/** What was written last; undefined: nothing. */
export function readRow<T>(sql: Sql): T | undefined {
  if (!hasTable(sql, "kept")) return undefined;
  const [row] = select<{ json: string }>(sql, "SELECT json FROM kept");
  return row && JSON.parse(row.json);
}

/** Writes `value` in its place. */
export function writeRow(sql: Sql, value: unknown): void {
  if (!hasTable(sql, "kept")) sql.exec(SCHEMA);
  sql.exec("INSERT OR REPLACE INTO kept VALUES (1, ?)", JSON.stringify(value));
}
