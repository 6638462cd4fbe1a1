// Discord: ed25519 over timestamp and body, by the application's public key, for interactions and for event webhooks.
import { type Bytes, concat, decode, encodeText } from "../../http/encoding.ts";
import { isEd25519, wrongSecret } from "./keys.ts";
import { anyOf, GENUINE, parseTolerance, refuseTimestamp, rejected, type SchemeDefinition } from "./scheme.ts";

export interface DiscordScheme {
  readonly kind: "discord";
  readonly publicKeys: readonly Bytes[];
  readonly toleranceS: number;
}

export const discord: SchemeDefinition<DiscordScheme> = {
  keys: ["tolerance"],
  signsTime: () => true,
  parse({ table, path, secrets }) {
    const publicKeys = secrets.map((secret, i) => {
      const key = decode(secret, "hex");
      if (key?.length !== 32) throw wrongSecret([...path, "secrets", i], "the application's public key, 64 hexadecimal digits");
      return key;
    });
    return { kind: "discord", publicKeys, toleranceS: parseTolerance(table.tolerance, [...path, "tolerance"]) };
  },
  begin({ publicKeys, toleranceS }, { headers }, nowSeconds) {
    const [text, timestamp] = ["x-signature-ed25519", "x-signature-timestamp"].map((name) => headers.get(name));
    const signature = decode(text ?? "", "hex");
    if (!text || !timestamp || signature === undefined)
      return rejected("x-signature-timestamp and x-signature-ed25519, in hexadecimal digits, must be there");
    const stale = refuseTimestamp("x-signature-timestamp", timestamp, nowSeconds, toleranceS);
    if (stale !== undefined) return rejected(stale);
    return async (bytes) => {
      const content = concat(encodeText(timestamp), bytes);
      return (await anyOf(publicKeys, (key) => isEd25519(key, content, signature)))
        ? GENUINE
        : rejected("x-signature-ed25519 does not fit");
    };
  },
};
