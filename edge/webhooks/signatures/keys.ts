// Secrets as the schemes write them → keys, and what is signed and verified with them: HMAC-SHA256 and ed25519, by crypto.subtle,
// which compares in constant time.
import type { Path } from "../../../shared/errors.ts";
import { ConfigurationError } from "../../config/configuration.ts";
import { type Bytes, concat, decodeBase64, encodeBase64, encodeText } from "../../http/encoding.ts";

/** Names Standard Webhooks' versions: `v1` HMAC-SHA256, `v1a` ed25519. */
export type SigningKey = { readonly version: "v1"; readonly secret: Bytes } | { readonly version: "v1a"; readonly seed: Bytes };
export type VerifyingKey = { readonly version: "v1"; readonly secret: Bytes } | { readonly version: "v1a"; readonly publicKey: Bytes };

/** Standard Webhooks: 24 to 64 random bytes. */
const SECRET_BYTES: readonly [min: number, max: number] = [24, 64];
/** What else is a secret here is somebody's text: short ones can be guessed from one signed body. Dropbox' have 15. */
const MIN_CHARACTERS = 15;
/** RFC 8410: what stands before the 32 bytes of an ed25519 seed in PKCS #8. */
const PKCS8 = Uint8Array.of(0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20);

/** `whsec_…` or `whsk_…`. Throws ConfigurationError. */
export function parseSigningKey(text: string, path: Path): SigningKey {
  if (text.startsWith("whsec_")) return { version: "v1", secret: decodeSecret(text, path) };
  if (!text.startsWith("whsk_")) throw wrongSecret(path, "whsec_ or whsk_ and base64");
  const bytes = decodeBase64(text.slice("whsk_".length));
  if (bytes?.length !== 32 && bytes?.length !== 64)
    throw wrongSecret(path, "whsk_ and base64 of a seed of 32 bytes, or of seed and public key");
  return { version: "v1a", seed: bytes.slice(0, 32) };
}

/** `whsec_…` or `whpk_…`. Throws ConfigurationError. */
export function parseVerifyingKey(text: string, path: Path): VerifyingKey {
  if (text.startsWith("whsec_")) return { version: "v1", secret: decodeSecret(text, path) };
  if (!text.startsWith("whpk_")) throw wrongSecret(path, "whsec_ or whpk_ and base64");
  const publicKey = decodeBase64(text.slice("whpk_".length));
  if (publicKey?.length !== 32) throw wrongSecret(path, "whpk_ and base64 of a public key of 32 bytes");
  return { version: "v1a", publicKey };
}

/** Any text as it stands, whatever it begins with: what Stripe, GitHub and others sign with. Throws ConfigurationError. */
export function parseTextSecret(text: string, path: Path): Bytes {
  if (text.length < MIN_CHARACTERS) throw wrongSecret(path, `${MIN_CHARACTERS} characters or more`);
  return encodeText(text);
}

function decodeSecret(text: string, path: Path): Bytes {
  const bytes = decodeBase64(text.slice("whsec_".length));
  const [min, max] = SECRET_BYTES;
  if (bytes === undefined || bytes.length < min || bytes.length > max)
    throw wrongSecret(path, `whsec_ and base64 of ${min} to ${max} bytes`);
  return bytes;
}

/** A secret that is not what its scheme needs. */
export function wrongSecret(path: Path, expected: string): ConfigurationError {
  return new ConfigurationError(path, `must name a secret that is ${expected}`, "another, which is not shown");
}

/** The hashes that an HMAC may be of, by the names of the configuration. */
export const HASHES = ["sha256", "sha512", "sha1"] as const;
export type HashName = (typeof HASHES)[number];

/** The HMAC, by SHA-256 unless said otherwise. */
export async function signHmac(secret: Bytes, content: Bytes, hash: HashName = "sha256"): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", await hmacKey(secret, "sign", hash), content));
}

/** Whether `signature` is the HMAC of `content`, compared in constant time. */
export async function isHmac(secret: Bytes, content: Bytes, signature: Bytes, hash: HashName = "sha256"): Promise<boolean> {
  return crypto.subtle.verify("HMAC", await hmacKey(secret, "verify", hash), signature, content);
}

const ANY_KEY = encodeText("quickstep");

/** Whether `text` is one of `secrets`, compared in constant time: equal texts have equal signatures. */
export async function isSecret(secrets: readonly Bytes[], text: string): Promise<boolean> {
  const signature = await signHmac(ANY_KEY, encodeText(text));
  for (const secret of secrets) if (await isHmac(ANY_KEY, secret, signature)) return true;
  return false;
}

/** Whether `signature` is that of the ed25519 key over `content`. */
export async function isEd25519(publicKey: Bytes, content: Bytes, signature: Bytes): Promise<boolean> {
  if (signature.length !== 64) return false; // workerd throws
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, content);
}

function hmacKey(secret: Bytes, use: "sign" | "verify", hash: HashName): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: hash.replace("sha", "SHA-") }, false, [use]);
}

/** Standard Webhooks' text of one signature: `v1,…` or `v1a,…`. */
export async function signContent(key: SigningKey, content: Bytes): Promise<string> {
  if (key.version === "v1") return `v1,${encodeBase64(await signHmac(key.secret, content))}`;
  const seed = await crypto.subtle.importKey("pkcs8", concat(PKCS8, key.seed), "Ed25519", false, ["sign"]);
  return `v1a,${encodeBase64(new Uint8Array(await crypto.subtle.sign("Ed25519", seed, content)))}`;
}

/** Whether `signature` is the key's over `content`. */
export async function isSignature(key: VerifyingKey, content: Bytes, signature: Bytes): Promise<boolean> {
  if (key.version === "v1") return isHmac(key.secret, content, signature);
  return isEd25519(key.publicKey, content, signature);
}
