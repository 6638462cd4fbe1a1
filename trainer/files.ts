// The file system, as everything in the trainer reads and writes it: whole files, or one DataError saying what is wrong.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { DataError } from "../shared/errors.ts";

/** Reads a whole file, of at most `limit` bytes. Throws DataError. */
export function readWhole(path: string, limit = Number.POSITIVE_INFINITY): Uint8Array<ArrayBuffer> {
  try {
    const { size } = limit < Number.POSITIVE_INFINITY ? statSync(path) : { size: 0 };
    if (size > limit) throw new Error(`it has ${size} bytes, expected at most ${limit}`);
    return readFileSync(path);
  } catch (error) {
    throw new DataError(path, `cannot be read: ${reason(error)}`);
  }
}

/**
 * Writes a whole file or nothing: to a temporary name in the same folder, through to the disk, then renamed. Creates the folder.
 * Throws DataError and leaves no temporary file; whatever stood at `path` before stands there still.
 */
export function writeWhole(path: string, bytes: Uint8Array): void {
  let temporary: string | undefined;
  try {
    const present = statSync(path, { throwIfNoEntry: false });
    if (present && !present.isFile() && !present.isDirectory()) {
      writeFileSync(path, bytes); // a pipe or device stays what it is
      return;
    }
    const target = present ? realpathSync(path) : path; // a link stays a link
    const folder = dirname(target);
    mkdirSync(folder, { recursive: true });
    const name = join(folder, `.${basename(target)}.${process.pid}.tmp`);
    const file = openSync(name, "w", present?.mode);
    temporary = name;
    try {
      writeFileSync(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(name, target);
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    throw new DataError(path, `cannot be written: ${reason(error)}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder, expected a file",
  ENOTDIR: "a part of its path is a file, not a folder",
  EEXIST: "a part of its path is a file, not a folder", // as mkdir says it
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full: free some space, or choose another folder",
  EDQUOT: "the disk quota is used up: free some space, or choose another folder",
  ENAMETOOLONG: "the name is too long",
  ERR_FS_FILE_TOO_LARGE: "it is larger than the 2 GiB that can be read at once: split it",
};

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ""] ?? message;
}
