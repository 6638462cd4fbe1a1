// Which destinations one key leaves alone, and until when: after failures of its own, and while the destination's circuit breaker is open
// to all keys. Memory alone: a key that wakes knows from its rows which destinations had failed, and asks.
import type { Breaker } from "./breaker.ts";

/** A destination is left alone by this key for so long after its first failure, its second, …, and never for longer than the schedule
 * waits before that retry; the last number is for all further. */
const PAUSES_MS = [5000, 10_000, 20_000, 40_000, 60_000];

export interface PauseDependencies {
  /** The breaker of a destination; undefined where the deployment has none. */
  readonly breakerOf: (destination: string) => Breaker | undefined;
  /** Seconds before each attempt. */
  readonly scheduleS: readonly number[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: (record: Readonly<Record<string, unknown>>) => void;
}

/** The pauses of one key. */
export class Pauses {
  readonly #dependencies: PauseDependencies;
  /** By destination, since its last success: how often it failed, and when last. */
  readonly #failures = new Map<string, { readonly count: number; readonly at: number }>();
  /** By destination, when its breaker was asked, and when it may be asked again. */
  readonly #open = new Map<string, { readonly at: number; readonly askAt: number }>();

  constructor(dependencies: PauseDependencies) {
    this.#dependencies = dependencies;
  }

  isFailing(destination: string): boolean {
    return this.#failures.has(destination);
  }

  /** When this key may try `destination` again, in milliseconds since 1970; 0 where it is not paused. */
  until(destination: string): number {
    const { scheduleS, now } = this.#dependencies;
    // what lies ahead of the clock was before the clock was set back
    const opened = this.#open.get(destination);
    const askAt = opened === undefined || opened.at > now() ? 0 : opened.askAt;
    const failed = this.#failures.get(destination);
    if (failed === undefined || failed.at > now()) return askAt;
    const scheduledMs = 1000 * scheduleS[Math.min(failed.count, scheduleS.length - 1)];
    return Math.max(askAt, failed.at + Math.min(PAUSES_MS[Math.min(failed.count, PAUSES_MS.length) - 1], scheduledMs));
  }

  /** These had failed when the key was awake before. */
  recall(destinations: readonly string[]): void {
    for (const name of destinations) if (!this.#failures.has(name)) this.#failures.set(name, { count: 1, at: 0 });
  }

  /** Whoever replays wants to see it tried. */
  clear(destination: string): void {
    this.#failures.delete(destination);
    this.#open.delete(destination);
  }

  /** Whether an attempt may be made now: a destination that this key saw fail is asked for at its breaker. A breaker that does not answer
   * stops nobody. */
  async admit(destination: string): Promise<boolean> {
    const admission = this.isFailing(destination) ? await this.#ask(destination, (breaker) => breaker.ask()) : undefined;
    this.#open.delete(destination);
    if (admission?.verdict !== "open") return true;
    this.#putOff(destination, admission.waitMs);
    return false;
  }

  /** An attempt that began at `started` failed; those that ran beside each other fail once. Returns whether it spends one of the row's:
   * what fails while the breaker is open does not. */
  async failed(destination: string, started: number): Promise<boolean> {
    const { now, log } = this.#dependencies;
    const failed = this.#failures.get(destination);
    if (failed === undefined || failed.at < started) this.#failures.set(destination, { count: (failed?.count ?? 0) + 1, at: now() });
    const failure = await this.#ask(destination, (breaker) => breaker.failed());
    if (failure === undefined || failure.waitMs === null) return true;
    this.#putOff(destination, failure.waitMs);
    if (!failure.wasOpen) log({ event: "destination paused", destination });
    return !failure.wasOpen;
  }

  /** An attempt succeeded, or the destination asked for no more. */
  async succeeded(destination: string): Promise<void> {
    const hadFailed = this.#failures.has(destination);
    this.clear(destination);
    if (hadFailed) await this.#ask(destination, (breaker) => breaker.succeeded());
  }

  #putOff(destination: string, waitMs: number): void {
    const at = this.#dependencies.now();
    this.#open.set(destination, { at, askAt: at + waitMs });
  }

  /** Undefined where there is no breaker, or it does not answer. */
  async #ask<T>(destination: string, question: (breaker: Breaker) => Promise<T>): Promise<T | undefined> {
    try {
      const breaker = this.#dependencies.breakerOf(destination);
      return breaker && (await question(breaker));
    } catch (error) {
      this.#dependencies.log({ event: "breaker did not answer", destination, error: String(error) });
      return undefined;
    }
  }
}
