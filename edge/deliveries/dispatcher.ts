// Takes what is due in a key's outbox to its destinations, some at once, until nothing is or its time is up.
import { type Attempt, attemptDelivery, type Fetch } from "./delivery.ts";
import type { Destination } from "./destinations.ts";
import type { DeliveryState, DueRow } from "./outbox.ts";
import { nextDelayMs } from "./schedule.ts";

/** Connections that wait for the head of an answer: the platform's limit. */
const DELIVERIES_AT_ONCE = 6;
/** An alarm may run for 15 minutes; it takes far less, and sets itself again. */
const ROUND_MS = 60_000;

export interface DispatchDependencies {
  readonly destinations: ReadonlyMap<string, Destination>;
  /** Seconds before each attempt. */
  readonly scheduleS: readonly number[];
  readonly fetch: Fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: (record: Readonly<Record<string, unknown>>) => void;
}

/** The outbox of one key, as far as it is worked off. */
export interface DispatchQueue {
  readonly key: string;
  /** As Outbox.due. */
  due(now: number, limit: number, except: readonly number[]): readonly DueRow[];
  /** `webhook-id` of row `n`. */
  idOf(n: number): string;
  /** As Outbox.settle. */
  settle(row: DueRow, url: string | undefined, attempt: Attempt, now: number, nextDelayMs: number | undefined): DeliveryState;
}

/** One key's dispatcher: at most one `deliver` runs at a time. */
export class Dispatcher {
  private readonly dependencies: DispatchDependencies;
  /** Ends the wait for answers, so that `deliver` looks for what has become due. */
  wake: () => void = () => {};

  constructor(dependencies: DispatchDependencies) {
    this.dependencies = dependencies;
  }

  /** Returns when nothing of `queue` is due, or a minute is over, and every attempt has been settled. */
  async deliver(queue: DispatchQueue): Promise<void> {
    const until = this.dependencies.now() + ROUND_MS;
    const running = new Map<number, Promise<void>>();
    for (;;) {
      const now = this.dependencies.now();
      const room = DELIVERIES_AT_ONCE - running.size;
      const rows = room > 0 && now < until ? queue.due(now, room, [...running.keys()]) : [];
      for (const row of rows)
        running.set(
          row.n,
          this.attempt(queue, row).finally(() => running.delete(row.n)),
        );
      if (running.size === 0) return;
      const woken = new Promise<void>((done) => {
        this.wake = done;
      });
      await Promise.race([...running.values(), woken]);
    }
  }

  private async attempt(queue: DispatchQueue, row: DueRow): Promise<void> {
    const { destinations, scheduleS, now, random, fetch, log } = this.dependencies;
    const id = queue.idOf(row.n);
    const destination = destinations.get(row.destination);
    const attempt =
      destination === undefined
        ? { verdict: "retry" as const, diagnostics: `no destination ${row.destination} is configured` }
        : await attemptDelivery(destination, { id, body: row.body }, now, fetch);
    const retryAfterMs = "retryAfterMs" in attempt ? attempt.retryAfterMs : undefined;
    const delayMs = nextDelayMs({ attempts: row.attempts + 1, random: random(), retryAfterMs }, scheduleS);
    const state = queue.settle(row, destination?.url, attempt, now(), delayMs);
    if (state === "dead") log({ event: "delivery dead", key: queue.key, id, destination: row.destination });
  }
}
