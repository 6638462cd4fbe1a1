// Gives out stretches of one growing memory, and takes them back. Knows addresses alone.

export interface Arena {
  /** The address of so many free bytes, 64 bytes aligned. */
  allocate(bytes: number): number;
  /** What `allocate` gave is free again. */
  free(address: number): void;
}

/** Addresses from `start` on; `grow` sees to it that memory reaches to `end`, or throws. The lowest stretch that suffices is taken. */
export function createArena(start: number, grow: (end: number) => void): Arena {
  /** Taken stretches by their address. */
  const taken = new Map<number, number>();
  return {
    allocate(bytes) {
      const size = 64 * Math.ceil(bytes / 64);
      let at = start;
      for (const address of [...taken.keys()].sort((a, b) => a - b)) {
        if (address - at >= size) break;
        at = address + taken.get(address)!;
      }
      grow(at + size);
      taken.set(at, size);
      return at;
    },
    free(address) {
      taken.delete(address);
    },
  };
}
