// Which sizes no data have: packed bytes that unpack to far more than they should. Knows no format.
import { DataError } from "../../shared/errors.ts";

/** Below this, whatever a file unpacks to is cheap to look at. */
const HARMLESS_BYTES = 2 ** 26;
/** Deflate packs at best 1032 to 1 (zlib.net/zlib_tech.html), numbers as text 2 to 10 to 1, columns that hardly change 100 to 1. */
const MAX_INFLATION = 250;

/** Throws DataError where `unpacked` bytes out of `packed` are a bomb and not data. */
export function checkInflation(unpacked: number, packed: number, source: string): void {
  if (unpacked > HARMLESS_BYTES && unpacked > MAX_INFLATION * packed)
    throw new DataError(
      source,
      `unpacks to ${Math.floor(unpacked / 2 ** 20)} MiB, more than ${MAX_INFLATION} times its size: the file is damaged, or made to fill memory`,
    );
}
