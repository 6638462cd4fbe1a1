// The object of one key. An event is stored, scored and put into the outbox in one transaction, and answered after it; a known one is
// answered as before. Its alarm delivers. It may die at any moment, and takes up where its storage stands. Events, deliveries and reports
// to the directory decide together what there is to do next and whether the object may be deleted: hence one class.
import { ArtifactError } from "../../shared/errors.ts";
import type { Recipe } from "../../shared/recipe/recipe.ts";
import type { Breaker } from "../deliveries/breaker.ts";
import type { Fetch } from "../deliveries/delivery.ts";
import { Dispatcher, type DispatchQueue } from "../deliveries/dispatcher.ts";
import type { Delivery, DeliveryFilter, DeliveryState, ReplayFilter, WholeDelivery } from "../deliveries/outbox-rows.ts";
import { RequestError } from "../http/problem.ts";
import type { ModelRequest, Models, ServedModel } from "../models/models.ts";
import { type Ready, schemaOf } from "../models/servable-model.ts";
import type { StreamEvent } from "../webhooks/event.ts";
import { CLOCK_SKEW_MS, Refusal, takeEvents } from "./acceptance.ts";
import type { Directory } from "./directory.ts";
import type { Endpoints } from "./endpoints.ts";
import { EventLog } from "./event-log.ts";
import { ObjectAlarm } from "./object-alarm.ts";
import { postBody } from "./posting.ts";
import type { ObjectContext } from "./storage.ts";
import type { Acceptance, ListedDelivery, Named, Origin, StoredPrediction, StreamObject, StreamView } from "./stream-object.ts";
import { isDisposable, nextAlarmAt, PURGE_MS, REPORT_MS } from "./stream-schedule.ts";

/** What all objects of a Worker are given. */
export interface StreamDependencies {
  readonly models: Models;
  readonly endpoints: Endpoints;
  /** The shard that knows `key`. */
  readonly directoryOf: (key: string) => Directory;
  /** The circuit breaker of a destination; undefined where the deployment binds none. */
  readonly breakerOf: (destination: string) => Breaker | undefined;
  readonly fetch: Fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Hears of each attempt to deliver, and what it left the delivery as. */
  readonly onSettled?: (destination: string, state: DeliveryState) => void;
  readonly log: (record: Readonly<Record<string, unknown>>) => void;
}

const NO_DELIVERIES = { pending: 0, delivered: 0, dead: 0, dropped: 0 };

/** The object of one key, as `context` gives it its storage and its alarm. */
export class Stream implements StreamObject {
  readonly #context: ObjectContext;
  readonly #dependencies: StreamDependencies;
  /** Of the model that was last chosen, which is not held: it may be swapped out; undefined: none is usable. */
  #recipe: Recipe | undefined;
  readonly #dispatcher: Dispatcher;
  /** Undefined until the first event. */
  #eventLog: EventLog | undefined;
  readonly #ring: ObjectAlarm;
  /** How often the object came to have nothing left. */
  #emptied = 0;
  /** When ids may be forgotten; undefined: not looked yet. */
  #purgeAt: number | undefined;

