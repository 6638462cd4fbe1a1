// What a thread of a browser's pool runs: its own instance of the kernel on the shared memory.
import { serve, type Task, type WorkerStart } from "../training/thread-protocol.ts";

const scope = globalThis as unknown as { onmessage: (event: { readonly data: WorkerStart }) => void };
scope.onmessage = ({ data }) => {
  const { exports } = new WebAssembly.Instance(data.module, { env: { memory: data.memory } });
  // a failure shows in the control words; nobody listens to why
  serve(data, exports.task as Task, () => {});
};
