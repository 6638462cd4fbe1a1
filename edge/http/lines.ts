// A stream of bytes as lines, one whole line in memory at a time: memory stays flat whatever is sent, in whatever pieces.

/** A line's bytes, valid until the next one is asked for; null for a line longer than `maxBytes`, which is passed over. */
export type Line = Uint8Array | null;

const NEWLINE = 0x0a;
const FIRST_BYTES = 4096;

/** Splits the chunks of one stream; a line may be spread over several. */
export class LineSplitter {
  readonly #maxBytes: number;
  #buffer = new Uint8Array(FIRST_BYTES);
  #length = 0;
  #overflown = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in `chunk`. */
  *split(chunk: Uint8Array): Generator<Line> {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from);
      if (end < 0) break;
      if (this.#length === 0 && !this.#overflown) yield end - from > this.#maxBytes ? null : chunk.subarray(from, end);
      else {
        this.#append(chunk.subarray(from, end));
        yield this.#take();
      }
      from = end + 1;
    }
    this.#append(chunk.subarray(from));
  }

  /** The last line, where no newline ends it. */
  *end(): Generator<Line> {
    if (this.#length > 0 || this.#overflown) yield this.#take();
  }

  #append(piece: Uint8Array): void {
    if (this.#overflown || this.#length + piece.length > this.#maxBytes) {
      this.#overflown = true;
      this.#length = 0;
      return;
    }
    if (this.#length + piece.length > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(this.#maxBytes, Math.max(2 * this.#buffer.length, this.#length + piece.length)));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(piece, this.#length);
    this.#length += piece.length;
  }

  #take(): Line {
    const line = this.#overflown ? null : this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    this.#overflown = false;
    return line;
  }
}
