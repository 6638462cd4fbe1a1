// The schemes by which sources prove who they are. A new one is a file beside this and two lines here; or, where it is an HMAC in a header,
// a line in presets.ts.
import type { Path } from "../../../shared/errors.ts";
import { parseChoice, parseTable, type SecretOf, secretsAt } from "../../config/configuration.ts";
import type { Bytes } from "../../http/encoding.ts";
import { type DiscordScheme, discord } from "./discord.ts";
import { type GraphScheme, graph } from "./graph.ts";
import { type HmacScheme, hmac } from "./hmac.ts";
import { type MailgunScheme, mailgun } from "./mailgun.ts";
import { PRESETS, presetKeys } from "./presets.ts";
import type { Beginning, Incoming, SchemeDefinition, Verdict } from "./scheme.ts";
import { type SnsScheme, sns } from "./sns.ts";
import { type StandardWebhooksScheme, standardWebhooks } from "./standard-webhooks.ts";
import { type TokenScheme, token } from "./token.ts";
import { type TwilioScheme, twilio } from "./twilio.ts";

export type Scheme =
  | StandardWebhooksScheme
  | HmacScheme
  | TokenScheme
  | TwilioScheme
  | DiscordScheme
  | MailgunScheme
  | SnsScheme
  | GraphScheme;
type Kind = Scheme["kind"];

const SCHEMES: { readonly [K in Kind]: SchemeDefinition<Extract<Scheme, { readonly kind: K }>> } = {
  "standard-webhooks": standardWebhooks,
  hmac,
  token,
  twilio,
  discord,
  mailgun,
  sns,
  graph,
};
/** What a source's `scheme` may be. */
export const SCHEME_NAMES: readonly string[] = [...Object.keys(SCHEMES), ...Object.keys(PRESETS)];

/** The scheme of the source's table at `path`, which may have `otherKeys` beside the scheme's own. Throws ConfigurationError. */
export function parseScheme(value: unknown, path: Path, otherKeys: readonly string[], secretOf: SecretOf): Scheme {
  const name = parseChoice(parseTable(value, path).scheme, [...path, "scheme"], SCHEME_NAMES);
  const preset = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  const { parse, keys, secretless } = SCHEMES[preset === undefined ? (name as Kind) : "hmac"];
  const table = parseTable(value, path, [...otherKeys, ...(preset === undefined ? keys : presetKeys(preset))]);
  const secrets = secretless && table.secrets === undefined ? [] : secretsAt(table.secrets, [...path, "secrets"], secretOf);
  return parse({ table: { ...table, ...preset }, path, secrets });
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
  const { signsTime } = SCHEMES[scheme.kind] as SchemeDefinition<Scheme>;
  return signsTime(scheme);
}
