// Numbers that memory is too small for: a file without a name that holds float64, and is gone with the process.
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../../shared/errors.ts";
import { reason } from "./whole-files.ts";

export interface NumberFile {
  /** Writes behind all that is there. Throws DataError. */
  append(values: Float64Array): void;
  /** Reads `target.length` numbers from number `from` on. Throws DataError. */
  read(from: number, target: Float64Array): void;
  close(): void;
}

/** Opens an empty file in `folder`, which nobody else can open. Throws DataError. */
export function openNumberFile(folder: string): NumberFile {
  const path = join(folder, `.quickstep-${process.pid}-${Date.now()}.rows`);
  const file = orDataError(path, "cannot be written", () => openSync(path, "wx+", 0o600));
  const isUnnamed = process.platform !== "win32"; // there an open file keeps its name
  if (isUnnamed) rmSync(path);
  let length = 0;
  return {
    append(values) {
      const bytes = bytesOf(values);
      orDataError(path, "cannot be written", () => {
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, length + at);
      });
      length += bytes.length;
    },
    read(from, target) {
      const bytes = bytesOf(target);
      orDataError(path, "cannot be read", () => {
        for (let at = 0; at < bytes.length; ) {
          const count = readSync(file, bytes, at, bytes.length - at, 8 * from + at);
          if (count === 0) throw new Error(`it holds ${length / 8} numbers, and ${bytes.length / 8} from number ${from} on are asked for`);
          at += count;
        }
      });
    },
    close() {
      closeSync(file);
      if (!isUnnamed) rmSync(path, { force: true });
    },
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function orDataError<T>(path: string, what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new DataError(path, `${what}, where rows are kept that memory is too small for: ${reason(error)}`);
  }
}
