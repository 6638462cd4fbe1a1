// Where a list goes on, as text that is opaque to clients and safe in a URL.
import { decode, encodeBase64, encodeText } from "../http/encoding.ts";
import { RequestError } from "../http/problem.ts";
import { isName } from "../webhooks/event.ts";
import { DIRECTORY_SHARDS, shardOf } from "./directory.ts";

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

/** A cursor's text is never longer: a key of MAX_NAME_BYTES, at worst six bytes of JSON a byte, as base64. */
const MAX_CURSOR_LENGTH = 4096;

/**
 * What encodeCursor was given; START for undefined. Clients hand it back, so that nothing of it is trusted: a shard that there is, a key
 * that may be and lies in that shard, a row number from 1 on. Throws RequestError `parameter` for anything else.
 */
export function decodeCursor(text: string | undefined): Cursor {
  if (text === undefined) return START;
  const cursor = text.length > MAX_CURSOR_LENGTH ? undefined : readCursor(text);
  if (cursor === undefined) throw new RequestError("parameter", "cursor must be one that an answer gave: ask again without it");
  return cursor;
}

function readCursor(text: string): Cursor | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(new TextDecoder().decode(decode(text, "base64url")));
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts) || parts.length !== 3) return undefined;
  const [shard, after, before] = parts as unknown[];
  if (!isWithin(shard, 0, DIRECTORY_SHARDS - 1) || typeof after !== "string") return undefined;
  if (after !== "" && (!isName(after) || shardOf(after) !== shard)) return undefined;
  if (before === null) return { shard, after };
  return isWithin(before, 1, Number.MAX_SAFE_INTEGER) ? { shard, after, before } : undefined;
}

function isWithin(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}
