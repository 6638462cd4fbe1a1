// What a thread of pools runs: one pool after the other, for each an instance of its kernel on its shared memory.
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { ASSIGNED, serve, type Task, type WorkerHome, type WorkerStart } from "./thread-protocol.ts";

const { assigned, assignments } = workerData as WorkerHome;
let hasFailed = false;

/** Serves the next pool; what it held of the pool is garbage when it returns. */
function serveNext(): void {
  const start = receiveMessageOnPort(assignments)?.message as WorkerStart;
  const { exports } = new WebAssembly.Instance(start.module, { env: { memory: start.memory } });
  serve(start, exports.task as Task, (why) => {
    hasFailed = true;
    assignments.postMessage(why);
  });
}

for (let served = 0; !hasFailed; served++) {
  Atomics.wait(assigned, ASSIGNED, served);
  serveNext();
}
assignments.close();
