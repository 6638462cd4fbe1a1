// Where a list goes on, as text that is opaque to clients and safe in a URL.
import { decode, encodeBase64, encodeText } from "../http/encoding.ts";
import { RequestError } from "../http/problem.ts";

/** A position in the keys of all shards: behind `after`; and, where `before` is given, in `after` itself below this row. */
export interface Cursor {
  readonly shard: number;
  readonly after: string;
  readonly before?: number;
}

/** Before the first key. */
export const START: Cursor = { shard: 0, after: "" };

/** base64url of JSON, without padding. */
export function encodeCursor({ shard, after, before }: Cursor): string {
  const bytes = encodeText(JSON.stringify([shard, after, before ?? null]));
  return encodeBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** What encodeCursor was given; START for undefined. Throws RequestError `parameter` for anything else. */
export function decodeCursor(text: string | undefined): Cursor {
  if (text === undefined) return START;
  try {
    const [shard, after, before] = JSON.parse(new TextDecoder().decode(decode(text, "base64url"))) as unknown[];
    const isCursor = Number.isInteger(shard) && typeof after === "string" && (before === null || Number.isSafeInteger(before));
    if (isCursor) return { shard: shard as number, after: after as string, ...(before !== null && { before: before as number }) };
  } catch {}
  throw new RequestError("parameter", "cursor must be one that an answer gave");
}
