// Fork and join in a browser's Worker, over the kernel's shared memory; the trainer's thread-pool.ts is that of Node. A thread that has not
// started yet takes no task, so nobody waits for it.
import { announceJob, type PoolStart, poolBytes, STATUS, takeTasks, threadWord, WORD } from "../training/thread-protocol.ts";
import source from "./browser-thread.ts?source";
import type { Pool } from "./device.ts";

/** The calling thread looks at the others this often. */
const SLICE_MS = 200;

/** `threads` − 1 Workers beside the calling one. Throws what starting a Worker throws (a page's policy may forbid it). */
export function openBrowserPool({ module, memory, words, job, threads, task }: PoolStart): Pool {
  const control = new Int32Array(memory.buffer, words, poolBytes(threads) / 4).fill(0);
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  for (let thread = 1; thread < threads; thread++) new Worker(url, { type: "module" }).postMessage({ module, memory, words, job, thread });
  let generation = 0;
  const check = (): void => {
    for (let thread = 1; thread < threads; thread++)
      if (Atomics.load(control, threadWord(thread, "status")) === STATUS.failed) throw new Error(`thread ${thread} of ${threads} failed`);
  };
  return {
    threads,
    run(tasks) {
      check();
      generation = announceJob(control, generation, tasks);
      Atomics.notify(control, WORD.generation);
      takeTasks(control, generation, 0, job, task);
      for (let done = Atomics.load(control, WORD.done); done < tasks; done = Atomics.load(control, WORD.done)) {
        Atomics.wait(control, WORD.done, done, SLICE_MS);
        check();
      }
    },
  };
}
