// One HMAC-SHA256 over the body alone, in a header of the sender's choice: prefix, then hexadecimal digits or base64.
import { type Bytes, decode, type Encoding } from "../encoding.ts";
import { isHmac } from "../keys.ts";
import { anyOf, GENUINE, refuse, type Verdict } from "../verdict.ts";

export interface HmacScheme {
  readonly secrets: readonly Bytes[];
  readonly header: string;
  readonly encoding: Encoding;
  readonly prefix: string;
}

export async function verifyHmac({ secrets, header, encoding, prefix }: HmacScheme, headers: Headers, bytes: Bytes): Promise<Verdict> {
  const text = headers.get(header);
  if (text === null) return refuse(`the header ${header} is missing`);
  const signature = text.startsWith(prefix) ? decode(text.slice(prefix.length), encoding) : undefined;
  if (signature === undefined) return refuse(`the header ${header} is not ${prefix}${encoding}`);
  const isGenuine = await anyOf(secrets, (secret) => isHmac(secret, bytes, signature));
  return isGenuine ? GENUINE : refuse(`the signature in ${header} does not fit`);
}
