// What a thread of the pool runs: its own instance of the kernel on the shared memory.
import { workerData } from "node:worker_threads";
import { serve, type Task, type WorkerStart } from "./thread-protocol.ts";

const start = workerData as WorkerStart;
const { exports } = new WebAssembly.Instance(start.module, { env: { memory: start.memory } });
serve(start, exports.task as Task);
