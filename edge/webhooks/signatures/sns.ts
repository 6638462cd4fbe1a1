// Amazon SNS: RSA over the fields of the message in a fixed order, by a certificate that AWS serves from its own hosts alone. Anybody's topic
// is signed by the same: so a source names its topic.
import { describe } from "../../../shared/errors.ts";
import { ConfigurationError, parseString } from "../../config/configuration.ts";
import { type Bytes, decodeBase64, encodeText } from "../../http/encoding.ts";
import { type Incoming, jsonIn, refuseTimestamp, rejected, type SchemeDefinition, type Verdict } from "./scheme.ts";

export interface SnsScheme {
  readonly kind: "sns";
  readonly topic: string;
}

/** SNS sends a message again for up to an hour, and signs when it was published. */
const TOLERANCE_S = 3900;
const CERTIFICATE = /^https:\/\/sns\.[a-z0-9-]{1,32}\.amazonaws\.com(\.cn)?\/SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem$/;
const MAX_CERTIFICATE_BYTES = 16 * 1024;
const CERTIFICATE_TIMEOUT_MS = 2000;
/** AWS uses one a region, and a new one now and then. */
const MAX_CERTIFICATES = 8;
/** In the order in which they are signed, those that are there. */
const SIGNED = {
  Notification: ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
  SubscriptionConfirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
  UnsubscribeConfirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
} as const;
const HASHES: Readonly<Record<string, string>> = { 1: "SHA-1", 2: "SHA-256" };

export const sns: SchemeDefinition<SnsScheme> = {
  keys: ["topic"],
  secretless: true,
  signsTime: () => true,
  parse({ table, path }) {
    const topic = parseString(table.topic, [...path, "topic"], "the topic's ARN");
    if (!/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]{1,256}$/.test(topic))
      throw new ConfigurationError([...path, "topic"], "must be the topic's ARN, arn:aws:sns:REGION:ACCOUNT:NAME", describe(topic));
    return { kind: "sns", topic };
  },
  begin:
    ({ topic }, { fetch }, nowSeconds) =>
    (bytes) =>
      judge(topic, (jsonIn(bytes) ?? {}) as Readonly<Record<string, unknown>>, nowSeconds, fetch),
};

async function judge(
  topic: string,
  fields: Readonly<Record<string, unknown>>,
  nowSeconds: number,
  fetch: Incoming["fetch"],
): Promise<Verdict> {
  const { Type, TopicArn, Timestamp, SignatureVersion, SigningCertURL, Signature, MessageId } = fields;
  const names = typeof Type === "string" && Object.hasOwn(SIGNED, Type) ? SIGNED[Type as keyof typeof SIGNED] : undefined;
  const signature = typeof Signature === "string" ? decodeBase64(Signature) : undefined;
  const hash = HASHES[String(SignatureVersion)];
  if (names === undefined || signature === undefined || hash === undefined || typeof SigningCertURL !== "string")
    return rejected("Type, SignatureVersion 1 or 2, SigningCertURL and Signature must be in the body");
  if (TopicArn !== topic) return rejected("the message is of another topic");
  const stale = refuseTimestamp("Timestamp", Timestamp, nowSeconds, TOLERANCE_S);
  if (stale !== undefined) return rejected(stale);
  const there = names.filter((name) => fields[name] !== undefined && fields[name] !== null);
  if (there.some((name) => typeof fields[name] !== "string")) return rejected("what is signed must be text");
  // a line break at the end of one text, or a name within it, could be the next field's: only Message and Subject are free text
  if (there.some((name) => name !== "Message" && (fields[name] as string).includes("\n"))) return rejected("a field has a line break");
  if (!CERTIFICATE.test(SigningCertURL)) return rejected("SigningCertURL is not a certificate of SNS' own");
  const key = await keyAt(SigningCertURL, hash, fetch);
  if (key === undefined) return rejected("the certificate at SigningCertURL cannot be had or read");
  const content = encodeText(there.map((name) => `${name}\n${fields[name]}\n`).join(""));
  const isGenuine = await crypto.subtle.verify("RSASSA-PKCS1-v1_5", key, signature, content);
  return isGenuine
    ? { ok: true, ...(typeof MessageId === "string" && MessageId && { id: MessageId }) }
    : rejected("Signature does not fit");
}

/** The public keys of certificates by address, as SubjectPublicKeyInfo: an address's certificate does not change. */
const known = new Map<string, Bytes>();

async function keyAt(url: string, hash: string, fetch: Incoming["fetch"]): Promise<CryptoKey | undefined> {
  try {
    let spki = known.get(url);
    if (spki === undefined) {
      const response = await fetch?.(url, { redirect: "manual", signal: AbortSignal.timeout(CERTIFICATE_TIMEOUT_MS) });
      spki = response?.status === 200 ? publicKeyOf(await readText(response)) : undefined;
      if (spki === undefined) return undefined;
      if (known.size >= MAX_CERTIFICATES) known.delete(known.keys().next().value!);
      known.set(url, spki);
    }
    return await crypto.subtle.importKey("spki", spki, { name: "RSASSA-PKCS1-v1_5", hash }, false, ["verify"]);
  } catch {
    return undefined;
  }
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > MAX_CERTIFICATE_BYTES) return "";
    chunks.push(chunk);
  }
  return new Blob(chunks as Bytes[]).text();
}

/** SubjectPublicKeyInfo of the first certificate in a PEM file (RFC 5280, 4.1): version, serial number, algorithm, issuer, validity and
 * subject stand before it. */
function publicKeyOf(pem: string): Bytes | undefined {
  const der = decodeBase64(/-----BEGIN CERTIFICATE-----([^-]+)-----END/.exec(pem)?.[1].replace(/\s/g, "") ?? "");
  if (der === undefined) return undefined;
  const certificate = elementAt(der, 0);
  const body = elementAt(der, certificate.start);
  let { start } = body;
  if (der[start] === 0xa0) start = elementAt(der, start).end; // the version, which may be left out
  for (let skipped = 0; skipped < 5; skipped++) start = elementAt(der, start).end;
  const key = elementAt(der, start);
  return key.end <= body.end && body.end <= certificate.end && certificate.end <= der.length ? der.slice(start, key.end) : undefined;
}

/** Where the content of the DER element at `at` begins, and where it ends. */
function elementAt(der: Bytes, at: number): { readonly start: number; readonly end: number } {
  const short = der[at + 1];
  if (short < 0x80) return { start: at + 2, end: at + 2 + short };
  const count = short & 0x7f;
  const length = der.slice(at + 2, at + 2 + count).reduce((sum, byte) => sum * 256 + byte, 0);
  return { start: at + 2 + count, end: at + 2 + count + length };
}
