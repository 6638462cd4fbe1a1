// What becomes of a value that is not finite, a label that is not 0 or 1, and a size that no data have. Knows no format.
import { DataError } from "../../shared/errors.ts";

/**
 * Hears of a bad value or label: `source` is the file and the place in it, `label` what stands there for one. `refuse` throws; one
 * that returns has what was read kept as NaN, or NO_LABEL.
 */
export type Complain = (source: string, message: string, label?: number) => void;

export const refuse: Complain = (source, message) => {
  throw new DataError(source, message);
};

export const NO_LABEL = 255;

/** 0, 1, or NO_LABEL after a complaint. */
export function toLabel(value: number, what: string, source: string, complain: Complain): number {
  if (value === 0 || value === 1) return value;
  complain(source, `${what} is ${value}, expected a label 0 or 1`, value);
  return NO_LABEL;
}

/** Complaints as they come, for whoever wants to know what is wrong with data rather than not to have them. */
export interface Flaws {
  readonly complain: Complain;
  /** What stood where labels are NO_LABEL; call it in the order of reading. Of windows it is what stood in the rows. */
  restore(labels: Uint8Array): Float64Array;
}

export function collectFlaws(): Flaws {
  const strange: number[] = [];
  let used = 0;
  return {
    complain(_source, _message, label) {
      if (label !== undefined) strange.push(label);
    },
    restore(labels) {
      const missing = labels.reduce((sum, label) => sum + (label === NO_LABEL ? 1 : 0), 0);
      const isKnown = used + missing <= strange.length;
      return Float64Array.from(labels, (label) => (label !== NO_LABEL ? label : isKnown ? strange[used++] : Number.NaN));
    },
  };
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
