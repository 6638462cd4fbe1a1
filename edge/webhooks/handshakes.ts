// How providers ask whether an address is theirs to send to, and what each is answered: only as it specifies, and only for a source that
// asks for it. What comes by POST is answered after its signature fits; Microsoft Graph's has none.
import type { Path } from "../../shared/errors.ts";
import { ConfigurationError, type SecretOf, secretsAt, type Table } from "../config/configuration.ts";
import { type Bytes, encodeHex, encodeText } from "../http/encoding.ts";
import { isSecret, parseTextSecret, signHmac } from "./signatures/keys.ts";

const PROVIDERS = ["slack", "meta", "zoom", "graph", "dropbox", "discord", "sns"] as const;

export interface Handshake {
  readonly provider: (typeof PROVIDERS)[number];
  /** What the source's signatures are made with: Zoom asks for one. */
  readonly secrets: readonly Bytes[];
  /** What Meta was told to say. */
  readonly verifyTokens: readonly Bytes[];
}

/** What to answer: text as text/plain, an object as JSON. `subscribe`: an address for a person, never fetched. */
export interface Greeting {
  readonly status: 200 | 204;
  readonly body: string | Readonly<Record<string, unknown>>;
  readonly subscribe?: string;
}

/** Nothing in it that a template of something signed has, such as a colon: what is echoed or signed here is no message of the provider's. */
const CHALLENGE = /^[\w-]{1,128}$/;
/** Graph's is a sentence. */
const VALIDATION_TOKEN = /^[ -~]{1,1024}$/;
const SUBSCRIBE_URL = /^https:\/\/sns\.[a-z0-9-]{1,32}\.amazonaws\.com(\.cn)?\/\?[!-~]{1,2000}$/;

/** `handshake` and `verifyToken` of a source's table; undefined where it asks for none. Throws ConfigurationError. */
export function parseHandshake(table: Table, path: Path, secrets: readonly Bytes[], secretOf: SecretOf): Handshake | undefined {
  const { handshake = false, verifyToken, scheme } = table;
  const provider = PROVIDERS.find((one) => one === scheme);
  if (typeof handshake !== "boolean") throw new ConfigurationError([...path, "handshake"], "must be true or false", "neither");
  if (handshake && provider === undefined)
    throw new ConfigurationError([...path, "handshake"], `must be left out, but for ${PROVIDERS.join(", ")}`, "true");
  const needsToken = handshake && provider === "meta";
  if (needsToken !== (verifyToken !== undefined))
    throw new ConfigurationError(
      path,
      "must have verifyToken, the name of a secret, where meta has a handshake, and nowhere else",
      "otherwise",
    );
  if (!handshake) return undefined;
  const at = [...path, "verifyToken"];
  const verifyTokens = needsToken ? secretsAt([verifyToken], at, secretOf).map((text) => parseTextSecret(text, at)) : [];
  return { provider: provider!, secrets, verifyTokens };
}

const text = (body: string): Greeting => ({ status: 200, body });

/** What is answered before there is a body to verify; undefined where the request is no such question, or one that may not be answered. */
export async function greetByQuery({ provider, verifyTokens }: Handshake, method: string, url: string): Promise<Greeting | undefined> {
  const query = new URL(url).searchParams;
  const challenge = query.get(provider === "meta" ? "hub.challenge" : provider === "graph" ? "validationToken" : "challenge") ?? "";
  if (provider === "graph") return method === "POST" && VALIDATION_TOKEN.test(challenge) ? text(challenge) : undefined;
  if (method !== "GET" || !CHALLENGE.test(challenge)) return undefined;
  if (provider === "dropbox") return text(challenge);
  const isAsked = provider === "meta" && query.get("hub.mode") === "subscribe";
  return isAsked && (await isSecret(verifyTokens, query.get("hub.verify_token") ?? "")) ? text(challenge) : undefined;
}

/** What a verified body is answered with; undefined where it is no question but an event. */
export async function greetByBody({ provider, secrets }: Handshake, document: unknown): Promise<Greeting | undefined> {
  if (typeof document !== "object" || document === null) return undefined;
  const { type, event, challenge, payload, Type, SubscribeURL } = document as Readonly<Record<string, unknown>>;
  const isChallenge = (value: unknown): value is string => typeof value === "string" && CHALLENGE.test(value);
  switch (provider) {
    case "slack":
      return type === "url_verification" && isChallenge(challenge) ? text(challenge) : undefined;
    case "zoom": {
      const { plainToken } = (payload ?? {}) as { plainToken?: unknown };
      if (event !== "endpoint.url_validation" || !isChallenge(plainToken)) return undefined;
      return { status: 200, body: { plainToken, encryptedToken: encodeHex(await signHmac(secrets[0], encodeText(plainToken))) } };
    }
    case "discord":
      if (type === 0) return { status: 204, body: "" }; // of event webhooks, whose events have the type of an interaction's ping
      return type === 1 && event === undefined ? { status: 200, body: { type: 1 } } : undefined;
    case "sns":
      if (Type !== "SubscriptionConfirmation" && Type !== "UnsubscribeConfirmation") return undefined;
      return {
        status: 200,
        body: { confirmed: false },
        ...(Type === "SubscriptionConfirmation" && SUBSCRIBE_URL.test(`${SubscribeURL}`) && { subscribe: `${SubscribeURL}` }),
      };
    default:
      return undefined;
  }
}
