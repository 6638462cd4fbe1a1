// Fork and join over one shared memory: the threads that share a WebAssembly kernel take the numbered tasks of a job until none
// is left; the calling thread takes part. Who takes which task is chance, so a task's result may not depend on it.
// Knows no LSTM. A dead or stuck thread is an error within about a second, never a hang.
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";

/** One task of the job that lies in memory at `job`. */
export type Task = (job: number, thread: number, task: number) => void;

/** What a worker is started with; `pool-worker.ts` is the other end. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly words: number;
  readonly job: number;
  readonly thread: number;
  readonly failures: MessagePort;
}

// Control words (int32), what is written by different threads 64 bytes apart.
const GENERATION = 0;
const CLAIM = 16;
const DONE = 32;
const TASKS = 48;
const THREADS = 64;
/** Words of one thread: a progress counter that the kernel moves too, the last generation seen, its status. */
const THREAD = 16;
const SEEN = 1;
const STATUS = 2;
const READY = 1;
const FAILED = 2;
const QUIT = -1;

/** A claim holds the generation above the number of the next task, so that a late thread cannot take a task of a later job. */
const TASK_BITS = 12;
export const MAX_TASKS = (1 << TASK_BITS) - 1;
const GENERATIONS = 2 ** (31 - TASK_BITS);

/** The main thread looks at the others this often. */
const SLICE_MS = 200;
/** Without any progress for so long, seen in slices, a thread counts as dead (a suspended process does not). */
const SILENCE_MS = 1000;
const START_MS = 10_000;
/** About 0.1 ms of looking before sleeping, as long as waking takes (measured). */
const SPINS = 20_000;

/** Bytes of control words for so many threads. */
export function poolBytes(threads: number): number {
  return 4 * (THREADS + THREAD * threads);
}

/** Offset in the control words, in bytes, of thread 0's progress counter; the next thread's lies 64 bytes on. */
export const PROGRESS_OFFSET = 4 * THREADS;

function claim(words: Int32Array, generation: number): number {
  for (;;) {
    const next = Atomics.load(words, CLAIM);
    const task = next & MAX_TASKS;
    if (next >>> TASK_BITS !== generation || task >= Atomics.load(words, TASKS)) return -1;
    if (Atomics.compareExchange(words, CLAIM, next, next + 1) === next) return task;
  }
}

function takeTasks(words: Int32Array, generation: number, thread: number, job: number, task: Task): void {
  for (let n = claim(words, generation); n >= 0; n = claim(words, generation)) {
    task(job, thread, n);
    if (Atomics.add(words, DONE, 1) + 1 === Atomics.load(words, TASKS)) Atomics.notify(words, DONE);
  }
}

/** A worker's life: sleeps until there is a job, and until it is told to quit. */
export function serve({ words: address, memory, job, thread, failures }: WorkerStart, task: Task): void {
  const words = new Int32Array(memory.buffer, address);
  const own = THREADS + THREAD * thread;
  let seen = 0;
  Atomics.store(words, own + STATUS, READY);
  try {
    for (;;) {
      for (let i = 0; i < SPINS && Atomics.load(words, GENERATION) === seen; i++);
      Atomics.wait(words, GENERATION, seen);
      const generation = Atomics.load(words, GENERATION);
      if (generation === QUIT) return;
      if (generation === seen) continue;
      seen = generation;
      Atomics.store(words, own + SEEN, generation);
      takeTasks(words, generation, thread, job, task);
    }
  } catch (error) {
    failures.postMessage(String(error));
    Atomics.store(words, own + STATUS, FAILED);
    Atomics.notify(words, DONE);
  }
}

export interface Pool {
  readonly threads: number;
  readonly workers: readonly Worker[];
  /** Does tasks 0 … tasks − 1 of the job in memory, and returns when all are done. */
  run(tasks: number): void;
  dispose(): void;
}

/**
 * `threads` − 1 workers beside the calling thread, which does its share with `task`. `words` and `job` are addresses in `memory`.
 * Throws what starting a worker throws (a host may forbid it).
 */
