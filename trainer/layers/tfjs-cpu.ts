// tfjs' backend cpu for the time of a call: the caller's own backend is there again afterwards, and nothing is printed.
import * as tf from "@tensorflow/tfjs";

let isReady = false;

/** What `run` returns, which may wait for nothing. */
export function onCpu<T>(run: () => T): T {
  const before = tf.getBackend();
  if (before !== "cpu") void tf.setBackend("cpu"); // at once: this backend waits for nothing
  try {
    if (!isReady) hush();
    isReady = true;
    return run();
  } finally {
    if (before && before !== "cpu") void tf.setBackend(before);
  }
}

/** The first numbers on this backend print advice for Node; in tfjs' production mode they do not. */
function hush(): void {
  const env = tf.env();
  const before = env.getBool("PROD");
  env.set("PROD", true);
  tf.tidy(() => tf.zeros([1]));
  tf.tidy(() => tf.tensor1d([0]));
  env.set("PROD", before);
}
