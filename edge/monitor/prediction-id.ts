// Predictions that are remembered until their outcomes come: ids that say where a prediction lies, and when it was made.
import { shardOf } from "../streams/directory.ts";

/** Objects that share the predictions of one model. For ever: another number would look for known ids in the wrong place. */
export const PREDICTION_SHARDS = 4;

export interface PredictionPlace {
  /** Beginning of the artifact's hash: 12 hexadecimal digits. */
  readonly model: string;
  readonly shard: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** `p3.0123456789ab.mc1k2j3h.…`: shard, model, time in base 36, and what makes it one. `unique`: text of letters, digits and hyphens. */
export function writePredictionId({ model, shard, at }: PredictionPlace, unique: string): string {
  return `p${shard}.${model}.${at.toString(36)}.${unique}`;
}

/** What writePredictionId writes. */
export const PREDICTION_ID = /^p([0-3])\.([0-9a-f]{12})\.([0-9a-z]{1,10})\.[0-9a-zA-Z-]{1,64}$/;

/** Undefined where `text` is no id that writePredictionId writes. */
export function readPredictionId(text: string): PredictionPlace | undefined {
  const [, shard, model, at] = PREDICTION_ID.exec(text) ?? [];
  return model === undefined ? undefined : { model, shard: Number(shard), at: Number.parseInt(at, 36) };
}

/** Of a prediction by its id, or by a stream's event's. */
export function shardOfId(id: string): number {
  return readPredictionId(id)?.shard ?? shardOf((JSON.parse(id) as [string])[0]) % PREDICTION_SHARDS;
}

/** The name of the object. `model`: 12 digits of the artifact's hash. */
export function predictionsName(model: string, shard: number): string {
  return `${model}/${shard}`;
}
