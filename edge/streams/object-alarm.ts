// The one alarm of a key's object: when it is set, that it sets itself again, and that it is put off after a failure. Knows nothing of
// what there is to do.
import type { ObjectStorage } from "./storage.ts";

/** An alarm whose storage or directory failed is not run again before. */
const FAILED_MS = 5000;
/** Nor one that cannot do its work for now. */
const UNUSABLE_MS = 60_000;

export interface AlarmDependencies {
  readonly storage: Pick<ObjectStorage, "setAlarm">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** When there is something to do next; undefined: nothing is. */
  readonly nextAt: () => number | undefined;
  /** Tells what runs that there is something new to look for. */
  readonly wake: () => void;
  /** `event` is what went wrong. */
  readonly log: (event: string, error: unknown) => void;
}

/** The alarm of one object. */
export class ObjectAlarm {
  readonly #dependencies: AlarmDependencies;
  /** The alarm that was set since the object woke or the last one ran; undefined: unknown. */
  #armed: number | undefined;
  #isRunning = false;
  /** After an alarm that failed, the next one waits. */
  #notBefore = 0;

  constructor(dependencies: AlarmDependencies) {
    this.#dependencies = dependencies;
  }

  /** Whether it will ring by `time`: it is set, or runs, and then looks for what is new and sets itself again. */
  isArmed(time: number): boolean {
    if (this.#isRunning) this.#dependencies.wake();
    return this.#isRunning || (this.#armed !== undefined && this.#armed <= time);
  }

  /** Sets it to when there is something to do. An alarm that is cut off is run again by the platform. */
  arm(): void {
    const due = this.#dependencies.nextAt();
    if (due === undefined) return;
    // a clock that was set back does not make a pause longer than it was
    this.#notBefore = Math.min(this.#notBefore, this.#dependencies.now() + UNUSABLE_MS);
    const next = Math.max(due, this.#notBefore);
    if (this.isArmed(next)) return;
    this.#armed = next;
    this.#dependencies.storage.setAlarm(next).catch(() => {
      this.#armed = undefined; // the platform resets an object whose storage fails, and its memory with it
    });
  }

  /** Sets it also where it seems to be set: a crash may have lost it. */
  rearm(): void {
    this.#armed = undefined;
    this.arm();
  }

  /** It does not ring for a minute: there is something to do, and it cannot be done. */
  putOff(): void {
    this.#notBefore = this.#dependencies.now() + UNUSABLE_MS;
  }

  /** Does `work`, and sets itself again. Never throws. */
  async run(work: () => Promise<void>): Promise<void> {
    this.#isRunning = true;
    try {
      await work();
    } catch (error) {
      this.#notBefore = this.#dependencies.now() + FAILED_MS;
      this.#dependencies.log("alarm failed", error);
    } finally {
      this.#isRunning = false;
      try {
        this.rearm();
      } catch (error) {
        this.#dependencies.log("alarm not set", error); // the sweep finds it
      }
    }
  }
}
