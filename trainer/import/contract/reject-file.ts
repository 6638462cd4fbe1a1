// The one sentence with which an importer rejects a file: what was found, and what to do. Knows no format.
import { DataError } from "../../../shared/errors.ts";

/** Far more than a sentence needs; names in a file may be of any length. */
const MAX_LINE_CHARACTERS = 500;

/** Where every other network runs: docs/import-export.md says how. */
export const SECOND_ENGINE = "as ONNX the whole model runs on the second engine (import --engine onnx, docs/import-export.md)";

/** Throws DataError `source: problem: fix`. `problem` says what was found in the file, `fix` what would be needed. */
export function rejectFile(source: string, problem: string, fix: string): never {
  throw new DataError(source, printable(`${problem}: ${fix}`));
}

/** Names come from the file: `text` as one line of at most 500 characters, without control characters. */
export function printable(text: string): string {
  const line = text.replace(/\p{Cc}+/gu, " ");
  return line.length > MAX_LINE_CHARACTERS ? `${line.slice(0, MAX_LINE_CHARACTERS)}…` : line;
}
