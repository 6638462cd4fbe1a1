// Whether a request comes from the source it names. Every scheme sees the raw bytes, before anything is parsed.
import type { Bytes } from "./encoding.ts";
import { verifyGithub } from "./signatures/github.ts";
import { verifyHmac } from "./signatures/hmac.ts";
import { verifyStandardWebhooks } from "./signatures/standard-webhooks.ts";
import { verifyStripe } from "./signatures/stripe.ts";
import { verifyToken } from "./signatures/token.ts";
import { normaliseAddress, type Source } from "./sources.ts";
import type { Incoming, Verdict } from "./verdict.ts";

export function verify({ scheme }: Source, incoming: Incoming, bytes: Bytes, nowSeconds: number): Promise<Verdict> {
  switch (scheme.kind) {
    case "standard-webhooks":
      return verifyStandardWebhooks(scheme.keys, incoming.headers, bytes, nowSeconds);
    case "stripe":
      return verifyStripe(scheme.secrets, incoming.headers, bytes, nowSeconds);
    case "github":
      return verifyGithub(scheme.secrets, incoming.headers, bytes);
    case "token":
      return verifyToken(scheme, incoming, bytes);
    case "hmac":
      return verifyHmac(scheme, incoming.headers, bytes);
  }
}

/** Before a byte of the body is read: the reason why this sender's address is not one the source sends from, if so. */
export function refuseAddress({ allow }: Source, headers: Headers): string | undefined {
  if (allow === undefined) return undefined;
  const address = headers.get("cf-connecting-ip"); // Cloudflare's own, whatever the client sent
  if (address === null) return "the address of the sender is not known";
  return allow.includes(normaliseAddress(address) ?? "") ? undefined : `${address} is not an address this source sends from`;
}
