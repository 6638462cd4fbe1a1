// Stripe: `Stripe-Signature: t=…,v1=…,v1=…`, HMAC-SHA256 in hexadecimal digits over `t.body`; other versions are passed over.
import { type Bytes, concat, decode, encodeText } from "../../http/encoding.ts";
import { isHmac } from "./keys.ts";
import { anyOf, GENUINE, MAX_SIGNATURES, refuseTimestamp, rejected, type SchemeDefinition, textSecrets } from "./scheme.ts";

export interface StripeScheme {
  readonly kind: "stripe";
  readonly secrets: readonly Bytes[];
}

export const stripe: SchemeDefinition<StripeScheme> = {
  keys: [],
  signsTime: true,
  parse: (given) => ({ kind: "stripe", secrets: textSecrets(given) }),
  begin({ secrets }, { headers }, nowSeconds) {
    const parts = (headers.get("stripe-signature") ?? "").split(",").map((part) => part.trim().split("=", 2));
    const valuesOf = (name: string): string[] =>
      parts.filter(([key, value]) => key === name && value !== undefined).map(([, value]) => value);
    const [timestamp] = valuesOf("t");
    const signatures = valuesOf("v1").slice(0, MAX_SIGNATURES);
    if (timestamp === undefined || signatures.length === 0) return rejected("stripe-signature must have t=… and v1=…");
    const stale = refuseTimestamp("stripe-signature's t", timestamp, nowSeconds);
    if (stale !== undefined) return rejected(stale);
    return async (bytes) => {
      const content = concat(encodeText(`${timestamp}.`), bytes);
      const isGenuine = await anyOf(signatures, async (text) => {
        const signature = decode(text, "hex");
        return signature !== undefined && anyOf(secrets, (secret) => isHmac(secret, content, signature));
      });
      return isGenuine ? GENUINE : rejected("no v1 in stripe-signature fits");
    };
  },
};
