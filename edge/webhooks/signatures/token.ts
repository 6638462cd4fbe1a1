// A token in the path, in a header or in the body, for senders that cannot sign, such as TradingView, GitLab, Zapier, n8n and Make. It
// proves who, not what: whoever sees one request can send another.
import { followPointer, parseHeaderPlace, parsePointerAt } from "../../config/json-pointer.ts";
import type { Bytes } from "../../http/encoding.ts";
import { isSecret } from "./keys.ts";
import { GENUINE, jsonIn, rejected, type SchemeDefinition, textSecrets, type Verdict } from "./scheme.ts";

export interface TokenScheme {
  readonly kind: "token";
  readonly secrets: readonly Bytes[];
  /** Where the token stands: in the path behind the source, in a header, or in the body. */
  readonly at: "path" | { readonly header: string } | readonly string[];
}

export const token: SchemeDefinition<TokenScheme> = {
  keys: ["token"],
  signsTime: () => false,
  parse(given) {
    const { table, path } = given;
    const secrets = textSecrets(given);
    const header = parseHeaderPlace(table.token);
    if (table.token === "path" || header !== undefined) return { kind: "token", secrets, at: header ?? "path" };
    const what = "path, header:NAME or a JSON Pointer such as /token";
    return { kind: "token", secrets, at: parsePointerAt(table.token, [...path, "token"], what) };
  },
  async begin({ secrets, at }, incoming) {
    if (at !== "path" && !("header" in at)) return (bytes) => judge(secrets, followPointer(jsonIn(bytes), at).value, "from the body");
    const verdict = await (at === "path"
      ? judge(secrets, incoming.token, "behind the source in the path")
      : judge(secrets, incoming.headers.get(at.header), "from its header"));
    return verdict.ok ? async () => verdict : verdict;
  },
};

async function judge(secrets: readonly Bytes[], sent: unknown, place: string): Promise<Verdict> {
  if (typeof sent !== "string" || sent === "") return rejected(`the token is missing ${place}`);
  return (await isSecret(secrets, sent)) ? GENUINE : rejected("the token is not this source's");
}
