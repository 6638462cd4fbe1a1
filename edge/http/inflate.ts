// A compressed body → the bytes it stands for, as they are asked for. The platform's DecompressionStream checks checksums, ends and what
// follows them, but keeps all that it was handed, unpacked, however little of it is read: it is handed a slice at a time.
import { RequestError } from "./problem.ts";

/** What is unpacked, by its name in content-encoding; `deflate` is zlib's format (RFC 9110, 8.4.1). */
export const FORMATS = { gzip: "gzip", "x-gzip": "gzip", deflate: "deflate" } as const;
export type Format = (typeof FORMATS)[keyof typeof FORMATS];

/** Stands for at most 4.2 MB: deflate's 258 bytes take 2 bits at least. */
const SLICE_BYTES = 4096;
/** Of one read. */
const VIEW_BYTES = 64 * 1024;

/**
 * The bytes that `source` stands for, in pieces. Reads no slice of `source` before all of the last one is taken. Throws RequestError where
 * the bytes are damaged, end early, or go on behind the end, in another member of gzip too; and what `source` throws.
 */
export async function* inflate(source: AsyncIterable<Uint8Array>, format: Format): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { readable, writable } = new DecompressionStream(format);
  const writer = writable.getWriter();
  const reader = openReader(readable);
  const damaged = (): never => {
    throw new RequestError("malformed", `the body is not what ${format} writes: it is damaged, cut short, or has bytes behind its end`);
  };
  let reading: Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> | undefined;
  const read = () => {
    reading ??= reader.read();
    reading.catch(() => {}); // told by whoever awaits it, or by the write that failed, too
    return reading;
  };
  try {
    for await (const slice of slicesOf(source)) {
      const written = writer.write(slice).then(turn, damaged);
      for (;;) {
        const piece = await Promise.race([read(), written]).catch(damaged);
        if (piece?.value === undefined) break; // the slice is taken, and stands for nothing more
        reading = undefined;
        yield piece.value;
        if (reader.isDrainedBy(piece.value)) break;
      }
    }
    const closed = writer.close().catch(damaged);
    closed.catch(() => {});
    for (;;) {
      const { done, value } = await read().catch(damaged);
      reading = undefined;
      if (done) break;
      yield value;
    }
    await closed;
  } finally {
    writer.abort().catch(() => {});
    reader.cancel();
  }
}

/** Reads as much as there is up to a view's length; where the platform has no such reader, as in Node, a piece at a time. */
function openReader(readable: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const ignore = () => {};
  try {
    const reader = readable.getReader({ mode: "byob" });
    return {
      read: () => reader.read(new Uint8Array(VIEW_BYTES)) as Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>>,
      isDrainedBy: ({ length }: Uint8Array) => length < VIEW_BYTES,
      cancel: () => void reader.cancel().catch(ignore),
    };
  } catch {
    const reader = readable.getReader();
    return { read: () => reader.read(), isDrainedBy: () => false, cancel: () => void reader.cancel().catch(ignore) };
  }
}

async function* slicesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const chunk of source)
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) yield chunk.subarray(at, at + SLICE_BYTES) as Uint8Array<ArrayBuffer>;
}

/** When whatever has happened is told: a read that is not answered then has nothing to read. */
function turn(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), 0));
}
