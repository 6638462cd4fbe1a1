// The object of one key. An event is stored, scored and put into the outbox in one transaction, and answered after it; a known one is
// answered as before. Its alarm delivers. It may die at any moment, and takes up where its storage stands. Longer than most files: events,
// alarm and what the directory is told decide together whether the alarm is set and whether the object may vanish.
import { modelId } from "../../shared/model.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import type { Endpoints } from "../config/endpoints.ts";
import type { Fetch } from "../deliveries/delivery.ts";
import { Courier } from "../deliveries/dispatcher.ts";
import { nextDelayMs } from "../deliveries/schedule.ts";
import type { Deployment, Ready } from "../models/servable-model.ts";
import type { DeliveryCounts, Directory } from "./directory.ts";
import type { StreamEvent } from "./event.ts";
import { Ledger } from "./event-log.ts";
import type { ObjectContext } from "./storage.ts";
import type { Origin } from "./store.ts";
import type { Acceptance, DeliveryFilter, ListedDelivery, StreamObject, StreamView } from "./stream-object.ts";

/** What all objects of a Worker are given. */
export interface StreamSurroundings {
  readonly deployment: Deployment;
  readonly endpoints: Endpoints;
  /** The shard that knows `key`. */
  readonly directoryOf: (key: string) => Directory;
  readonly fetch: Fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: (record: Readonly<Record<string, unknown>>) => void;
}

/** The directory hears of counts at most this often. */
const REPORT_MS = 10_000;
/** An alarm whose storage or directory failed is not run again before. */
const FAILED_MS = 5000;
const UNUSABLE_MS = 60_000;
/** Between two looks for ids that may be forgotten. */
const PURGE_MS = 3_600_000;

class Conflict extends Error {
  readonly index: number;
  constructor(index: number) {
    super(`event ${index}`);
    this.index = index;
  }
}

export class Stream implements StreamObject {
  private readonly context: ObjectContext;
  private readonly world: StreamSurroundings;
  private readonly ready: Ready | undefined;
  private readonly courier: Courier;
  /** Undefined until the first event. */
  private ledger: Ledger | undefined;
  /** The alarm that was set since the object woke or the last one ran; undefined: unknown. */
  private armed: number | undefined;
  private isAlarmRunning = false;
  /** After an alarm that failed, the next one waits. */
  private notBefore = 0;
  /** How often the object came to have nothing left. */
  private emptied = 0;
  /** When ids may be forgotten; undefined: not looked yet. */
  private purgeAt: number | undefined;

  constructor(context: ObjectContext, world: StreamSurroundings) {
    this.context = context;
    this.world = world;
    this.ready = "unready" in world.deployment ? undefined : world.deployment;
    this.courier = new Courier(world, (ledger, n) => this.idOf(ledger, n));
    this.ledger = Ledger.open(context.storage, this.ready);
  }

  async accept(key: string, events: readonly StreamEvent[], origin: Origin): Promise<Acceptance> {
    const { deployment } = this.world;
    if ("unready" in deployment) return { unready: deployment.unready };
    const scorer = { ready: deployment, model: modelId(deployment.model, await deployment.sha256()) };
    const isPosted = origin.destinations.length > 0;
    while (!this.ledger?.facts.reported || (isPosted && this.ledger.facts.due === null)) await this.introduce(key, isPosted);
    const ledger = this.ledger;
    // From here no await until all is written and the alarm is set: the platform makes one commit of it, and holds the answer back.
    const take = (event: StreamEvent, index: number) => {
      const known = ledger.find(origin.source, event.id);
      if (known === undefined) {
        const now = Math.max(this.world.now(), ledger.arrived); // the order of arrival survives a clock that was set back
        if (now - ledger.arrived > this.world.endpoints.settings.quietMs) ledger.forgetWindow();
        const { answer, scored } = ledger.add(scorer, origin.source, event, now);
        if (scored) this.post(ledger, answer, origin.destinations, now);
        return { answer, replayed: false };
      }
      if (known.digest !== event.digest) throw new Conflict(index);
      return { answer: known.answer, replayed: true };
    };
    try {
      const answers = this.context.storage.transactionSync(() => events.map(take));
      if (!this.isArmed(isPosted ? this.world.now() : ledger.arrived + this.world.endpoints.settings.quietMs)) this.arm();
      return { answers };
    } catch (error) {
      ledger.read();
      if (error instanceof Conflict) return { conflict: error.index };
      throw error;
    }
  }

