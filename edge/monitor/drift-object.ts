// The object that watches one model for drift. What comes are bins, of which no input can be made again; what it writes down are counts
// and what the bets became.
import { type DriftReport, openWatch, reportDrift, take, type Watch } from "../../shared/drift/watch.ts";
import type { Observation, Watched } from "../../shared/drift/watched.ts";
import type { Log } from "../../shared/recipe/recipe.ts";
import type { ObjectStorage } from "../streams/storage.ts";
import type { Announce } from "./announce.ts";
import { readRow, writeRow } from "./kept-row.ts";

/** Quantities that a delivery names. */
const TOLD_QUANTITIES = 5;

/** A model as its drift object knows it: plain data, which comes with each call, since the object holds no model. */
export interface WatchedModel {
  readonly id: string;
  readonly watched: Watched;
}

/** What isolates and routes ask of it. */
export interface DriftObject {
  /** Sequences that share no row, in their order. */
  observe(model: WatchedModel, observations: readonly Observation[]): Promise<void>;
  view(model: WatchedModel): Promise<DriftReport>;
  /** Begins anew. */
  forget(): Promise<void>;
}

export interface DriftDependencies {
  /** The kernel's. */
  readonly log: Log;
  readonly announce: Announce;
}

/** A watch, and whether somebody was told of its alarm. */
type Kept = Watch & { told?: true };

/** The object that this storage is. */
export function createDrift({ sql }: Pick<ObjectStorage, "sql">, { log, announce }: DriftDependencies): DriftObject {
  let watch = readRow<Kept>(sql);
  let isTelling = false;

  /** Once in the life of a watch; where that fails, the next sequences try again. */
  async function tell({ id, watched }: WatchedModel, told: Kept): Promise<void> {
    const { sequences, evidence, quantities } = reportDrift(told, watched, log);
    const most = quantities.slice(0, TOLD_QUANTITIES).map(({ name, evidence, stability }) => ({ name, evidence, stability }));
    isTelling = true; // other calls come meanwhile
    try {
      await announce("drift.detected", id, { model: id, sequences, alarmAfter: told.alarm, evidence, quantities: most });
      told.told = true;
      if (watch === told) writeRow(sql, told);
    } finally {
      isTelling = false;
    }
  }

  return {
    async observe(model, observations) {
      const { watched } = model;
      watch ??= openWatch(watched);
      for (const observation of observations) if (fits(watched, observation)) take(watch, watched, observation);
      writeRow(sql, watch);
      if (watch.alarm !== null && !watch.told && !isTelling) await tell(model, watch).catch(() => {}); // the next sequences try again
    },
    async view({ watched }) {
      return reportDrift(watch ?? openWatch(watched), watched, log);
    },
    async forget() {
      watch = undefined;
      sql.exec("DROP TABLE IF EXISTS kept");
    },
  };
}

/** An isolate of another version may say something else. */
function fits({ quantities }: Watched, observation: Observation): boolean {
  return (
    observation.length === quantities.length &&
    observation.every((bins, s) => bins.every((bin) => Number.isInteger(bin) && bin >= 0 && bin < quantities[s].counts.length))
  );
}