  constructor(context: ObjectContext, dependencies: StreamDependencies) {
    const { models, endpoints } = dependencies;
    this.#context = context;
    this.#dependencies = dependencies;
    const { destinations, settings } = endpoints;
    this.#dispatcher = new Dispatcher({ ...dependencies, destinations, scheduleS: settings.scheduleS });
    this.#eventLog = EventLog.open(context.storage, destinations);
    const standing = models.standing();
    if (!("unready" in standing) && (this.#eventLog?.facts.model ?? null) === null) this.#use(standing);
    this.#ring = new ObjectAlarm({
      storage: context.storage,
      now: dependencies.now,
      nextAt: () => this.#eventLog && nextAlarmAt(this.#eventLog, settings, dependencies.now(), this.#purgeAt, this.#pausedUntil),
      wake: () => this.#dispatcher.wake(),
      log: (event, error) => dependencies.log({ event, key: this.#eventLog?.facts.key, error: String(error) }),
    });
  }

  async accept(key: string, events: readonly StreamEvent[], origin: Origin): Promise<Acceptance> {
    const { now, endpoints } = this.#dependencies;
    const served = await this.#choose({ name: origin.model, pin: origin.pin, key }, origin.schema); // may read it: before the transaction
    if ("unready" in served) return served;
    const scorer = { ready: served, model: served.id, schema: schemaOf(served.model.recipe) };
    const isPosted = origin.destinations.length > 0;
    while (!this.#eventLog?.facts.reported || (isPosted && this.#eventLog.facts.due === null))
      if (!(await this.#registerKey(key, isPosted))) return { maxKeys: endpoints.settings.keys };
    const eventLog = this.#eventLog;
    this.#use(served);
    // From here no await until all is written and the alarm is set: the platform makes one commit of it, and holds the answer back.
    try {
      const take = () => takeEvents(eventLog, events, origin, scorer, this.#dependencies);
      const answers = this.#context.storage.transactionSync(take);
      if (!this.#ring.isArmed(isPosted ? now() : eventLog.arrived + endpoints.settings.idleTtlMs)) this.#ring.arm();
      return { answers, sha256: served.sha256 };
    } catch (error) {
      eventLog.read();
      if (error instanceof Refusal) return error.acceptance;
      throw error;
    }
  }

  /** The model of this key's events, or why there is none. Where it is none of `schema`, which the events were read for, it is looked for again. */
  async #choose(request: ModelRequest, schema?: string): Promise<ServedModel | Extract<Acceptance, { unready: string }>> {
    const { models } = this.#dependencies;
    try {
      const served = await models.choose(request);
      if (schema === undefined || schemaOf(served.model.recipe) === schema) return served;
      return await models.choose({ ...request, isLatest: true });
    } catch (error) {
      if (error instanceof ArtifactError) return { unready: error.message };
      if (error instanceof RequestError) return { unready: error.message, isPin: error.kind === "model" };
      throw error;
    }
  }

  #use({ model: { recipe } }: Ready): void {
    this.#recipe = recipe;
    this.#eventLog?.use(recipe);
  }

  /** The name of the key's model; undefined: the default one. */
  get #modelName(): string | undefined {
    return this.#eventLog?.facts.model ?? undefined;
  }

  /** Chooses the model again, and looks at the key's window as that one does: another one may stand there since the object woke. */
  async #update(): Promise<void> {
    const served = await this.#choose({ name: this.#modelName, key: this.#eventLog?.facts.key });
    if (!("unready" in served)) this.#use(served);
  }

  /** Whether it is certain how long a window is: else nothing of it may go. */
  get #knowsModel(): boolean {
    return this.#recipe !== undefined && this.#dependencies.models.faultOf(this.#modelName) === undefined;
  }

  /** The directory learns that this key is, and whether something may be due, before an event of it is acknowledged. False where it has
   * no room for a new one. */
  async #registerKey(key: string, isPosted: boolean): Promise<boolean> {
    const emptied = this.#emptied;
    const now = this.#dependencies.now();
    const counts = this.#eventLog?.counts() ?? NO_DELIVERIES;
    const version = Math.max(now, (this.#eventLog?.facts.version ?? 0) + 1);
    const due = isPosted ? now : null;
    const { keys } = this.#dependencies.endpoints.settings;
    if ((await this.#dependencies.directoryOf(key).report(key, { version, due, ...counts }, keys)) === false) return false;
    // Meanwhile the directory may have heard otherwise, or that the key is forgotten: then the facts decide whether to report again.
    if (emptied !== this.#emptied || (this.#eventLog?.facts.version ?? 0) >= version) return true;
    const report = { version, due, reported: JSON.stringify(counts), reportedAt: now };
    const { destinations } = this.#dependencies.endpoints;
    if (this.#eventLog === undefined) this.#eventLog = EventLog.create(this.#context.storage, this.#recipe, destinations, key, report);
    else this.#eventLog.change(report);
    return true;
  }

  /** Delivers what is due, forgets what is old, reports to the directory. Never throws, and sets itself again. */
  alarm(): Promise<void> {
    return this.#ring.run(async () => {
      if (this.#eventLog === undefined) return;
      await this.#update();
      if (this.#dependencies.endpoints.unusable === undefined) await this.#dispatcher.deliver(this.#queueOf(this.#eventLog));
      else this.#ring.putOff(); // no attempt is spent on a mistake in the configuration
      await this.#tidy(this.#eventLog);
    });
  }

  #queueOf(eventLog: EventLog): DispatchQueue {
    return {
      key: eventLog.facts.key,
      nextDueOfEach: (now) => eventLog.outbox.nextDueOfEach(now),
      due: (now, destination, limit, except) => eventLog.outbox.due(now, destination, limit, except, this.#idOf(eventLog, "")),
      idOf: (n) => this.#idOf(eventLog, n),
      failing: () => eventLog.outbox.failing(),
      settle: (row, outcome) => {
        const state = eventLog.settle(row, outcome);
        this.#dependencies.onSettled?.(row.destination, state);
        return state;
      },
    };
  }

  readonly #pausedUntil = (destination: string): number => this.#dispatcher.pauses.until(destination);

  async #tidy(eventLog: EventLog): Promise<void> {
    const { now, endpoints, log } = this.#dependencies;
    const { idleTtlMs, idsMs, undeliveredMs } = endpoints.settings;
    let expired = 0;
    this.#context.storage.transactionSync(() => {
      eventLog.outbox.prune(now() - idsMs);
      expired = eventLog.expire(now() - undeliveredMs);
      if (expired > 0) log({ event: "deliveries expired", key: eventLog.facts.key, expired });
      if (this.#knowsModel && now() - eventLog.arrived > idleTtlMs) eventLog.forgetWindow();
      if (this.#purgeAt !== undefined && now() < this.#purgeAt) return;
      const oldest = this.#knowsModel ? eventLog.purge(now() - idsMs) : undefined;
      this.#purgeAt = Math.max((oldest ?? 0) + idsMs, now()) + PURGE_MS;
    });
    if (expired > 0) await this.#report(eventLog); // before the object may be deleted
    if (this.#isEmpty()) await this.#deleteIfEmpty(eventLog.facts.key);
    else if (now() >= eventLog.facts.reportedAt + REPORT_MS) await this.#report(eventLog);
  }

  #isEmpty(): boolean {
    if (this.#eventLog === undefined) return true;
    const { now, endpoints } = this.#dependencies;
    return this.#knowsModel && isDisposable(this.#eventLog, endpoints.settings, now());
  }

  /** Reports to the directory how things stand, if it does not know. */
  async #report(eventLog: EventLog): Promise<void> {
    const { key, version: last, reported, due: knownDue } = eventLog.facts;
    const counts = eventLog.counts();
    const text = JSON.stringify(counts);
    const due = eventLog.outbox.nextDue(this.#dependencies.now(), this.#pausedUntil) ?? null;
    if (text === reported && due === knownDue) return;
    const version = Math.max(this.#dependencies.now(), last + 1);
    // Before the directory hears that nothing is due, this object knows that it may believe so: whoever comes meanwhile reports again.
    eventLog.change({ version, due });
    await this.#dependencies.directoryOf(key).report(key, { version, due, ...counts }, this.#dependencies.endpoints.settings.keys);
    eventLog.change({ reported: text, reportedAt: this.#dependencies.now() });
  }

  /** An object with nothing left takes no room, and the directory forgets it. Throws nothing: that would reset the object. */
  async #deleteIfEmpty(key: string): Promise<void> {
    await this.#context.blockConcurrencyWhile(async () => {
      if (!this.#isEmpty()) return;
      const version = Math.max(this.#dependencies.now(), (this.#eventLog?.facts.version ?? 0) + 1);
      this.#emptied++;
      // If this is cut off in between, the next event or delivery reports to the directory again.
      this.#eventLog?.change({ version, due: null, reported: "" });
      try {
        await this.#dependencies.directoryOf(key).forget(key, version);
        await this.#context.storage.deleteAlarm();
        await this.#context.storage.deleteAll();
        this.#eventLog = undefined;
      } catch (error) {
        this.#dependencies.log({ event: "stream not forgotten", key, error: String(error) });
      }
    });
  }

  async view(): Promise<StreamView | null> {
    if (this.#eventLog === undefined) return null;
    await this.#update();
    const eventLog = this.#eventLog;
    if (eventLog === undefined || eventLog.seq === 0) return null;
    const { idleTtlMs, futureMs } = this.#dependencies.endpoints.settings;
    const now = Math.max(this.#dependencies.now(), eventLog.arrived);
    const window = now - eventLog.arrived > idleTtlMs ? [] : eventLog.windowUntil(now + futureMs + CLOCK_SKEW_MS);
    const { facts, seq, timesteps, remembered } = eventLog;
    const expires = window.length > 0 ? eventLog.arrived + idleTtlMs : null;
    const deliveries = eventLog.counts();
    return { key: facts.key, seq, filled: window.length, timesteps, window, expires, remembered, owner: facts.owner, deliveries };
  }

  async forget(): Promise<boolean> {
    this.#eventLog?.forgetWindow();
    this.#eventLog?.change({ owner: null });
    return this.#eventLog !== undefined && this.#eventLog.seq > 0;
  }

  async list(filter: DeliveryFilter, before: number, limit: number): Promise<readonly ListedDelivery[]> {
    const eventLog = this.#eventLog;
    if (eventLog === undefined) return [];
    return eventLog.outbox.list(filter, before, limit).map((row) => this.#nameRow(eventLog, row));
  }

  #nameRow<Row extends Delivery>(eventLog: EventLog, row: Row): Named<Row> {
    const due = row.due === null ? null : Math.max(row.due, this.#pausedUntil(row.destination));
    const batch = row.batch === null ? null : this.#idOf(eventLog, row.batch);
    return { ...row, due, id: this.#idOf(eventLog, row.n), key: eventLog.facts.key, batch };
  }

  async delivery(generation: string, n: number): Promise<Named<WholeDelivery> | null> {
    const eventLog = this.#eventLog;
    const row = eventLog?.facts.generation === generation ? eventLog.outbox.find(n) : undefined;
    return row === undefined ? null : this.#nameRow(eventLog!, row);
  }

  async replay(generation: string, n: number): Promise<boolean> {
    const eventLog = await this.#mayBeDue();
    if (eventLog?.facts.generation !== generation) return false;
    const destination = this.#context.storage.transactionSync(() => eventLog.outbox.replay(n, this.#dependencies.now()));
    if (destination === undefined) return false;
    this.#dispatcher.pauses.clear(destination);
    this.#ring.arm();
    return true;
  }

  async replayAll(filter: ReplayFilter): Promise<number> {
    this.#dispatcher.pauses.clear(filter.destination); // what is pending is tried as soon as its row is due
    const hasAny = this.#eventLog?.outbox.hasAny(filter) ?? false; // else the directory needs no report
    const eventLog = hasAny ? await this.#mayBeDue() : undefined;
    const count = eventLog && this.#context.storage.transactionSync(() => eventLog.outbox.replayAll(filter, this.#dependencies.now()));
    this.#ring.arm();
    return count ?? 0;
  }

  /** As for an event: the directory knows first. */
  async #mayBeDue(): Promise<EventLog | undefined> {
    while (this.#eventLog !== undefined && this.#eventLog.facts.due === null)
      if (!(await this.#registerKey(this.#eventLog.facts.key, true))) throw new Error("the directory has no room for the key");
    return this.#eventLog;
  }

  async prediction(source: string, id: string): Promise<StoredPrediction | null> {
    return this.#eventLog?.predictionOf(source, id) ?? null;
  }

  async announce(key: string, bodies: Readonly<Record<string, string>>, atOnce = false): Promise<readonly string[]> {
    while (!this.#eventLog?.facts.reported || this.#eventLog.facts.due === null)
      if (!(await this.#registerKey(key, true))) throw new Error("the directory has no room for the key");
    const eventLog = this.#eventLog;
    const now = this.#dependencies.now();
    const destinations = Object.keys(bodies);
    const rows = this.#context.storage.transactionSync(() => {
      const added = postBody(eventLog, (name) => bodies[name], { destinations }, now, this.#dependencies);
      if (atOnce) for (const n of added) eventLog.outbox.replay(n, now); // it waits for no batch
      return added;
    });
    if (atOnce) for (const name of destinations) this.#dispatcher.pauses.clear(name);
    this.#ring.arm();
    return rows.map((n) => this.#idOf(eventLog, n));
  }

  async rearmAlarm(key: string): Promise<void> {
    if (this.#eventLog === undefined) return this.#deleteIfEmpty(key);
    this.#ring.rearm();
    await this.#report(this.#eventLog);
  }

  #idOf({ facts }: EventLog, n: number | ""): string {
    return `msg_${this.#context.id}_${facts.generation}_${n}`;
  }
}
