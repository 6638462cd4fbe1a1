// Takes what is due in a key's outbox to its destinations, some at once, until nothing is or its time is up. A destination that fails is
// paused by itself and gets one slot (pauses.ts): the others go on as if it were not there.
import { type Attempt, attemptDelivery, DELIVERY_TIMEOUT_MS, type Fetch } from "./delivery.ts";
import type { Destination } from "./destinations.ts";
import type { DeliveryState, DueRow, Outcome } from "./outbox-rows.ts";
import { type PauseDependencies, Pauses } from "./pauses.ts";
import { nextDelayMs } from "./schedule.ts";

/** Connections that wait for the head of an answer: the platform's limit. */
const DELIVERIES_AT_ONCE = 6;
/** Of these, those of destinations whose last attempt failed, together. */
const FAILING_AT_ONCE = 3;
/** An alarm may run for 15 minutes; it takes far less, and sets itself again. */
const ROUND_MS = 60_000;

export interface DispatchDependencies extends PauseDependencies {
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly fetch: Fetch;
  /** In [0, 1). */
  readonly random: () => number;
}

/** The outbox of one key, as far as it is worked off. */
export interface DispatchQueue {
  readonly key: string;
  /** As Outbox.nextDueOfEach. */
  nextDueOfEach(now: number): ReadonlyMap<string, number>;
  /** As Outbox.failing. */
  failing(): readonly string[];
  /** As Outbox.due. */
  due(now: number, destination: string, limit: number, except: readonly number[]): readonly DueRow[];
  /** `webhook-id` of row `n`, or of the batch that it is the head of. */
  idOf(n: number): string;
  /** As Outbox.settle. */
  settle(row: DueRow, outcome: Outcome): DeliveryState;
}

/** One key's dispatcher: at most one `deliver` runs at a time. */
export class Dispatcher {
  readonly #dependencies: DispatchDependencies;
  /** Ends the wait for answers, so that `deliver` looks for what has become due. */
  wake: () => void = () => {};

  readonly pauses: Pauses;
  #isAwake = false;

  /** Rows that were sent, and what came of it could not be written: they are written down before anything else is sent, not sent again. */
  readonly #unsettled = new Map<number, () => void>();

  constructor(dependencies: DispatchDependencies) {
    this.#dependencies = dependencies;
    this.pauses = new Pauses(dependencies);
  }

  /**
   * Returns when nothing of `queue` may be tried now, or a minute is over, and every attempt has been settled. Throws what settling
   * threw, when no attempt runs any more; the next call settles first.
   */
  async deliver(queue: DispatchQueue): Promise<void> {
    for (const settle of this.#unsettled.values()) settle();
    if (!this.#isAwake) this.pauses.recall(queue.failing());
    this.#isAwake = true;
    const until = this.#dependencies.now() + ROUND_MS;
    const failures: unknown[] = [];
    const running = new Map<number, { readonly destination: string; readonly attempt: Promise<void> }>();
    for (;;) {
      for (const row of this.#chooseRows(
        queue,
        [...running.values()].map(({ destination }) => destination),
        [...running.keys()],
        until,
      )) {
        const attempt = this.#attempt(queue, row)
          .catch((error) => void failures.push(error))
          .finally(() => running.delete(row.n));
        running.set(row.n, { destination: row.destination, attempt });
      }
      if (running.size === 0) {
        if (failures.length > 0) throw failures[0];
        return;
      }
      const woken = new Promise<void>((done) => {
        this.wake = done;
      });
      await Promise.race([...[...running.values()].map(({ attempt }) => attempt), woken]);
    }
  }

  /**
   * The rows to try now. A healthy destination leaves a slot to each other one that has something due; an ordered one gets one slot; a
   * failing one, too, and none so late that its timeout would outlast the round, in which new events of the others wait. `busy`: the
   * destination of each attempt that runs, whose rows are `except`.
   */
  #chooseRows(queue: DispatchQueue, busy: readonly string[], except: readonly number[], until: number): DueRow[] {
    const now = this.#dependencies.now();
    let room = DELIVERIES_AT_ONCE - busy.length;
    if (room <= 0 || now >= until || this.#unsettled.size > 0) return [];
    const isDue = ([name, due]: readonly [string, number]): boolean => due <= now && this.pauses.until(name) <= now;
    const names = [...queue.nextDueOfEach(now)].filter(isDue).map(([name]) => name);
    const others = new Set([...names, ...busy]).size - 1;
    const isFailing = (name: string): boolean => this.pauses.isFailing(name);
    const runningOf = (name: string): number => busy.filter((other) => other === name).length;
    let failingRoom = now < until - DELIVERY_TIMEOUT_MS ? FAILING_AT_ONCE - busy.filter(isFailing).length : 0;
    const rows: DueRow[] = [];
    for (const name of names.sort((a, b) => Number(isFailing(a)) - Number(isFailing(b)) || runningOf(a) - runningOf(b))) {
      const failing = isFailing(name);
      const most = this.#dependencies.destinations.get(name)?.ordered ? 1 : Math.max(1, DELIVERIES_AT_ONCE - others);
      const slots = failing ? Math.min(1, runningOf(name) + Math.max(0, failingRoom)) : most;
      const limit = Math.min(room, slots - runningOf(name));
      if (limit <= 0) continue;
      const chosen = queue.due(now, name, limit, except);
      rows.push(...chosen);
      room -= chosen.length;
      if (failing) failingRoom -= chosen.length;
    }
    return rows;
  }

  async #attempt(queue: DispatchQueue, row: DueRow): Promise<void> {
    const { destinations, scheduleS, now, random, fetch, log } = this.#dependencies;
    const id = queue.idOf(row.n);
    const destination = destinations.get(row.destination);
    if (!(await this.pauses.admit(row.destination))) return; // the row stays as it is
    const started = now();
    const attempt: Attempt =
      destination === undefined
        ? { verdict: "retry", diagnostics: `no destination ${row.destination} is configured` }
        : await attemptDelivery(destination, { ...row, id, isBatch: row.rows !== null, hops: row.hops + 1 }, now, fetch);
    const delayMs = nextDelayMs({ attempts: row.attempts + 1, random: random(), retryAfterMs: attempt.retryAfterMs }, scheduleS);
    const settledAt = now();
    const spent = attempt.verdict !== "retry" || (await this.pauses.failed(row.destination, started));
    const settle = (): void => {
      const state = queue.settle(row, { url: destination?.address, attempt, spent, started, now: settledAt, nextDelayMs: delayMs });
      if (state === "dead") log({ event: "delivery dead", key: queue.key, id, destination: row.destination });
      this.#unsettled.delete(row.n);
    };
    this.#unsettled.set(row.n, settle);
    settle();
    if (attempt.verdict !== "retry") await this.pauses.succeeded(row.destination);
  }
}
