// Takes what is due in a key's outbox to its destinations, some at once, until nothing is or its time is up.

import type { Ledger } from "../streams/event-log.ts";
import type { StreamSurroundings } from "../streams/stream.ts";
import { attemptDelivery } from "./delivery.ts";
import type { DueRow } from "./outbox.ts";
import { nextDelayMs } from "./schedule.ts";

/** Connections that wait for the head of an answer: the platform's limit. */
const DELIVERIES_AT_ONCE = 6;
/** An alarm may run for 15 minutes; it takes far less, and sets itself again. */
const ROUND_MS = 60_000;

export class Courier {
  private readonly world: StreamSurroundings;
  private readonly idOf: (ledger: Ledger, n: number) => string;
  /** Ends a wait for answers. */
  wake: () => void = () => {};

  constructor(world: StreamSurroundings, idOf: (ledger: Ledger, n: number) => string) {
    this.world = world;
    this.idOf = idOf;
  }

  async deliver(ledger: Ledger): Promise<void> {
    const until = this.world.now() + ROUND_MS;
    const running = new Map<number, Promise<void>>();
    for (;;) {
      const now = this.world.now();
      const room = DELIVERIES_AT_ONCE - running.size;
      const rows = room > 0 && now < until ? ledger.outbox.due(now, room, [...running.keys()]) : [];
      for (const row of rows)
        running.set(
          row.n,
          this.attempt(ledger, row).finally(() => running.delete(row.n)),
        );
      if (running.size === 0) return;
      const woken = new Promise<void>((done) => {
        this.wake = done;
      });
      await Promise.race([...running.values(), woken]);
    }
  }

  private async attempt(ledger: Ledger, row: DueRow): Promise<void> {
    const { endpoints, now, random, fetch, log } = this.world;
    const { destinations, settings } = endpoints;
    const id = this.idOf(ledger, row.n);
    const destination = destinations.get(row.destination);
    const attempt =
      destination === undefined
        ? { verdict: "retry" as const, diagnostics: `no destination ${row.destination} is configured` }
        : await attemptDelivery(destination, { id, body: row.body }, now, fetch);
    const retryAfterMs = "retryAfterMs" in attempt ? attempt.retryAfterMs : undefined;
    const delayMs = nextDelayMs({ attempts: row.attempts + 1, random: random(), retryAfterMs }, settings.scheduleS);
    const state = ledger.settle(row, destination?.url, attempt, now(), delayMs);
    if (state === "dead") log({ event: "delivery dead", key: ledger.facts.key, id, destination: row.destination });
  }
}
