// What a stream takes: one event of a key, whoever sent it. Knows no body's layout.
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import { encodeHex } from "../webhooks/encoding.ts";
import { parseName } from "../webhooks/event.ts";

export interface StreamEvent {
  /** Unique among its source's ids of this key, for as long as ids are remembered. */
  readonly id: string;
  /** Milliseconds since 1970: where in the window it belongs. */
  readonly timestamp: number;
  /** One row that joins the key's window, or a whole sequence that is scored as it is and leaves the window alone. */
  readonly data: { readonly values: readonly number[] } | { readonly sequence: readonly (readonly number[])[] };
  /** Two events of one id are the same if this is: `digestOf` what the sender said. */
  readonly digest: string;
}

/** Throws SequenceError at `path`. `.` and `..` are no keys, since no URL's path can hold them. */
export function parseKey(value: unknown, path: Path): string {
  const key = parseName(value, path);
  if (key === "." || key === "..") throw new SequenceError(path, "must not be . or ..", describe(key));
  return key;
}

/** SHA-256 as hexadecimal digits. */
export async function digestOf(said: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof said === "string" ? new TextEncoder().encode(said) : said;
  return encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}
