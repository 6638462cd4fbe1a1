// Mailgun: HMAC-SHA256 in hexadecimal digits over timestamp and token, which stand in the body beside the event. The event itself is not
// signed: so a token counts once, for one body.
import { followPointer } from "../../config/json-pointer.ts";
import { type Bytes, decode, encodeText } from "../../http/encoding.ts";
import { isHmac } from "./keys.ts";
import { anyOf, jsonIn, parseTolerance, refuseTimestamp, rejected, type SchemeDefinition, textSecrets } from "./scheme.ts";

export interface MailgunScheme {
  readonly kind: "mailgun";
  readonly secrets: readonly Bytes[];
  readonly toleranceS: number;
}

export const mailgun: SchemeDefinition<MailgunScheme> = {
  keys: ["tolerance"],
  signsTime: () => true,
  parse: (given) => ({
    kind: "mailgun",
    secrets: textSecrets(given),
    toleranceS: parseTolerance(given.table.tolerance, [...given.path, "tolerance"]),
  }),
  begin:
    ({ secrets, toleranceS }, _, nowSeconds) =>
    async (bytes) => {
      const document = jsonIn(bytes);
      const [timestamp, token, signature] = ["timestamp", "token", "signature"].map(
        (name) => followPointer(document, ["signature", name]).value,
      );
      const given = typeof signature === "string" ? decode(signature, "hex") : undefined;
      // the lengths are fixed, so that one signature fits one split into timestamp and token
      if (given === undefined || !/^\d{10}$/.test(`${timestamp}`) || typeof token !== "string" || !/^[\w-]{16,128}$/.test(token))
        return rejected("signature.timestamp, signature.token and signature.signature must be in the body");
      const stale = refuseTimestamp("signature.timestamp", `${timestamp}`, nowSeconds, toleranceS);
      if (stale !== undefined) return rejected(stale);
      const content = encodeText(`${timestamp}${token}`);
      const isGenuine = await anyOf(secrets, (secret) => isHmac(secret, content, given));
      return isGenuine ? { ok: true, once: `${timestamp}${token}` } : rejected("signature.signature does not fit");
    },
};