export function createPool(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  words: number,
  job: number,
  threads: number,
  task: Task,
): Pool {
  const control = new Int32Array(memory.buffer, words, poolBytes(threads) / 4);
  control.fill(0);
  const workers: Worker[] = [];
  const ports: MessagePort[] = [];
  /** Milliseconds for which a thread has not been heard, and what was heard last; index 0 is unused. */
  const silence = new Float64Array(threads);
  const heard = new Int32Array(threads);
  let lastLook = performance.now();
  let generation = 0;
  let broken: Error | undefined;

  function fail(message: string): never {
    broken = new Error(message);
    throw broken;
  }

  function checkStatus(thread: number): number {
    const status = Atomics.load(control, THREADS + THREAD * thread + STATUS);
    if (status === FAILED) fail(`training thread ${thread} of ${threads} failed: ${receiveMessageOnPort(ports[thread - 1])?.message}`);
    return status;
  }

  /** A thread shows that it lives by noticing jobs, whether or not a task is left for it. */
  function look(): void {
    const now = performance.now();
    const elapsed = Math.min(SLICE_MS, now - lastLook);
    lastLook = now;
    for (let thread = 1; thread < threads; thread++) {
      const isReady = checkStatus(thread) === READY;
      const word = isReady ? Atomics.load(control, THREADS + THREAD * thread + SEEN) : QUIT;
      silence[thread] = word === heard[thread] ? silence[thread] + elapsed : 0;
      heard[thread] = word;
      if (silence[thread] > (isReady ? SILENCE_MS : START_MS))
        fail(`training thread ${thread} of ${threads} has not answered for ${Math.round(silence[thread])} ms`);
    }
  }

  /** Waits for the others' tasks. Which thread holds which is not known, so it takes progress from any of them as life. */
  function join(tasks: number): void {
    for (let i = 0; i < SPINS; i++) if (Atomics.load(control, DONE) === tasks) return;
    let progress = 0;
    let still = 0;
    for (let done = Atomics.load(control, DONE); done < tasks; done = Atomics.load(control, DONE)) {
      const isWoken = Atomics.wait(control, DONE, done, SLICE_MS) !== "timed-out";
      let sum = 0;
      for (let thread = 1; thread < threads; thread++) {
        checkStatus(thread);
        sum = (sum + Atomics.load(control, THREADS + THREAD * thread)) | 0;
      }
      if (isWoken) continue;
      still = sum === progress ? still + SLICE_MS : 0;
      progress = sum;
      if (still >= SILENCE_MS) fail(`training threads have not moved for ${still} ms, ${tasks - done} of ${tasks} tasks to go`);
    }
  }

  function dispose(): void {
    broken ??= new Error("the training threads have been dismissed");
    Atomics.store(control, GENERATION, QUIT);
    if (threads > 1) Atomics.notify(control, GENERATION);
    for (const worker of workers) void worker.terminate();
    for (const port of ports) port.close();
  }

  for (let thread = 1; thread < threads; thread++) {
    const { port1, port2 } = new MessageChannel();
    const start: WorkerStart = { module, memory, words, job, thread, failures: port2 };
    let worker: Worker;
    try {
      worker = new Worker(new URL("./thread-pool-worker.ts", import.meta.url), { workerData: start, transferList: [port2] });
    } catch (error) {
      dispose();
      throw error;
    }
    worker.unref();
    port1.unref();
    worker.on("error", (error) => (broken ??= new Error(`training thread ${thread} of ${threads} failed: ${error.message}`)));
    worker.on("exit", () => (broken ??= new Error(`training thread ${thread} of ${threads} has ended`)));
    workers.push(worker);
    ports.push(port1);
  }

  return {
    threads,
    workers,
    run(tasks) {
      if (tasks > MAX_TASKS) throw new RangeError(`tasks must be at most ${MAX_TASKS}, got ${tasks}`);
      if (broken) throw broken;
      generation = (generation + 1) % GENERATIONS || 1;
      Atomics.store(control, CLAIM, 0); // no generation: nothing can be claimed while the words change
      Atomics.store(control, TASKS, tasks);
      Atomics.store(control, DONE, 0);
      Atomics.store(control, CLAIM, generation << TASK_BITS);
      Atomics.store(control, GENERATION, generation);
      if (threads > 1) Atomics.notify(control, GENERATION);
      takeTasks(control, generation, 0, job, task);
      if (threads === 1) return;
      join(tasks);
      look();
    },
    dispose,
  };
}
