// Fork and join over one shared memory: the threads that share a WebAssembly kernel take the numbered tasks of a job until none
// is left; the calling thread takes part. Who takes which task is chance, so a task's result may not depend on it.
// Knows no LSTM. A dead or stuck thread is an error within about ten seconds, never a hang.
import { assignWorker, type PoolWorker, releaseWorker } from "./idle-workers.ts";
import { announceJob, MAX_TASKS, type PoolStart, poolBytes, QUIT, SPINS, STATUS, takeTasks, threadWord, WORD } from "./thread-protocol.ts";

/** The main thread looks at the others this often. */
const SLICE_MS = 200;
/**
 * Without any progress for so long, seen in slices, a thread counts as dead (a suspended process does not). On a busy machine a live one
 * may not come to its turn for more than a second.
 */
const MAX_SILENT_MS = 10_000;

/** `threads` − 1 workers beside the calling thread. The constructor throws what starting a worker throws (a host may forbid it). */
export class ThreadPool {
  readonly threads: number;
  readonly workers: PoolWorker[] = [];
  private readonly options: PoolStart;
  private readonly control: Int32Array;
  /** Milliseconds for which a thread has shown no sign of life, and the last sign; index 0 is unused. */
  private readonly silentMs: Float64Array;
  private readonly lastSign: Int32Array;
  private lastLook = performance.now();
  private generation = 0;
  private broken: Error | undefined;

  constructor(options: PoolStart) {
    const { memory, words, threads } = options;
    this.options = options;
    this.threads = threads;
    this.control = new Int32Array(memory.buffer, words, poolBytes(threads) / 4);
    this.control.fill(0);
    this.silentMs = new Float64Array(threads);
    this.lastSign = new Int32Array(threads);
    for (let thread = 1; thread < threads; thread++) this.start(thread);
  }

  private start(thread: number): void {
    const { module, memory, words, job, threads } = this.options;
    let worker: PoolWorker;
    try {
      worker = assignWorker({ module, memory, words, job, thread });
    } catch (error) {
      this.dispose();
      throw error;
    }
    worker.onEnd = (error) => {
      this.broken ??= new Error(`training thread ${thread} of ${threads} ${error ? `failed: ${error.message}` : "has ended"}`);
    };
    this.workers.push(worker);
  }

  /** Does tasks 0 … tasks − 1 of the job in memory, and returns when all are done. Throws when a thread is dead or stuck. */
  run(tasks: number): void {
    if (tasks > MAX_TASKS) throw new RangeError(`tasks must be at most ${MAX_TASKS}, got ${tasks}`);
    if (this.broken) throw this.broken;
    const { control, threads } = this;
    const { job, task } = this.options;
    this.generation = announceJob(control, this.generation, tasks);
    if (threads > 1) Atomics.notify(control, WORD.generation);
    takeTasks(control, this.generation, 0, job, task);
    if (threads === 1) return;
    this.join(tasks);
    this.look();
  }

  /** Waits for the others' tasks. Which thread holds which is not known, so it takes progress from any of them as life. */
  private join(tasks: number): void {
    const { control, threads } = this;
    for (let i = 0; i < SPINS; i++) if (Atomics.load(control, WORD.done) === tasks) return;
    let progress = 0;
    let stuckMs = 0;
    for (let done = Atomics.load(control, WORD.done); done < tasks; done = Atomics.load(control, WORD.done)) {
      const isWoken = Atomics.wait(control, WORD.done, done, SLICE_MS) !== "timed-out";
      let sum = 0;
      for (let thread = 1; thread < threads; thread++) {
        this.checkStatus(thread);
        sum = (sum + Atomics.load(control, threadWord(thread, "progress"))) | 0;
      }
      if (isWoken) continue;
      stuckMs = sum === progress ? stuckMs + SLICE_MS : 0;
      progress = sum;
      if (stuckMs >= MAX_SILENT_MS) this.fail(`training threads have not moved for ${stuckMs} ms, ${tasks - done} of ${tasks} tasks to go`);
    }
  }

  /** A thread shows that it lives by noticing jobs, whether or not a task is left for it. */
  private look(): void {
    const { control, threads, silentMs, lastSign } = this;
    const now = performance.now();
    const elapsed = Math.min(SLICE_MS, now - this.lastLook);
    this.lastLook = now;
    for (let thread = 1; thread < threads; thread++) {
      const sign = this.checkStatus(thread) === STATUS.ready ? Atomics.load(control, threadWord(thread, "seen")) : QUIT;
      silentMs[thread] = sign === lastSign[thread] ? silentMs[thread] + elapsed : 0;
      lastSign[thread] = sign;
      if (silentMs[thread] > MAX_SILENT_MS)
        this.fail(`training thread ${thread} of ${threads} has not answered for ${Math.round(silentMs[thread])} ms`);
    }
  }

  private checkStatus(thread: number): number {
    const status = Atomics.load(this.control, threadWord(thread, "status"));
    if (status === STATUS.failed) this.fail(`training thread ${thread} of ${this.threads} failed: ${this.workers[thread - 1].failure()}`);
    return status;
  }

  private fail(message: string): never {
    this.broken = new Error(message);
    throw this.broken;
  }

  /** Lets the workers go: those of a pool that was whole to the next, others end. `run` throws from now on. */
  dispose(): void {
    const isWhole = this.broken === undefined;
    this.broken ??= new Error("the training threads have been dismissed");
    Atomics.store(this.control, WORD.generation, QUIT);
    if (this.threads > 1) Atomics.notify(this.control, WORD.generation);
    for (const kept of this.workers.splice(0)) {
      if (isWhole) releaseWorker(kept);
      else void kept.worker.terminate();
    }
  }
}
