// What is given once a sequence, as the latest event of a key that gave it says: by its time, and of equal times the one that came last.
// Legend: F features, S of them given once a sequence.

import { type Shape, widthWithoutTime } from "../../shared/sequence.ts";
import { type Sql, select } from "../deliveries/sql.ts";
import { restoreGaps } from "../webhooks/event.ts";

export interface LatestStatics {
  /** Of the event: milliseconds since 1970, and its seq. */
  readonly timestamp: number;
  readonly seq: number;
  /** (S) NaN where a number is missing */
  readonly values: readonly number[];
}

/** An event's whole row, without its time. */
interface GivenRow extends Omit<LatestStatics, "values"> {
  readonly row: readonly number[];
}

/** What is known of events after seq `from`, not later than `latest`; undefined where no event gave it, or the model takes nothing of the kind. */
export function readStatics(sql: Sql, shape: Shape, from: number, latest: number): LatestStatics | undefined {
  const { statics: S = 0, gaps = false } = shape;
  if (S === 0) return undefined;
  const [found] = select<{ timestamp: number; seq: number; row: string }>(
    sql,
    `SELECT timestamp, seq, row FROM statics WHERE timestamp <= ? AND seq > ? AND json_array_length(row) = ? AND (? OR instr(row, 'null') = 0)
     ORDER BY timestamp DESC, seq DESC LIMIT 1`,
    ...[latest, from, widthWithoutTime(shape), gaps ? 1 : 0],
  );
  return found && { timestamp: found.timestamp, seq: found.seq, values: restoreGaps(JSON.parse(found.row)).slice(-S) };
}

/** The latest of what was `known` and what an event gives. */
export function latestOf({ statics: S = 0 }: Shape, known: LatestStatics | undefined, given: GivenRow): LatestStatics | undefined {
  const { timestamp, seq, row } = given;
  return S === 0 || (known !== undefined && known.timestamp > timestamp) ? known : { timestamp, seq, values: row.slice(-S) };
}

/** Stores what an event gives. What was `known` before stays stored until the next: it counts again where the event turns out to be ahead of the clock. */
export function writeStatics(sql: Sql, known: LatestStatics | undefined, { timestamp, seq, row }: GivenRow): void {
  if (known !== undefined)
    sql.exec("DELETE FROM statics WHERE timestamp < ?1 OR (timestamp = ?1 AND seq < ?2)", known.timestamp, known.seq);
  sql.exec("INSERT INTO statics (timestamp, seq, row) VALUES (?, ?, ?)", timestamp, seq, JSON.stringify(row));
}
