// A text file's bytes → UTF-8, as every text format's reader takes them. A byte order mark decides between UTF-8 and UTF-16
// (unicode.org/faq/utf_bom.html); other encodings are refused, since the same byte is another letter in each. Knows no format.
import { isAscii } from "node:buffer";
import { DataError } from "../../shared/errors.ts";

/** What begins a file → the encoding that it says. */
const MARKS: readonly [bytes: readonly number[], encoding: string][] = [
  [[0xef, 0xbb, 0xbf], "utf-8"],
  [[0xff, 0xfe], "utf-16le"],
  [[0xfe, 0xff], "utf-16be"],
];
/** Bytes of the longest mark. */
const MARK_BYTES = 3;

/** The text in UTF-8 without a byte order mark, chunk by chunk. Throws DataError where bytes are no text in the encoding they should be in. */
export async function* toUtf8(chunks: AsyncIterable<Uint8Array>, source: string): AsyncGenerator<Uint8Array> {
  let head: Uint8Array = new Uint8Array(0); // until there is enough of it to see a mark
  let convert: ((chunk: Uint8Array, isLast: boolean) => Uint8Array) | null = null;
  for await (const chunk of chunks) {
    if (convert === null) {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      if (head.length < MARK_BYTES) continue;
      convert = createConverter(head, source);
      yield convert(head, false);
    } else yield convert(chunk, false);
  }
  convert ??= createConverter(head, source);
  yield convert(head.length < MARK_BYTES ? head : new Uint8Array(0), true);
}

function createConverter(head: Uint8Array, source: string): (chunk: Uint8Array, isLast: boolean) => Uint8Array {
  const mark = MARKS.find(([bytes]) => bytes.every((byte, i) => head[i] === byte));
  const encoding = mark?.[1] ?? "utf-8";
  const decoder = new TextDecoder(encoding, { fatal: true });
  let offset = 0; // of the chunk in the file
  let isPlain = mark === undefined; // whether all has been ASCII so far
  return (chunk, isLast) => {
    isPlain &&= isAscii(chunk);
    if (isPlain) return advance(chunk, chunk);
    let text: string;
    try {
      text = decoder.decode(chunk, { stream: !isLast });
    } catch {
      const { at, before } = findDamage(chunk, encoding);
      throw new DataError(
        source,
        `is not ${encoding.toUpperCase()} from byte ${offset + at} on, after ${JSON.stringify(before)}: save it as UTF-8`,
      );
    }
    return advance(chunk, encoding === "utf-8" && mark === undefined ? chunk : Buffer.from(text));
  };
  function advance(chunk: Uint8Array, converted: Uint8Array): Uint8Array {
    const zero = converted.indexOf(0);
    if (zero >= 0)
      throw new DataError(
        source,
        `holds a zero ${encoding === "utf-8" ? `at byte ${offset + zero}` : `behind byte ${offset}`}, which no text has, but UTF-16 without a byte order mark, UTF-32 and files of other programs: save it as UTF-8`,
      );
    offset += chunk.length;
    return converted;
  }
}

/** The first byte that is no text, and up to 20 characters before it. */
function findDamage(chunk: Uint8Array, encoding: string): { at: number; before: string } {
  const text = new TextDecoder(encoding).decode(chunk);
  const good = text.slice(0, Math.max(0, text.indexOf("\ufffd")));
  return { at: encoding === "utf-8" ? Buffer.byteLength(good) : 2 * good.length, before: good.slice(-20) };
}
