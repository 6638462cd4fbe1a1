// What the object of a key answers: plain data that crosses to the Worker and back.
import type { Delivery, DeliveryCounts, DeliveryFilter, ReplayFilter, WholeDelivery } from "../deliveries/outbox-rows.ts";
import type { StreamEvent } from "../webhooks/event.ts";
import type { WindowRow } from "./window.ts";

/** Who sent an event, and where its result goes. */
export interface Origin {
  /** The id's scope. */
  readonly source: string;
  /** Names of configured destinations: one outbox row each. */
  readonly destinations: readonly string[];
  /** The configuration binds the source, or the key that sends, to this stream: it may write where another source does. */
  readonly isBound?: boolean;
  /** How often the event has been through a Worker of this kind. Absent: never. */
  readonly hops?: number;
  /** The trace that the request came with, as `traceparent` has it: deliveries carry it on. */
  readonly trace?: string;
  /** The name of the model that the events are for; absent: the default one. */
  readonly model?: string;
  /** SHA-256 of the only artifact that may score them. */
  readonly pin?: string;
  /** As schemaOf the model that the events were read for. Absent: a Worker of before called. */
  readonly schema?: string;
}

export type Acceptance =
  /** StreamAnswers as JSON. `sha256`: of the artifact that scored what is new; absent: an object of before answered. */
  | { readonly answers: readonly { readonly answer: string; readonly replayed: boolean }[]; readonly sha256?: string }
  /** The first event whose id is known with another digest. */
  | { readonly conflict: number }
  /** The first event that leaves out what is given once a sequence, where no event of the key has given it yet: nothing is stored. */
  | { readonly noStatics: number }
  /** The answers would be longer than this many characters: nothing is stored. */
  | { readonly maxAnswers: number }
  /** The object runs a model of other features, of another order or number of steps: nothing is stored. */
  | { readonly otherSchema: string }
  /** Another source writes this window: its name. Nothing is stored. */
  | { readonly owner: string }
  /** There are so many keys already: nothing is stored. */
  | { readonly maxKeys: number }
  /** There is no model; or, where `isPin`, none of the artifact that was asked for. Nothing is stored. */
  | { readonly unready: string; readonly isPin?: boolean };

export interface StreamView {
  readonly key: string;
  readonly seq: number;
  readonly filled: number;
  readonly timesteps: number;
  /** Oldest first. */
  readonly window: readonly WindowRow[];
  /** When the window is forgotten if nothing arrives, in milliseconds since 1970; null where it is empty. */
  readonly expires: number | null;
  /** Events whose ids are known. */
  readonly remembered: number;
  /** Who writes the window: a source, `api` for keys; null before anyone has, `*` where several did before it was asked. */
  readonly owner: string | null;
  readonly deliveries: DeliveryCounts;
}

/** The object's own methods, as the Worker calls them. */
export interface StreamObject {
  accept(key: string, events: readonly StreamEvent[], origin: Origin): Promise<Acceptance>;
  view(): Promise<StreamView | null>;
  /** Whether there has been an event. */
  forget(): Promise<boolean>;
  /** Newest first, from below row `before`; each with its id. */
  list(filter: DeliveryFilter, before: number, limit: number): Promise<readonly ListedDelivery[]>;
  /** Whether there is such a row. */
  replay(generation: string, n: number): Promise<boolean>;
  /** How many. */
  replayAll(filter: ReplayFilter): Promise<number>;
  /** Row `n` whole; null where there is none. */
  delivery(generation: string, n: number): Promise<Named<WholeDelivery> | null>;
  /** Sets the alarm that a crash may have lost, and reports to the directory: also where there has been no event. */
  rearmAlarm(key: string): Promise<void>;
  /** What was said of an event; null where it is not known, or was not scored. */
  prediction(source: string, id: string): Promise<StoredPrediction | null>;
  /**
   * Puts bodies of the Worker's own, not an event's, into the outbox, each for the destination that names it. `atOnce`: whatever pause
   * they are in. Returns the ids.
   */
  announce(key: string, bodies: Readonly<Record<string, string>>, atOnce?: boolean): Promise<readonly string[]>;
}

/** What was said of an event, as its transaction wrote it down. */
export interface StoredPrediction {
  /** The model's id. */
  readonly model: string;
  readonly probability: number;
  /** The event's time, in milliseconds since 1970. */
  readonly at: number;
}

/** A row with its names. */
export type Named<Row> = Omit<Row, "batch"> & {
  /** `webhook-id`, the same on every attempt: msg_, the object, its generation, the row. */
  readonly id: string;
  readonly key: string;
  /** The `webhook-id` of the batch that it goes out in; null: by itself, or that is not yet known. */
  readonly batch: string | null;
};
export type ListedDelivery = Named<Delivery>;
