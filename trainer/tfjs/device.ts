// The kernel that computes fused layers: one instance on one growing memory, whatever the number of layers, and its threads. What a host
// offers arrives as an argument.
import type { Kind } from "../training/kinds.ts";
import { createLayout, PAGE } from "../training/memory-layout.ts";
import { createJobSetter, JOB, SHARDS } from "../training/memory-map.ts";
import { type PoolStart, PROGRESS_OFFSET, poolBytes, type Task } from "../training/thread-protocol.ts";
import { type Arena, createArena } from "./arena.ts";

/** Threads that take the tasks of a job together with the calling one. */
export interface Pool {
  readonly threads: number;
  run(tasks: number): void;
  /** Ends its threads, where it can. */
  dispose?(): void;
}

/** What a host offers. */
export interface KernelHost {
  /** The builds of kernel/training.ts, as bytes: for shared memory, and for one thread's own. */
  readonly builds: Readonly<Record<"shared" | "single", Readonly<Record<"relaxed" | "strict", Uint8Array<ArrayBuffer>>>>>;
  /** At most, the calling thread among them; 1 where the calling thread may not block. */
  readonly threads: number;
  /** Throws where the host forbids threads. */
  openPool(start: PoolStart): Pool;
  /** Hears, once each, what a host lacks. */
  warn(message: string): void;
}

export interface Device {
  /** `fma`: multiply-adds round once; `strict`: twice. */
  readonly simdPath: "fma" | "strict";
  readonly threads: number;
  readonly arena: Arena;
  /** The memory as it is now: views on it are good until something is allocated. */
  buffer(): ArrayBufferLike;
  /** Does the tasks of a job whose fields are `fields`. */
  run(kind: Kind, tasks: number, fields: Readonly<Record<string, number>>): void;
  /** Ends its threads. */
  dispose(): void;
}

/** Pages of WebAssembly memory, of which a host may grant fewer. */
const MAX_PAGES = [65_536, 32_768, 16_384];

/** undefined where the host has no WebAssembly with SIMD. Throws what the host throws for want of memory. */
export function openDevice(host: KernelHost): Device | undefined {
  const { builds, warn } = host;
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(builds.single.strict)) return undefined;
  const wanted = Math.max(1, Math.min(SHARDS, host.threads));
  const isShared = wanted > 1 && typeof SharedArrayBuffer === "function" && WebAssembly.validate(builds.shared.strict);
  if (wanted > 1 && !isShared) warn("this host has no shared memory: fused layers run on one thread");
  const build = isShared ? builds.shared : builds.single;
  const module = new WebAssembly.Module(WebAssembly.validate(build.relaxed) ? build.relaxed : build.strict);
  const layout = createLayout(PAGE);
  const words = layout.reserve(poolBytes(wanted));
  const job = layout.reserve(4 * JOB.length);
  const memory = openMemory(Math.ceil(layout.end() / PAGE), isShared);
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as {
    readonly task: Task;
    readonly fuses: (x: number) => number;
  };
  const pool = isShared ? openThreads(host, { module, memory, words, job, threads: wanted, task: exports.task }) : undefined;
  const grow = (end: number): void => {
    const more = Math.ceil(end / PAGE) - memory.buffer.byteLength / PAGE;
    if (more > 0) memory.grow(more);
  };
  return {
    simdPath: exports.fuses(1 + 2 ** -12) ? "fma" : "strict",
    threads: pool?.threads ?? 1,
    arena: createArena(layout.end(), grow),
    buffer: () => memory.buffer,
    run(kind, tasks, fields) {
      createJobSetter(memory.buffer, job)({ ...fields, kind, progress: words + PROGRESS_OFFSET });
      if (pool) pool.run(tasks);
      else for (let n = 0; n < tasks; n++) exports.task(job, 0, n);
    },
    dispose: () => pool?.dispose?.(),
  };
}

function openThreads(host: KernelHost, start: PoolStart): Pool | undefined {
  try {
    return host.openPool(start);
  } catch (error) {
    host.warn(`this host has no threads (${error instanceof Error ? error.message : error}): fused layers run on one`);
    return undefined;
  }
}

/** Throws RangeError where the host grants no memory at all. */
function openMemory(initial: number, shared: boolean): WebAssembly.Memory {
  for (const maximum of MAX_PAGES.slice(0, -1))
    try {
      return new WebAssembly.Memory({ initial, maximum, shared });
    } catch {
      // a shared memory's addresses are reserved at once: ask for fewer
    }
  return new WebAssembly.Memory({ initial, maximum: MAX_PAGES[MAX_PAGES.length - 1], shared });
}
