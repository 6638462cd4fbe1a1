// Addresses in a kernel's memory, given out one after the other. Knows no kernel.
import { LimitError } from "../../shared/errors.ts";

/** Bytes of a page of WebAssembly memory. Page 0 is left to a kernel's constants, which every instance writes anew. */
export const PAGE = 65_536;
const MAX_PAGES = 65_536;

/** Gives out addresses from `start` on, 64 bytes aligned: a cache line. */
export function createLayout(start: number) {
  let end = 64 * Math.ceil(start / 64);
  return {
    reserve(bytes: number): number {
      const at = end;
      end += 64 * Math.ceil(bytes / 64);
      return at;
    },
    end: () => end,
  };
}

/** Pages that hold so many bytes. Throws LimitError above 4 GiB; `what` is for and `fewer` of what helps go into its sentence. */
export function countPages(bytes: number, what: string, fewer: string): number {
  const pages = Math.ceil(bytes / PAGE);
  if (pages <= MAX_PAGES) return pages;
  const needed = `${(bytes / 2 ** 30).toFixed(1)} GiB for ${what}`;
  throw new LimitError([], `training needs ${needed}, and WebAssembly has 4: take fewer ${fewer}`, 2 ** 32);
}
