// A token in the path or in the body, for senders that cannot sign, such as TradingView. It proves who, not what: whoever sees one
// request can send another.
import { parseJson } from "../../http/body.ts";
import { type Bytes, encodeText } from "../encoding.ts";
import { isHmac, signHmac } from "../keys.ts";
import { follow } from "../pointer.ts";
import { anyOf, GENUINE, type Incoming, refuse, type Verdict } from "../verdict.ts";

export interface TokenScheme {
  readonly secrets: readonly Bytes[];
  /** Where the token stands: in the path behind the source, or in the body. */
  readonly at: "path" | readonly string[];
}

export async function verifyToken({ secrets, at }: TokenScheme, incoming: Incoming, bytes: Bytes): Promise<Verdict> {
  const token = at === "path" ? incoming.token : tokenIn(bytes, at);
  if (typeof token !== "string" || token === "")
    return refuse(`the token is missing ${at === "path" ? "behind the source in the path" : "from the body"}`);
  // equal texts have equal signatures, and those are compared in constant time
  const signature = await signHmac(ANY_KEY, encodeText(token));
  return (await anyOf(secrets, (secret) => isHmac(ANY_KEY, secret, signature))) ? GENUINE : refuse("the token is not this source's");
}

const ANY_KEY = encodeText("quickstep");

/** Undefined also where the body is no JSON: who has no token is told nothing of bodies. */
function tokenIn(bytes: Bytes, at: readonly string[]): unknown {
  try {
    return follow(parseJson(bytes), at).value;
  } catch {
    return undefined;
  }
}