  /** The directory learns that this key is, and whether something may be due, before an event of it is acknowledged. */
  private async introduce(key: string, isPosted: boolean): Promise<void> {
    const { emptied } = this;
    const now = this.world.now();
    const counts = this.counts();
    const version = Math.max(now, (this.ledger?.facts.version ?? 0) + 1);
    const due = isPosted ? now : null;
    await this.world.directoryOf(key).report(key, { version, due, ...counts });
    // Meanwhile it may have been told otherwise, or to forget: then what it knows now decides whether to tell it again.
    if (emptied !== this.emptied || (this.ledger?.facts.version ?? 0) >= version) return;
    const told = { version, due, reported: JSON.stringify(counts), reportedAt: now };
    if (this.ledger === undefined) this.ledger = Ledger.create(this.context.storage, this.ready, key, told);
    else this.ledger.change(told);
  }

  private counts(): DeliveryCounts {
    if (this.ledger === undefined) return { pending: 0, delivered: 0, dead: 0, dropped: 0 };
    const { outbox, facts } = this.ledger;
    return { ...outbox.counts(), delivered: facts.delivered, dropped: facts.dropped };
  }

  /** An outbox row for each destination. */
  private post(ledger: Ledger, answer: string, destinations: readonly string[], now: number): void {
    if (destinations.length === 0) return;
    const { endpoints, random } = this.world;
    const { settings, destinations: known } = endpoints;
    const body = `{"type":"prediction.created","timestamp":"${new Date(now).toISOString()}","data":${answer}}`;
    for (const name of destinations) {
      const due = now + nextDelayMs({ attempts: 0, random: random() }, settings.scheduleS)!;
      ledger.outbox.add(ledger.seq, name, known.get(name)?.url, body, now, due);
    }
    const dropped = ledger.outbox.trim(settings.outboxRows);
    if (dropped === 0) return;
    ledger.change({ dropped: ledger.facts.dropped + dropped });
    this.world.log({ event: "deliveries dropped", key: ledger.facts.key, dropped, limit: settings.outboxRows });
  }

  /** Whether an alarm will come by `time`: one is set, or runs, and then looks for what is new and sets the next. */
  private isArmed(time: number): boolean {
    if (this.isAlarmRunning) this.courier.wake();
    return this.isAlarmRunning || (this.armed !== undefined && this.armed <= time);
  }

  /** Sets the alarm to when there is something to do. An alarm that is cut off is run again by the platform. */
  private arm(): void {
    if (this.ledger === undefined) return;
    const next = this.nextAlarm(this.ledger);
    if (this.isArmed(next)) return;
    this.armed = next;
    this.context.storage.setAlarm(next).catch(() => {
      this.armed = undefined; // the platform resets an object whose storage fails, and its memory with it
    });
  }

  private nextAlarm({ outbox, window, arrived, facts }: Ledger): number {
    const { quietMs, idsMs } = this.world.endpoints.settings;
    const expiry = window.length > 0 ? arrived + quietMs + 1 : Number.POSITIVE_INFINITY;
    const due = outbox.nextDue();
    const isTold = facts.reported === JSON.stringify(this.counts()) && (due !== undefined || facts.due === null);
    const report = isTold ? Number.POSITIVE_INFINITY : facts.reportedAt + REPORT_MS;
    const purge = this.purgeAt ?? arrived + idsMs + PURGE_MS;
    return Math.max(Math.min(due ?? Number.POSITIVE_INFINITY, expiry, report, purge), this.notBefore);
  }

  /** Delivers what is due, forgets what is old, tells the directory. Never throws, and sets itself again. */
  async alarm(): Promise<void> {
    this.isAlarmRunning = true;
    try {
      if (this.ledger !== undefined) {
        const { unusable } = this.world.endpoints;
        if (unusable === undefined) await this.courier.deliver(this.ledger);
        else this.notBefore = this.world.now() + UNUSABLE_MS; // no attempt is spent on a mistake in the configuration
        await this.tidy(this.ledger);
      }
    } catch (error) {
      this.notBefore = this.world.now() + FAILED_MS;
      this.world.log({ event: "alarm failed", key: this.ledger?.facts.key, error: String(error) });
    } finally {
      this.isAlarmRunning = false;
      this.armed = undefined;
      try {
        this.arm();
      } catch (error) {
        this.world.log({ event: "alarm not set", key: this.ledger?.facts.key, error: String(error) }); // the sweep finds it
      }
    }
  }

  private async tidy(ledger: Ledger): Promise<void> {
    const { now, endpoints } = this.world;
    const { quietMs, idsMs } = endpoints.settings;
    this.context.storage.transactionSync(() => {
      ledger.outbox.prune(now() - idsMs);
      // without a model nobody knows how long a window is: nothing of it may go
      if (this.ready !== undefined && now() - ledger.arrived > quietMs) ledger.forgetWindow();
      if (this.purgeAt !== undefined && now() < this.purgeAt) return;
      const oldest = this.ready === undefined ? undefined : ledger.purge(now() - idsMs);
      this.purgeAt = Math.max((oldest ?? 0) + idsMs, now()) + PURGE_MS;
    });
    if (this.isEmpty()) await this.vanish(ledger.facts.key);
    else if (now() >= ledger.facts.reportedAt + REPORT_MS) await this.report(ledger);
  }

