// The file system, as everything in the trainer reads and writes it: whole files, or one DataError saying what is wrong.
import { randomBytes } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, isAbsolute, join, sep } from "node:path";
import { DataError } from "../../shared/errors.ts";

/** Where nothing less is asked for: what Node reads at once. */
const MAX_BYTES = 2 ** 31 - 1;
const CHUNK_BYTES = 2 ** 20;

/**
 * Reads a whole file, of at most `limit` bytes: a device or a pipe until it ends, and no further than the limit. Throws DataError.
 */
export function readWhole(path: string, limit = MAX_BYTES): Uint8Array<ArrayBuffer> {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status && status.size > limit) throw new Error(`it has ${status.size} bytes, expected at most ${limit}`);
    const hasSize = status === undefined || status.isDirectory() || (status.isFile() && status.size > 0);
    return hasSize ? readFileSync(path) : readStream(path, limit);
  } catch (error) {
    throw new DataError(path, `cannot be read: ${reason(error)}`);
  }
}

/** Reads a whole file as text, as readWhole reads it. Throws DataError. */
export function readText(path: string, limit?: number): string {
  return new TextDecoder().decode(readWhole(path, limit));
}

/**
 * Reads the file that `path` names for a part of itself: in its own folder or below, and no link that leads out of there. Throws DataError.
 */
export function readBeside(path: string, location: string, limit = MAX_BYTES): Uint8Array<ArrayBuffer> {
  const isPlain = location !== "" && !isAbsolute(location) && !location.split(/[\\/]/).includes("..") && !location.includes("\0");
  if (!isPlain) throw new DataError(path, `names the file ${JSON.stringify(location)}, expected one in its own folder`);
  const [folder, file] = [dirname(path), join(dirname(path), location)];
  if (existsSync(file) && !realpathSync(file).startsWith(realpathSync(folder) + sep))
    throw new DataError(path, `names the file ${JSON.stringify(location)}, which is a link out of its folder`);
  return readWhole(file, limit);
}

/** What no size is known of: a pipe, a device, or a file that the system makes up while it is read. */
function readStream(path: string, limit: number): Uint8Array<ArrayBuffer> {
  const file = openSync(path, "r");
  try {
    const chunks: Uint8Array[] = [];
    for (let total = 0; ; ) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const count = readSync(file, chunk, 0, chunk.length, null);
      if (count === 0) return Buffer.concat(chunks);
      total += count;
      if (total > limit) throw new Error(`it does not end after ${limit} bytes, the most that are expected`);
      chunks.push(chunk.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
}

/**
 * Writes a whole file or nothing: to a temporary name in the same folder, through to the disk, then renamed. Creates the folder.
 * Throws DataError and leaves no temporary file; whatever stood at `path` before stands there still.
 */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const file = createWhole(path);
  file.write(bytes);
  file.finish();
}

/**
 * Whether writeWhole can write `path`, found by making a temporary file where `path` would be, in folders that are made for it, and
 * taking both away again: permissions alone say too much of root, and of /proc. Leaves nothing. Throws DataError.
 */
export function checkWritable(path: string): void {
  try {
    const present = statSync(path, { throwIfNoEntry: false });
    if (present?.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    if (present && !present.isFile()) {
      accessSync(path, constants.W_OK); // a pipe or a device
      return;
    }
    const folder = dirname(present ? realpathSync(path) : path);
    const made = makeFolder(folder);
    try {
      const [temporary, file] = openTemporary(folder, basename(path), undefined);
      closeSync(file);
      rmSync(temporary, { force: true });
    } finally {
      for (const folder of made.reverse()) rmdirSync(folder);
    }
  } catch (error) {
    throw new DataError(path, `cannot be written: ${reason(error)}`);
  }
}

/** Makes `folder` and those above it that are missing; which ones, the uppermost first. (Node's own recursion never ends below /proc.) */
function makeFolder(folder: string): string[] {
  if (existsSync(folder)) return [];
  const above = makeFolder(dirname(folder));
  mkdirSync(folder);
  return [...above, folder];
}

/** A file that is written piece by piece, and is there when it is finished or not at all. */
export interface WholeFile {
  /** A pipe or device takes pieces in order only, and at once. */
  readonly canRewrite: boolean;
  write(bytes: Uint8Array): void;
  /** Replaces bytes that were written at `at`. */
  rewrite(bytes: Uint8Array, at: number): void;
  finish(): void;
  /** After an error elsewhere: leaves nothing. Does nothing once finished. */
  discard(): void;
}

/** What has a temporary file now. */
const UNFINISHED = new Set<() => void>();

/** Before the process ends early: leaves nothing of any file that is not finished. */
export function discardUnfinished(): void {
  for (const discard of UNFINISHED) discard();
}

/** Of a temporary file's name, so that the name is not too long. */
const MAX_STEM = 40;

/**
 * A new file beside the one that is written, under a name that nobody can know before: whatever has that name already, a link among
 * them, is left alone.
 */
function openTemporary(folder: string, stem: string, mode: number | undefined): [path: string, file: number] {
  const path = join(folder, `.${stem.slice(0, MAX_STEM)}.${randomBytes(8).toString("hex")}.tmp`);
  return [path, openSync(path, "wx", mode)];
}

/** As writeWhole, piece by piece. Each of its functions throws DataError, after which nothing is left. */
export function createWhole(path: string): WholeFile {
  let file: number | undefined;
  let temporary: string | undefined;
  let target = path;
  const discard = (): void => {
    UNFINISHED.delete(discard);
    if (file !== undefined) closeSync(file);
    file = undefined;
    if (temporary !== undefined) rmSync(temporary, { force: true });
    temporary = undefined;
  };
  const guard = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      discard();
      throw new DataError(path, `cannot be written: ${reason(error)}`);
    }
  };
  return guard(() => {
    const present = statSync(path, { throwIfNoEntry: false });
    const isStream = present !== undefined && !present.isFile() && !present.isDirectory(); // a pipe or device stays what it is
    if (isStream) file = openSync(path, "w");
    else {
      target = present ? realpathSync(path) : path; // a link stays a link
      const folder = dirname(target);
      makeFolder(folder);
      [temporary, file] = openTemporary(folder, basename(target), present?.mode);
      UNFINISHED.add(discard);
    }
    return {
      canRewrite: !isStream,
      write: (bytes) => guard(() => writeFileSync(file as number, bytes)),
      rewrite: (bytes, at) =>
        guard(() => {
          for (let done = 0; done < bytes.length; ) done += writeSync(file as number, bytes, done, bytes.length - done, at + done);
        }),
      finish: () =>
        guard(() => {
          if (!isStream) fsyncSync(file as number);
          closeSync(file as number);
          file = undefined;
          if (temporary !== undefined) renameSync(temporary, target);
          temporary = undefined;
          UNFINISHED.delete(discard);
        }),
      discard,
    };
  });
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

/** What went wrong, in words. */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ""] ?? message;
}
