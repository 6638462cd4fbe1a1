// All streams as the routes see them, wherever they live.
import type { BreakerView } from "../deliveries/breaker.ts";
import type { DeliveryFilter, ReplayFilter, WholeDelivery } from "../deliveries/outbox-rows.ts";
import { RequestError } from "../http/problem.ts";
import type { Ready } from "../models/servable-model.ts";
import type { StreamEvent } from "../webhooks/event.ts";
import type { ListedKey, Totals } from "./directory.ts";
import type { SourceTally, SourceView } from "./source-events.ts";
import type { ListedDelivery, Named, Origin, StoredPrediction, StreamView } from "./stream-object.ts";

/** What an event is answered with, and again whenever the same event comes again. */
export interface StreamAnswer {
  readonly key: string;
  readonly source: string;
  readonly id: string;
  /** The event's own, ISO 8601. */
  readonly timestamp: string;
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
  /** The window began anew with this event: the rows before it were for a model of other features. */
  readonly fresh?: true;
  /** Older than a full window: remembered, not scored. */
  readonly late?: true;
  /** Events in the window, of `timesteps` that it can hold. */
  readonly filled: number;
  readonly timesteps: number;
  /** The window that was scored, oldest first. Empty for a whole sequence. */
  readonly window: readonly { readonly seq: number; readonly id: string }[];
}

/** As Origin (`model` and `pin` included), with the model that the events were read for; absent: the default one. */
export type EventOrigin = Omit<Origin, "schema"> & { readonly ready?: Ready };

export interface Accepted {
  /** A StreamAnswer as JSON. */
  readonly answer: string;
  /** It had been answered before. */
  readonly replayed: boolean;
  /** SHA-256 of the artifact that scored it; absent: it had been answered before, or an object of before answered. */
  readonly sha256?: string;
}

/** The key's object has a model of other features or steps than the events were read for: once more with the latest one. */
export class OtherModel extends RequestError {
  constructor(schema: string) {
    super("storage", `the model of this stream is being changed for one of other features or steps (${schema}): send the event again`);
  }
}

/** Some of a list, and where the rest begins: undefined where it ends. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly cursor?: string;
}

/** A destination's circuit breaker. */
export interface DestinationView extends BreakerView {
  readonly name: string;
}

export interface StreamStore {
  /**
   * All events of one key or none, in order. Throws RequestError: `conflict` where an id is known with another digest, `storage`
   * where it could not be stored for certain (sending it again is safe), as OtherModel where the object has another model by now, `model`
   * where none is the pinned one; ArtifactError where no model is ready; SequenceError for a
   * key or a whole sequence that cannot be one.
   */
  accept(key: string, events: readonly StreamEvent[], origin: EventOrigin): Promise<readonly Accepted[]>;
  /** Whether what a sender signed once, `token`, is new, or came with the same `digest` before. Throws RequestError `storage`. */
  claim(token: string, digest: string): Promise<boolean>;
  /** Undefined where there has been no event. This and all that follow throw RequestError `storage`. */
  view(key: string): Promise<StreamView | undefined>;
  /** Empties the window; ids stay. Whether there has been an event. */
  forget(key: string): Promise<boolean>;
  /** What was said of an event; undefined where it is not known, or was not scored. */
  prediction(key: string, source: string, id: string): Promise<StoredPrediction | undefined>;
  /** Bodies of the Worker's own, by destination, by the outbox of this key; `atOnce`: whatever pause they are in. The deliveries' ids. */
  announce(key: string, bodies: Readonly<Record<string, string>>, atOnce?: boolean): Promise<readonly string[]>;
  /** All keys, with counts that may be some seconds old. Throws RequestError `parameter` for a cursor that is none, as below. */
  keys(limit: number, cursor?: string): Promise<Page<ListedKey>>;
  /** Of one key newest first; else key by key, each newest first. */
  deliveries(filter: DeliveryFilter & { readonly key?: string }, limit: number, cursor?: string): Promise<Page<ListedDelivery>>;
  /** Sends a delivery again, whatever became of it. Whether there is one of this id. */
  replay(id: string): Promise<boolean>;
  /** All deliveries of the filter, of one key, or of some keys at a time: how many, and the cursor to go on with. */
  replayAll(
    filter: ReplayFilter & { readonly key?: string },
    cursor?: string,
  ): Promise<{ readonly replayed: number; readonly cursor?: string }>;
  /** A delivery whole; undefined where there is none of this id. */
  delivery(id: string): Promise<Named<WholeDelivery> | undefined>;
  totals(): Promise<Totals>;
  /** The circuit breakers of these destinations, by name; none where the deployment has none. */
  breakers(destinations: readonly string[]): Promise<readonly DestinationView[]>;
  /** What came of a source's webhooks, to be counted. */
  hear(source: string, tally: SourceTally): Promise<void>;
  /** What is known of sources, by name. */
  sources(): Promise<readonly SourceView[]>;
  /** Wakes keys whose deliveries are overdue: how many. */
  sweep(): Promise<number>;
}
