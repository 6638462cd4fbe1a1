// The first lines of a file of text, before its parser sees them: found out how they are written, and freed of what is no data.
// Bytes → dialect and bytes. Knows no file system.
import { type Head, readHead, type SaidDialect } from "./dialect.ts";

/** What is looked at: these bytes and no fewer than two lines, of no more than so many. */
const HEAD_BYTES = 2 ** 16;
const HEAD_LINES = 128;

export interface OpenTable {
  readonly head: Head;
  /** All bytes, lines as they are numbered in the file. */
  readonly chunks: AsyncGenerator<Uint8Array>;
}

/** Reads as much as the dialect takes; the rest comes with the chunks. Throws DataError. */
export async function openTable(chunks: AsyncGenerator<Uint8Array>, source: string, said: SaidDialect): Promise<OpenTable> {
  let bytes: Buffer = Buffer.alloc(0);
  let isWhole = false;
  while (!isWhole && (bytes.length < HEAD_BYTES || endOfLines(bytes, 2) < 0)) {
    const { done, value } = await chunks.next();
    if (done) isWhole = true;
    else bytes = bytes.length === 0 ? Buffer.from(value.buffer, value.byteOffset, value.length) : Buffer.concat([bytes, value]);
  }
  const end = headEnd(bytes, isWhole);
  const text = bytes.toString("utf8", 0, end);
  const newline = /\r\n|\n|\r/.exec(text)?.[0] ?? "\n";
  const lines = text.split(newline);
  const head = readHead(lines, said, source);
  const isSame = head.lines.every((line, i) => line === lines[i]);
  const start = isSame ? bytes : Buffer.concat([Buffer.from(head.lines.join(newline)), bytes.subarray(end)]);
  return { head, chunks: prepend(start, chunks) };
}

/** Where the head's last line ends, its newline left out: no line is cut, unless there is but one. */
function headEnd(bytes: Buffer, isWhole: boolean): number {
  const end = endOfLines(bytes, HEAD_LINES);
  if (end >= 0) return end;
  const last = Math.max(bytes.lastIndexOf(0x0a), bytes.lastIndexOf(0x0d));
  return isWhole || last < 0 ? bytes.length : last;
}

/** Where the line number `count` ends, or −1 where there are fewer. */
function endOfLines(bytes: Buffer, count: number): number {
  const newline = bytes.includes(0x0a) ? 0x0a : 0x0d;
  let at = -1;
  for (let i = 0; i < count; i++) {
    at = bytes.indexOf(newline, at + 1);
    if (at < 0) return -1;
  }
  return at;
}

async function* prepend(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}
