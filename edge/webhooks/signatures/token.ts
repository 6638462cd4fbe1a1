// A token in the path or in the body, for senders that cannot sign, such as TradingView. It proves who, not what: whoever sees one
// request can send another.
import { followPointer, parsePointerAt } from "../../config/json-pointer.ts";
import { parseJson } from "../../http/body.ts";
import { type Bytes, encodeText } from "../../http/encoding.ts";
import { isHmac, signHmac } from "./keys.ts";
import { anyOf, GENUINE, rejected, type SchemeDefinition, textSecrets, type Verdict } from "./scheme.ts";

export interface TokenScheme {
  readonly kind: "token";
  readonly secrets: readonly Bytes[];
  /** Where the token stands: in the path behind the source, or in the body. */
  readonly at: "path" | readonly string[];
}

const ANY_KEY = encodeText("quickstep");

export const token: SchemeDefinition<TokenScheme> = {
  keys: ["token"],
  signsTime: false,
  parse(given) {
    const { table, path } = given;
    const secrets = textSecrets(given);
    const at = table.token === "path" ? "path" : parsePointerAt(table.token, [...path, "token"], "path or a JSON Pointer such as /token");
    return { kind: "token", secrets, at };
  },
  async begin({ secrets, at }, incoming) {
    if (at !== "path") return (bytes) => judge(secrets, tokenIn(bytes, at), "from the body");
    const verdict = await judge(secrets, incoming.token, "behind the source in the path");
    return verdict.ok ? async () => verdict : verdict;
  },
};

async function judge(secrets: readonly Bytes[], sent: unknown, place: string): Promise<Verdict> {
  if (typeof sent !== "string" || sent === "") return rejected(`the token is missing ${place}`);
  // equal texts have equal signatures, and those are compared in constant time
  const signature = await signHmac(ANY_KEY, encodeText(sent));
  return (await anyOf(secrets, (secret) => isHmac(ANY_KEY, secret, signature))) ? GENUINE : rejected("the token is not this source's");
}

/** Undefined also where the body is no JSON: whoever has no token learns nothing about bodies. */
function tokenIn(bytes: Bytes, at: readonly string[]): unknown {
  try {
    return followPointer(parseJson(bytes), at).value;
  } catch {
    return undefined;
  }
}
