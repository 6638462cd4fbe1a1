// What the threads of a pool agree on: the control words in shared memory, how a task is claimed, and a worker's life.
// Knows no LSTM and starts no thread.
import type { MessagePort } from "node:worker_threads";

/** One task of the job that lies in memory at `job`. */
export type Task = (job: number, thread: number, task: number) => void;

/** What a pool is opened on. */
export interface PoolStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Addresses in `memory` of the control words and of the job. */
  readonly words: number;
  readonly job: number;
  /** The calling thread among them. */
  readonly threads: number;
  /** What the calling thread does a task with. */
  readonly task: Task;
}

/** What a worker is started with; thread-pool-worker.ts is the other end. */
export interface WorkerHome {
  /** (1) How many pools it was given so far. */
  readonly assigned: Int32Array;
  /** Brings a WorkerStart each; takes back why the worker failed. */
  readonly assignments: MessagePort;
}

/** The word of WorkerHome's `assigned`. */
export const ASSIGNED = 0;

/** What a worker is given by a pool. */
export interface WorkerStart extends Omit<PoolStart, "threads" | "task"> {
  readonly thread: number;
}

/** Control words (int32), what is written by different threads 64 bytes apart. */
export const WORD = { generation: 0, claim: 16, done: 32, tasks: 48, threads: 64 } as const;
/** Words of one thread: a progress counter that the kernel moves too, the last generation seen, its status. */
export const THREAD_WORDS = 16;
export const THREAD_WORD = { progress: 0, seen: 1, status: 2 } as const;
export const STATUS = { ready: 1, failed: 2 } as const;
/** A generation that ends the workers. */
export const QUIT = -1;

/** A claim holds the generation above the number of the next task, so that a late thread cannot take a task of a later job. */
const TASK_BITS = 12;
export const MAX_TASKS = (1 << TASK_BITS) - 1;
const GENERATIONS = 2 ** (31 - TASK_BITS);

/** About 0.1 ms of looking before sleeping, as long as waking takes (measured). */
export const SPINS = 20_000;

/** Bytes of control words for so many threads. */
export function poolBytes(threads: number): number {
  return 4 * (WORD.threads + THREAD_WORDS * threads);
}

/** Offset in the control words, in bytes, of thread 0's progress counter; the next thread's lies 64 bytes on. */
export const PROGRESS_OFFSET = 4 * WORD.threads;

/** The index of `word` of a thread in the control words. */
export function threadWord(thread: number, word: keyof typeof THREAD_WORD): number {
  return WORD.threads + THREAD_WORDS * thread + THREAD_WORD[word];
}

/** Offers `tasks` tasks to all threads. Returns the generation that names the job; `last` is that of the job before. */
export function announceJob(words: Int32Array, last: number, tasks: number): number {
  const generation = (last + 1) % GENERATIONS || 1;
  Atomics.store(words, WORD.claim, 0); // no generation: nothing can be claimed while the words change
  Atomics.store(words, WORD.tasks, tasks);
  Atomics.store(words, WORD.done, 0);
  Atomics.store(words, WORD.claim, generation << TASK_BITS);
  Atomics.store(words, WORD.generation, generation);
  return generation;
}

/** Does tasks of the job `generation` until none is left. */
export function takeTasks(words: Int32Array, generation: number, thread: number, job: number, task: Task): void {
  for (let n = claim(words, generation); n >= 0; n = claim(words, generation)) {
    task(job, thread, n);
    if (Atomics.add(words, WORD.done, 1) + 1 === Atomics.load(words, WORD.tasks)) Atomics.notify(words, WORD.done);
  }
}

/** The number of a task that nobody has, −1 when none is left or the job is another. */
function claim(words: Int32Array, generation: number): number {
  for (;;) {
    const next = Atomics.load(words, WORD.claim);
    const task = next & MAX_TASKS;
    if (next >>> TASK_BITS !== generation || task >= Atomics.load(words, WORD.tasks)) return -1;
    if (Atomics.compareExchange(words, WORD.claim, next, next + 1) === next) return task;
  }
}

/** A worker's time in a pool: sleeps until there is a job, and until it is told to quit. `onFailure` hears what a task threw. */
export function serve({ words: address, memory, job, thread }: WorkerStart, task: Task, onFailure: (why: string) => void): void {
  const words = new Int32Array(memory.buffer, address);
  let seen = 0;
  Atomics.store(words, threadWord(thread, "status"), STATUS.ready);
  try {
    for (;;) {
      for (let i = 0; i < SPINS && Atomics.load(words, WORD.generation) === seen; i++);
      Atomics.wait(words, WORD.generation, seen);
      const generation = Atomics.load(words, WORD.generation);
      if (generation === QUIT) return;
      if (generation === seen) continue;
      seen = generation;
      Atomics.store(words, threadWord(thread, "seen"), generation);
      takeTasks(words, generation, thread, job, task);
    }
  } catch (error) {
    onFailure(String(error));
    Atomics.store(words, threadWord(thread, "status"), STATUS.failed);
    Atomics.notify(words, WORD.done);
  }
}
