// A kernel on its memory and on as many threads as the host has; where it has none, on one. Knows no kernel's jobs.
import { availableParallelism } from "node:os";
import { ThreadPool } from "./thread-pool.ts";
import type { Task } from "./thread-protocol.ts";

/** What the host offers; tests take something away. */
export interface HostCapabilities {
  readonly relaxedSimd: boolean;
  readonly sharedMemory: boolean;
  readonly workers: boolean;
}

/** Where the pool's control words and the job lie, and how large the memory is. */
interface Placement {
  readonly words: number;
  readonly job: number;
  readonly pages: number;
}

export interface KernelStart<Map extends Placement> {
  readonly module: WebAssembly.Module;
  /** Whether `module` works on shared memory. */
  readonly isShared: boolean;
  /** At most; default: the cores. */
  readonly threads: number | undefined;
  readonly maxThreads: number;
  readonly host: Partial<HostCapabilities>;
  readonly warn: (message: string) => void;
  /** Gives everything its place for so many threads. */
  readonly map: (threads: number) => Map;
}

/** Whether the host has shared memory, and `bytes`, a module for it, runs there. */
export function canShare(host: Partial<HostCapabilities>, bytes: Uint8Array<ArrayBuffer>): boolean {
  return host.sharedMemory !== false && typeof SharedArrayBuffer === "function" && WebAssembly.validate(bytes);
}

/** An instance on its memory, and its threads. Throws what `map` throws, and what starting a single thread throws. */
export function startKernel<Map extends Placement, Exports extends { readonly task: Task }>(start: KernelStart<Map>) {
  const { module, isShared, host, warn, map } = start;
  let threads = Math.max(1, Math.min(start.maxThreads, start.threads ?? availableParallelism()));
  const fallBackToOne = (reason: string): void => {
    warn(`this host has no threads (${reason}): training runs on one, with the same results`);
    threads = 1;
  };
  if (threads > 1 && !isShared) fallBackToOne("no shared memory");
  if (threads > 1 && host.workers === false) fallBackToOne("no workers");

  const placed = map(threads);
  const { words, job, pages } = placed;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: isShared });
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
  const openPool = (): ThreadPool => new ThreadPool({ module, memory, words, job, threads, task: exports.task });
  let pool: ThreadPool;
  try {
    pool = openPool();
  } catch (error) {
    fallBackToOne(error instanceof Error ? error.message : String(error));
    pool = openPool();
  }
  return { map: placed, buffer: memory.buffer, exports, pool };
}
