// What becomes of a value that is not finite, a label that is not 0 or 1, and a size that no data have. Knows no format.
import { DataError } from "../../shared/errors.ts";

/**
 * Hears of a bad value or label: `source` is the file and the place in it. `refuse` throws; one that returns has what was read
 * kept as NaN, or NO_LABEL.
 */
export type Complain = (source: string, message: string) => void;

export const refuse: Complain = (source, message) => {
  throw new DataError(source, message);
};

export const NO_LABEL = 255;

/** 0, 1, or NO_LABEL after a complaint. */
export function toLabel(value: number, what: string, source: string, complain: Complain): number {
  if (value === 0 || value === 1) return value;
  complain(source, `${what} is ${value}, expected a label 0 or 1`);
  return NO_LABEL;
}

/** Below this, whatever a file unpacks to is cheap to look at. */
const HARMLESS_BYTES = 2 ** 26;
/** Deflate packs at best 1032 to 1 (zlib.net/zlib_tech.html), numbers as text 2 to 10 to 1, columns that hardly change 100 to 1. */
const MAX_INFLATION = 250;

/** Throws DataError where `unpacked` bytes out of `packed` are a bomb and not data. */
export function checkInflation(unpacked: number, packed: number, source: string): void {
  if (unpacked > HARMLESS_BYTES && unpacked > MAX_INFLATION * packed)
    throw new DataError(
      source,
      `unpacks to ${Math.floor(unpacked / 2 ** 20)} MiB, more than ${MAX_INFLATION} times its size: it is damaged, or made to fill memory`,
    );
}
