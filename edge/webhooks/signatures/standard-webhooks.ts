// Standard Webhooks 1.0.0: `webhook-signature: v1,… v1a,…` over `id.timestamp.body`; Svix's names for the headers are taken, too.
import { concat, decodeBase64, encodeText } from "../../http/encoding.ts";
import { isSignature, parseVerifyingKey, type VerifyingKey } from "./keys.ts";
import { anyOf, MAX_SIGNATURES, refuseTimestamp, rejected, type SchemeDefinition } from "./scheme.ts";

export interface StandardWebhooksScheme {
  readonly kind: "standard-webhooks";
  readonly keys: readonly VerifyingKey[];
}

export const standardWebhooks: SchemeDefinition<StandardWebhooksScheme> = {
  keys: [],
  signsTime: () => true,
  parse: ({ path, secrets }) => ({
    kind: "standard-webhooks",
    keys: secrets.map((secret, i) => parseVerifyingKey(secret, [...path, "secrets", i])),
  }),
  begin({ keys }, { headers }, nowSeconds) {
    const prefix = headers.has("webhook-id") || !headers.has("svix-id") ? "webhook" : "svix";
    const [id, timestamp, list] = ["id", "timestamp", "signature"].map((name) => headers.get(`${prefix}-${name}`));
    if (!id || !timestamp || !list) return rejected(`${prefix}-id, ${prefix}-timestamp and ${prefix}-signature must all be there`);
    // with a dot in it, one signature would fit several splits into id, timestamp and body
    if (!/^[!-~]{1,256}$/.test(id) || id.includes(".")) return rejected(`${prefix}-id must be 1 to 256 visible characters without a dot`);
    const stale = refuseTimestamp(`${prefix}-timestamp`, timestamp, nowSeconds);
    if (stale !== undefined) return rejected(stale);
    const signatures = list.split(" ", MAX_SIGNATURES).map((text) => text.split(","));
    return async (bytes) => {
      const content = concat(encodeText(`${id}.${timestamp}.`), bytes);
      const isGenuine = await anyOf(signatures, async ([version, text = ""]) => {
        const signature = decodeBase64(text);
        return signature !== undefined && anyOf(keys, async (key) => key.version === version && isSignature(key, content, signature));
      });
      return isGenuine ? { ok: true, id } : rejected(`no signature in ${prefix}-signature fits`);
    };
  },
};
