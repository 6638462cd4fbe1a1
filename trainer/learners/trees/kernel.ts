// The boosting kernel on its memory and threads. What a job computes is kernel/boosting.ts; which node is split, tree.ts.
// Legend: N training rows, M validation rows.
import { readFileSync } from "node:fs";
import { canShare, type HostCapabilities, startKernel } from "../../training/kernel-threads.ts";
import type { Task } from "../../training/thread-protocol.ts";
import { type Field, JOB, type MemoryMap, mapMemory, type Shape } from "./memory-map.ts";

/** What the kernel can do, in the order of its constants. */
export const GRADIENTS = 0;
export const ROOT = 1;
export const SPLIT = 2;
export const VALIDATE = 3;
type Kind = 0 | 1 | 2 | 3;

/** How the host runs the kernel; no bit depends on it. */
export interface KernelOptions {
  /** Default: the cores. */
  readonly threads?: number;
  readonly host?: Partial<HostCapabilities>;
  readonly warn?: (message: string) => void;
}

interface Exports {
  readonly task: Task;
  readonly log: (x: number) => number;
  readonly partition: (job: number, start: number, count: number, column: number, edge: number, missingLeft: number) => number;
}

export type BoostingKernel = ReturnType<typeof createBoostingKernel>;

/** More threads than this have nothing to do at once. */
const MAX_THREADS = 16;
/** A job of less work, in rows × blocks of 16 columns, takes 6 µs or so (measured): done before another thread has taken a task. */
const MIN_SHARED_WORK = 1500;

const BUILDS = {
  shared: new URL("../../kernel/boosting.wasm", import.meta.url),
  single: new URL("../../kernel/boosting-single.wasm", import.meta.url),
};

/** Starts the threads, where a job can be large enough for two. Throws LimitError where memory does not suffice. */
export function createBoostingKernel(shape: Shape, { threads: wanted, host = {}, warn = () => {} }: KernelOptions) {
  const threads = shape.rows * Math.ceil(shape.columns / 16) < MIN_SHARED_WORK ? 1 : wanted;
  const sharedBytes = readFileSync(BUILDS.shared);
  const isShared = canShare(host, sharedBytes);
  const module = new WebAssembly.Module(isShared ? sharedBytes : readFileSync(BUILDS.single));
  const map = (threads: number): MemoryMap => mapMemory(shape, threads);
  const started = startKernel<MemoryMap, Exports>({ module, isShared, threads, maxThreads: MAX_THREADS, host, warn, map });
  const { buffer, exports, pool } = started;
  const { fields, job, identity, histograms, histogramBytes } = started.map;
  const ints = new Int32Array(buffer, job, JOB.length);
  const set = (values: Partial<Record<Field, number>>): void => {
    for (const [field, value] of Object.entries(values)) ints[JOB.indexOf(field as Field)] = value;
  };
  set(fields);
  new Int32Array(buffer, identity, shape.rows).forEach((_, n, rows) => {
    rows[n] = n;
  });
  return {
    shape,
    buffer,
    fields,
    set,
    histogramAt: (leaf: number) => histograms + leaf * histogramBytes,
    log: exports.log,
    /** Lets a tree begin with all `rows` rows in their order. */
    resetOrder: (rows: number) => new Uint8Array(buffer).copyWithin(fields.order, identity, identity + 4 * rows),
    partition: (start: number, count: number, column: number, edge: number, missingLeft: boolean) =>
      exports.partition(job, start, count, column, edge, missingLeft ? 1 : 0),
    /** Runs a job of so much work, in rows × blocks of 16 columns. */
    run(kind: Kind, tasks: number, work: number): void {
      ints[0] = kind;
      if (work >= MIN_SHARED_WORK) pool.run(tasks);
      else for (let n = 0; n < tasks; n++) exports.task(job, 0, n);
    },
    dispose: () => pool.dispose(),
  };
}
