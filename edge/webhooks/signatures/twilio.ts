// Twilio: `X-Twilio-Signature`, HMAC-SHA1 in base64 over the address and the fields of a form in their order, or, with `bodySHA256` in the
// query, over the address alone, which then names the body's SHA-256.
import { type Bytes, decodeBase64, encodeText } from "../../http/encoding.ts";
import { digestOf } from "../../http/hashes.ts";
import { isHmac } from "./keys.ts";
import { anyOf, GENUINE, parsePublicUrl, rejected, type SchemeDefinition, textSecrets } from "./scheme.ts";

export interface TwilioScheme {
  readonly kind: "twilio";
  readonly secrets: readonly Bytes[];
  /** As Twilio was given it, without a query that is not Twilio's own. */
  readonly url: string;
}

/** Fields of one form. */
const MAX_FIELDS = 1000;

export const twilio: SchemeDefinition<TwilioScheme> = {
  keys: ["url"],
  signsTime: () => false,
  parse: (given) => ({ kind: "twilio", secrets: textSecrets(given), url: parsePublicUrl(given.table.url, [...given.path, "url"]) }),
  begin({ secrets, url }, { headers, url: asked = "" }) {
    const signature = decodeBase64(headers.get("x-twilio-signature") ?? "");
    if (!signature?.length) return rejected("x-twilio-signature must be there, in base64");
    const query = asked.includes("?") ? asked.slice(asked.indexOf("?")).split("#")[0] : "";
    const bodyHash = new URLSearchParams(query).get("bodySHA256");
    return async (bytes) => {
      if (bodyHash !== null && bodyHash.toLowerCase() !== (await digestOf(bytes))) return rejected("bodySHA256 is not the body's");
      const fields = bodyHash === null ? fieldsOf(bytes) : "";
      if (fields === undefined) return rejected(`the form has more than ${MAX_FIELDS} fields`);
      const candidates = spellings(url + query).map((text) => encodeText(text + fields));
      const isGenuine = await anyOf(candidates, (content) => anyOf(secrets, (secret) => isHmac(secret, content, signature, "sha1")));
      return isGenuine ? GENUINE : rejected("x-twilio-signature does not fit");
    };
  },
};

/** Name and value of each field, by name; of one that comes twice each value once, in their order. */
function fieldsOf(bytes: Bytes): string | undefined {
  const fields = [...new URLSearchParams(new TextDecoder().decode(bytes))];
  if (fields.length > MAX_FIELDS) return undefined;
  const values = new Map<string, Set<string>>();
  for (const [name, value] of fields) values.set(name, (values.get(name) ?? new Set()).add(value));
  return [...values.keys()]
    .sort()
    .flatMap((name) => [...values.get(name)!].sort().map((value) => name + value))
    .join("");
}

/** With the scheme's own port and without: Twilio signs the one or the other. */
function spellings(url: string): string[] {
  const [, scheme, host, port, rest] = /^(https?):\/\/([^/?#:]+)(:\d+)?(.*)$/.exec(url) ?? [];
  if (scheme === undefined) return [url];
  const own = scheme === "https" ? ":443" : ":80";
  return port === undefined || port === own ? [`${scheme}://${host}${rest}`, `${scheme}://${host}${own}${rest}`] : [url];
}
