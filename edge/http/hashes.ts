// Hashes of what is sent and stored: SHA-256, which says that two are the same, and FNV-1a, which is cheap, and says where one belongs.
import { encodeHex, encodeText } from "./encoding.ts";

/** SHA-256 of `said` (text as UTF-8), as 64 hexadecimal digits. */
export async function digestOf(said: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof said === "string" ? encodeText(said) : said;
  return encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** FNV-1a over the text's UTF-8 (http://www.isthe.com/chongo/tech/comp/fnv), 32 bits: even, and the same for ever. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encodeText(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
