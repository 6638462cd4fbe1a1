// HDF5 files: bytes → texts and arrays by their path. Knows no model. The library runs in a thread that may die or be ended.
import { Worker } from "node:worker_threads";
import { DataError } from "../../../shared/errors.ts";

export interface Hdf5 {
  /** `path@name` → text or texts; the root's path is empty. */
  readonly attributes: Map<string, string | string[]>;
  /** Arrays of floats by path, as float64; halves among them. */
  readonly arrays: Map<string, { readonly shape: readonly number[]; readonly data: Float64Array }>;
  /** Other arrays of more than one number by path: what these numbers are. */
  readonly unread: Map<string, string>;
}

/** Far more than the largest model takes, also on a machine with much else to do. */
const LIMIT_MS = 60_000;

/** Whether `bytes` begin with HDF5's signature (support.hdfgroup.org, "HDF5 File Format Specification", II.A). */
export function isHdf5(bytes: Uint8Array): boolean {
  return [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[i] === byte);
}

/** Reads every text and every array of floats. Throws DataError where the file is damaged, claims absurd sizes or takes too long. */
export function readHdf5(bytes: Uint8Array, source: string): Promise<Hdf5> {
  const worker = new Worker(new URL("./hdf5-worker.ts", import.meta.url), {
    workerData: { bytes },
    // The library prints its own stack of errors; whoever wants it is not here.
    stdout: true,
    stderr: true,
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  return new Promise<Hdf5>((resolve, reject) => {
    const fail = (reason: string): void => reject(new DataError(source, `cannot be read as HDF5: ${reason}`));
    const timer = setTimeout(
      () => fail(`it is not read after ${LIMIT_MS / 1000} s: it is damaged, no model, or this machine has too much else to do`),
      LIMIT_MS,
    );
    worker.once("message", resolve);
    worker.once("error", (error) => fail(describeError(error)));
    worker.once("exit", () => fail("the file is cut short or damaged"));
    worker.once("exit", () => clearTimeout(timer));
  }).finally(() => worker.terminate());
}

function describeError(error: unknown): string {
  return error instanceof RangeError && /than a model has/.test(error.message) ? error.message : "the file is cut short or damaged";
}