  /** Whether nothing that the object holds is of use any more. */
  private isEmpty(): boolean {
    if (this.ledger === undefined) return true;
    const { window, outbox, arrived } = this.ledger;
    return (
      this.ready !== undefined && window.length === 0 && outbox.isEmpty && this.world.now() - arrived > this.world.endpoints.settings.idsMs
    );
  }

  /** Tells the directory how things stand, if it does not know. */
  private async report(ledger: Ledger): Promise<void> {
    const { key, version: last, reported, due: knownDue } = ledger.facts;
    const counts = this.counts();
    const text = JSON.stringify(counts);
    const due = ledger.outbox.nextDue() ?? null;
    if (text === reported && due === knownDue) return;
    const version = Math.max(this.world.now(), last + 1);
    // Before the directory hears that nothing is due, this object knows that it may believe so: whoever comes meanwhile tells it again.
    ledger.change({ version, due });
    await this.world.directoryOf(key).report(key, { version, due, ...counts });
    ledger.change({ reported: text, reportedAt: this.world.now() });
  }

  /** An object with nothing left takes no room, and the directory forgets it. Throws nothing: that would reset the object. */
  private async vanish(key: string): Promise<void> {
    await this.context.blockConcurrencyWhile(async () => {
      if (!this.isEmpty()) return;
      const version = Math.max(this.world.now(), (this.ledger?.facts.version ?? 0) + 1);
      this.emptied++;
      // If this is cut off in between, the next event or delivery tells the directory again.
      this.ledger?.change({ version, due: null, reported: "" });
      try {
        await this.world.directoryOf(key).forget(key, version);
        await this.context.storage.deleteAlarm();
        await this.context.storage.deleteAll();
        this.ledger = undefined;
      } catch (error) {
        this.world.log({ event: "stream not forgotten", key, error: String(error) });
      }
    });
  }

  async view(): Promise<StreamView | null> {
    const { ledger } = this;
    if (ledger === undefined || ledger.seq === 0) return null;
    const { quietMs } = this.world.endpoints.settings;
    const window = this.world.now() - ledger.arrived > quietMs ? [] : ledger.window;
    const { key } = ledger.facts;
    const timesteps = this.ready === undefined ? 0 : shapeOf(this.ready.model.recipe).timesteps;
    const expires = window.length > 0 ? ledger.arrived + quietMs : null;
    return { key, seq: ledger.seq, filled: window.length, timesteps, window, expires, deliveries: this.counts() };
  }

  async forget(): Promise<boolean> {
    this.ledger?.forgetWindow();
    return this.ledger !== undefined && this.ledger.seq > 0;
  }

  async list(filter: DeliveryFilter, before: number, limit: number): Promise<readonly ListedDelivery[]> {
    const { ledger } = this;
    if (ledger === undefined) return [];
    return ledger.outbox.list(filter, before, limit).map((row) => ({ ...row, id: this.idOf(ledger, row.n), key: ledger.facts.key }));
  }

  async replay(incarnation: string, n: number): Promise<boolean> {
    const ledger = await this.mayBeDue();
    if (ledger?.facts.incarnation !== incarnation) return false;
    const isThere = this.context.storage.transactionSync(() => ledger.outbox.replay(n, this.world.now()));
    this.arm();
    return isThere;
  }

  async replayDead(destination: string): Promise<number> {
    if (!this.ledger?.outbox.hasDead(destination)) return 0; // and nobody needs to be told
    const ledger = await this.mayBeDue();
    if (ledger === undefined) return 0;
    const count = this.context.storage.transactionSync(() => ledger.outbox.replayDead(destination, this.world.now()));
    this.arm();
    return count;
  }

  /** As for an event: the directory knows first. */
  private async mayBeDue(): Promise<Ledger | undefined> {
    while (this.ledger !== undefined && this.ledger.facts.due === null) await this.introduce(this.ledger.facts.key, true);
    return this.ledger;
  }

  async touch(key: string): Promise<void> {
    if (this.ledger === undefined) return this.vanish(key);
    this.armed = undefined;
    this.arm();
    await this.report(this.ledger);
  }

  private idOf({ facts }: Ledger, n: number): string {
    return `msg_${this.context.id}_${facts.incarnation}_${n}`;
  }
}
