// The schemes by which sources prove who they are. A new one is a file beside this and two lines here.
import type { Path } from "../../../shared/errors.ts";
import { parseChoice, parseTable, type SecretOf, secretsAt } from "../../config/configuration.ts";
import type { Bytes } from "../../http/encoding.ts";
import { type GithubScheme, github } from "./github.ts";
import { type HmacScheme, hmac } from "./hmac.ts";
import type { Beginning, Incoming, SchemeDefinition, Verdict } from "./scheme.ts";
import { type StandardWebhooksScheme, standardWebhooks } from "./standard-webhooks.ts";
import { type StripeScheme, stripe } from "./stripe.ts";
import { type TokenScheme, token } from "./token.ts";

export type Scheme = StandardWebhooksScheme | StripeScheme | GithubScheme | TokenScheme | HmacScheme;
type Kind = Scheme["kind"];

const SCHEMES: { readonly [K in Kind]: SchemeDefinition<Extract<Scheme, { readonly kind: K }>> } = {
  "standard-webhooks": standardWebhooks,
  stripe,
  github,
  token,
  hmac,
};
const KINDS = Object.keys(SCHEMES) as Kind[];

/** The scheme of the source's table at `path`, which may have `otherKeys` beside the scheme's own. Throws ConfigurationError. */
export function parseScheme(value: unknown, path: Path, otherKeys: readonly string[], secretOf: SecretOf): Scheme {
  const kind = parseChoice(parseTable(value, path).scheme, [...path, "scheme"], KINDS);
  const table = parseTable(value, path, [...otherKeys, ...SCHEMES[kind].keys]);
  return SCHEMES[kind].parse({ table, path, secrets: secretsAt(table.secrets, [...path, "secrets"], secretOf) });
}

/** As SchemeDefinition.begin: what is known before the body is read. `nowSeconds`: since 1970. */
export async function beginVerification(
  { scheme }: { readonly scheme: Scheme },
  incoming: Incoming,
  nowSeconds: number,
): Promise<Beginning> {
  const { begin } = SCHEMES[scheme.kind] as SchemeDefinition<Scheme>; // each kind's own, by the type of SCHEMES
  return begin(scheme, incoming, nowSeconds);
}

/** Whether a request comes from the source whose scheme this is. `bytes`: its body as it came. `nowSeconds`: since 1970. */
export async function verify(source: { readonly scheme: Scheme }, incoming: Incoming, bytes: Bytes, nowSeconds: number): Promise<Verdict> {
  const begun = await beginVerification(source, incoming, nowSeconds);
  return typeof begun === "function" ? begun(bytes) : begun;
}

/** Whether a signature of the source whose scheme this is covers when it was sent. */
export function signsTime({ scheme }: { readonly scheme: Scheme }): boolean {
  return SCHEMES[scheme.kind].signsTime;
}
