// Predictions that are remembered until their outcomes come: ids that say where a prediction lies, and when it was made.
import { shardOf } from "../streams/directory.ts";

/** Objects that share the predictions of one model. For ever: another number would look for known ids in the wrong place. */
export const PREDICTION_SHARDS = 4;

/** Of an artifact's hash in a model's id. */
const HASH_DIGITS = 12;

export interface PredictionPlace {
  /** The model's id: the name that it answered under, and 12 digits of its hash. Of ids of before the name is not known: `@0123456789ab`. */
  readonly model: string;
  readonly shard: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** `p3.0123456789ab.mc1k2j3h.….sp500`: shard, hash, time in base 36, what makes it one, and the model's name. `unique`: text of letters, digits and hyphens. */
export function writePredictionId({ model, shard, at }: PredictionPlace, unique: string): string {
  return `p${shard}.${model.slice(-HASH_DIGITS)}.${at.toString(36)}.${unique}.${encodeURIComponent(nameOf(model).toWellFormed())}`;
}

/** What writePredictionId writes; without the name as it did before. */
export const PREDICTION_ID = /^p([0-3])\.([0-9a-f]{12})\.([0-9a-z]{1,10})\.[0-9a-zA-Z-]{1,64}(?:\.([\w.!~*'()%-]{0,999}))?$/;

/** Undefined where `text` is no id that writePredictionId writes, or wrote. */
export function readPredictionId(text: string): PredictionPlace | undefined {
  const [, shard, hash, at, name = ""] = PREDICTION_ID.exec(text) ?? [];
  if (hash === undefined) return undefined;
  try {
    return { model: `${decodeURIComponent(name)}@${hash}`, shard: Number(shard), at: Number.parseInt(at, 36) };
  } catch {
    return undefined; // no UTF-8
  }
}

/** The name in a model's id. */
export function nameOf(model: string): string {
  return model.slice(0, -HASH_DIGITS - 1);
}

/** Of a prediction by its id, or by a stream's event's. */
export function shardOfId(id: string): number {
  return readPredictionId(id)?.shard ?? shardOf((JSON.parse(id) as [string])[0]) % PREDICTION_SHARDS;
}

/** The name of the object, which holds the predictions of one artifact under all its names. `model`: its id. */
export function predictionsName(model: string, shard: number): string {
  return `${model.slice(-HASH_DIGITS)}/${shard}`;
}
