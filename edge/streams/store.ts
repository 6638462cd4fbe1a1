// All streams as the routes see them, wherever they live.
import type { StreamEvent } from "./event.ts";

/** Who sent an event, and who is told what came of it. */
export interface Origin {
  /** The id's scope. */
  readonly source: string;
  /** Names of configured destinations: one outbox row each. */
  readonly destinations: readonly string[];
}

/** The source of what comes by POST /v1/streams/{key}/events; no other may have its name. */
export const API_SOURCE = "api";

/** What an event is answered with, and again whenever the same event comes again. */
export interface StreamAnswer {
  readonly key: string;
  readonly source: string;
  readonly id: string;
  /** Counts the key's events, from 1 on, in the order they came. */
  readonly seq: number;
  /** `name@hash` of the artifact. */
  readonly model: string;
  readonly operatingPoint?: string;
  readonly probability?: number;
  readonly label?: 0 | 1;
  readonly outOfRange?: true;
  /** The window is shorter than the model's shortest trained length: no score. */
  readonly warming?: true;
  /** Older than a full window: remembered, not scored. */
  readonly late?: true;
  /** Events in the window, of `timesteps` that it can hold. */
  readonly filled: number;
  readonly timesteps: number;
  /** The window that was scored, oldest first. Empty for a whole sequence. */
  readonly window: readonly { readonly seq: number; readonly id: string }[];
}

export interface Accepted {
  readonly answer: StreamAnswer;
  /** It had been answered before. */
  readonly replayed: boolean;
}

export interface StreamStore {
  /**
   * All events of one key or none, in order. Throws RequestError: `conflict` where an id is known with another digest, `storage`
   * where it could not be stored for certain (sending it again is safe), and ArtifactError where no model is ready.
   */
  accept(key: string, events: readonly StreamEvent[], origin: Origin): Promise<readonly Accepted[]>;
}
