// Files that a command will write, checked before it computes anything.
import { existsSync, statSync } from "node:fs";
import { DataError, UsageError } from "../../shared/errors.ts";
import { checkWritable } from "../files/whole-files.ts";

export const ARTIFACT_ENDINGS = [".safetensors"] as const;
export const PAGE_ENDINGS = [".html", ".htm"] as const;
export const ONNX_ENDINGS = [".onnx"] as const;

/**
 * Whether the file that `--option` names can be written: its ending is one of `endings`, its folder exists or can be made. Writes
 * nothing. A pipe or a device may be called anything. Throws UsageError, DataError.
 */
export function checkOutput(option: string, path: string, endings: readonly string[]): void {
  checkWritable(path);
  const present = statSync(path, { throwIfNoEntry: false });
  const isStream = present !== undefined && !present.isFile();
  if (!isStream && !endings.some((ending) => path.toLowerCase().endsWith(ending)))
    throw new UsageError(`--${option} must end in ${endings.join(" or ")}, got ${path}`);
}

/** Throws DataError where `path`, which nobody named, is there already. */
export function checkAbsent(path: string): void {
  if (existsSync(path)) throw new DataError(path, "exists already: choose another place with --out, or overwrite the file with --force");
}
