// What the rows of an outbox are: as they are made, listed, sent and settled. Knows no storage.
import type { AttemptRecord } from "./attempts.ts";
import type { Attempt } from "./delivery.ts";

export const DELIVERY_STATES = ["pending", "delivered", "dead"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** A row as it is listed. Times in milliseconds since 1970. */
export interface Delivery {
  /** Within its object; counts up and is never given twice. */
  readonly n: number;
  /** The event whose result it carries. */
  readonly seq: number;
  readonly destination: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly created: number;
  /** When it is tried next; null where it is not. */
  readonly due: number | null;
  /** Of the last attempt; null before the first, or where there was no answer. */
  readonly status: number | null;
  /** Why the last attempt failed, or why there is none. */
  readonly diagnostics: string;
  /** When the last attempt began, and how long it took; null before the first. */
  readonly attempted: number | null;
  readonly ms: number | null;
  /** The row whose batch it is in: all of that is in one state, and its attempts are the batch's. null: in none yet. */
  readonly batch: number | null;
}

/** Which rows; what is absent is any. Times in milliseconds since 1970, of when a row was made: from `since` on, before `until`. */
export interface DeliveryFilter {
  readonly state?: DeliveryState;
  readonly destination?: string;
  readonly since?: number;
  readonly until?: number;
}

/** Rows to send again: those that are dead unless it says otherwise. */
export type ReplayFilter = DeliveryFilter & { readonly destination: string };

/** A row with what it sends, and each attempt, oldest first. */
export interface WholeDelivery extends Delivery {
  readonly body: string;
  readonly history: readonly AttemptRecord[];
}

/** What one attempt sends: a row, or a batch under the `n` of its head. */
export interface DueRow {
  readonly n: number;
  readonly destination: string;
  readonly attempts: number;
  readonly body: string;
  /** How often the event whose result it carries had been through a Worker of this kind. */
  readonly hops: number;
  /** The trace that the event came with, as `traceparent` has it; null: none. Of a batch, its first row's. */
  readonly trace: string | null;
  /** Of the batch; null: one row by itself. */
  readonly rows: number | null;
}

/** A result on its way to one destination. Times in milliseconds since 1970. */
export interface NewRow {
  readonly seq: number;
  readonly destination: string;
  /** The destination's address now; undefined where none is configured. */
  readonly url: string | undefined;
  readonly body: string;
  readonly now: number;
  readonly due: number;
  readonly hops: number;
  readonly trace?: string;
}

/** What came of an attempt to deliver a row. */
export interface Outcome {
  readonly attempt: Attempt;
  /** Where it went; undefined where no such destination is configured. */
  readonly url: string | undefined;
  /** false: the row stays as it was, but for what the attempt met. */
  readonly spent: boolean;
  /** When the attempt began and ended, in milliseconds since 1970. */
  readonly started: number;
  readonly now: number;
  /** Until the next attempt; undefined where there is none left. */
  readonly nextDelayMs: number | undefined;
}

/** Rows of the outbox by state; `delivered` and `dropped` since the key is known, the others as they are. */
export interface DeliveryCounts {
  readonly pending: number;
  readonly delivered: number;
  readonly dead: number;
  readonly dropped: number;
}
