// Workers that outlive the pool they were started for: starting one takes a tenth of a second, as long as a short run of the feature
// search. A worker that is free waits for its next pool, and ends when none has come for a while. Knows no kernel.
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { ASSIGNED, type WorkerHome, type WorkerStart } from "./thread-protocol.ts";

/** A worker that serves one pool at a time. */
export interface PoolWorker {
  readonly worker: Worker;
  /** Says why the thread failed, where it did. */
  failure(): string | undefined;
  /** Called once it has ended, or ends with an error; whoever has the worker sets it. */
  onEnd: (error?: Error) => void;
}

interface Kept extends PoolWorker {
  readonly port: MessagePort;
  /** Counts what it was given to do. */
  readonly assigned: Int32Array;
  /** Of the memories it has seen: a worker that only waits collects no garbage. */
  bytes: number;
}

/** Free workers end after so long. */
const MAX_IDLE_MS = 10_000;
/** A worker that may hold more than this of memories that nobody else needs ends instead. */
const MAX_BYTES = 128 * 2 ** 20;

const idle: Kept[] = [];
let ending: NodeJS.Timeout | undefined;

/** A worker that serves `start` from now on: a free one, or a new one. Throws what starting a worker throws. */
export function assignWorker(start: WorkerStart): PoolWorker {
  const kept = idle.pop() ?? startWorker();
  kept.bytes += start.memory.buffer.byteLength;
  kept.port.postMessage(start);
  Atomics.add(kept.assigned, ASSIGNED, 1);
  Atomics.notify(kept.assigned, ASSIGNED);
  return kept;
}

/** Takes back a worker whose pool has told it to quit; it need not have left yet. */
export function releaseWorker(released: PoolWorker): void {
  const kept = released as Kept;
  if (kept.bytes > MAX_BYTES) return void kept.worker.terminate();
  kept.onEnd = () => forget(kept);
  idle.push(kept);
  clearTimeout(ending);
  ending = setTimeout(() => {
    for (const { worker } of idle.splice(0)) void worker.terminate();
  }, MAX_IDLE_MS).unref();
}

function forget(kept: Kept): void {
  const at = idle.indexOf(kept);
  if (at >= 0) idle.splice(at, 1);
}

function startWorker(): Kept {
  const { port1, port2 } = new MessageChannel();
  const assigned = new Int32Array(new SharedArrayBuffer(4));
  const home: WorkerHome = { assigned, assignments: port2 };
  const worker = new Worker(new URL("./thread-pool-worker.ts", import.meta.url), { workerData: home, transferList: [port2] });
  const kept: Kept = { worker, port: port1, assigned, bytes: 0, failure: () => receiveMessageOnPort(port1)?.message, onEnd: () => {} };
  worker.unref();
  port1.unref();
  worker.on("error", (error) => kept.onEnd(error));
  worker.on("exit", () => {
    kept.onEnd();
    port1.close();
  });
  return kept;
}
