// One HMAC-SHA256 over the body alone, in a header of the sender's choice: prefix, then hexadecimal digits or base64.
import { describe, type Path } from "../../../shared/errors.ts";
import { ConfigurationError, parseChoice, parseString } from "../../config/configuration.ts";
import { type Bytes, decode, ENCODINGS, type Encoding } from "../../http/encoding.ts";
import { isHmac } from "./keys.ts";
import { anyOf, GENUINE, rejected, type SchemeDefinition, textSecrets } from "./scheme.ts";

export interface HmacScheme {
  readonly kind: "hmac";
  readonly secrets: readonly Bytes[];
  readonly header: string;
  readonly encoding: Encoding;
  readonly prefix: string;
}

export const hmac: SchemeDefinition<HmacScheme> = {
  keys: ["header", "encoding", "prefix"],
  signsTime: false,
  parse(given) {
    const { table, path } = given;
    return {
      kind: "hmac",
      secrets: textSecrets(given),
      header: parseHeaderName(table.header, [...path, "header"]),
      encoding: parseChoice(table.encoding, [...path, "encoding"], ENCODINGS),
      prefix: table.prefix === undefined ? "" : parseString(table.prefix, [...path, "prefix"]),
    };
  },
  begin({ secrets, header, encoding, prefix }, { headers }) {
    const text = headers.get(header);
    // neither name nor prefix is shown: a secret may stand where they belong
    if (text === null) return rejected("the header that carries the signature is missing");
    const signature = text.startsWith(prefix) ? decode(text.slice(prefix.length), encoding) : undefined;
    if (signature === undefined) return rejected(`the header that carries the signature is not the prefix and ${encoding}`);
    return async (bytes) => {
      const isGenuine = await anyOf(secrets, (secret) => isHmac(secret, bytes, signature));
      return isGenuine ? GENUINE : rejected("the signature does not fit");
    };
  },
};

function parseHeaderName(value: unknown, path: Path): string {
  const name = parseString(value, path, "the name of a header");
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) throw new ConfigurationError(path, "must be the name of a header", describe(name));
  return name;
}
