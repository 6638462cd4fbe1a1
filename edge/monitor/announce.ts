// Word of what the monitor found, to its destinations: a row in the outbox of a stream that the model's name stands for, so that it is
// signed, sent again, listed and replayed as every delivery is.
import { nameOf } from "./prediction-id.ts";

/** `type` as `drift.detected`; `model`: its id. Throws where it could not be written down. */
export type Announce = (type: string, model: string, data: Readonly<Record<string, unknown>>) => Promise<void>;

/** The key of the stream whose outbox it is. */
export function announceKey(model: string): string {
  return `quickstep:model:${nameOf(model)}`;
}
