// Who may do what. Keys are configured by their SHA-256 alone; nothing is allowed that is not listed; what a wrong key gets wrong,
// and how long that takes, says nothing about the right one. Knows no route.
import { parsePattern, type StreamPattern } from "../config/stream-patterns.ts";
import { encodeText } from "./encoding.ts";
import { RequestError } from "./problem.ts";

/** `score`: have sequences scored. `read`: the model's card and metadata. `admin`: both, and what changes anything. */
export type Scope = "score" | "read" | "admin";
export const SCOPES: readonly Scope[] = ["score", "read", "admin"];
const DEFAULT_SCOPES: readonly Scope[] = ["score", "read"];

export interface Key {
  /** For logs and the rate limit. While a key is rotated, two have one name. */
  readonly name: string;
  /** (32) SHA-256 of the key's text. */
  readonly digest: Uint8Array;
  readonly scopes: readonly Scope[];
  /** The only streams it may read and write; absent: all. */
  readonly streams?: readonly StreamPattern[];
}

export interface Access {
  readonly keys: readonly Key[];
  /** Why the list of keys cannot be used: then nobody may do anything. */
  readonly unusable?: string;
  /** What is wrong with AUTH, which then opens nothing; keys count none the less. */
  readonly fault?: string;
  /** AUTH=open: whoever asks from this machine may score and read. */
  readonly openLocally: boolean;
}

/** Who asks. `isLocal`: let in by AUTH=open, without a key. */
export interface Caller {
  /** For logs; of a key also for its rate. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** As of a key. */
  readonly streams?: readonly StreamPattern[];
  readonly isLocal: boolean;
}

/** The name goes into logs alone: a key may have it, too. */
const LOCAL_CALLER: Caller = { name: "local", scopes: DEFAULT_SCOPES, isLocal: true };

/** SHA-256 of no bytes, and of a line break: what `sha256sum` prints where a key was to be and none came. */
const DIGESTS_OF_NOTHING = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
];

/**
 * `API_KEYS`, a secret: `name:sha256[:scope+scope[:stream+stream]]`, separated by white space or commas, the scopes `score+read` where
 * none are said; streams as in config/stream-patterns.ts, percent-encoded where they hold what separates. `AUTH`: `open`, or nothing. Never throws: a Worker that does not start cannot say why.
 */
export function readAccess({ AUTH, API_KEYS = "" }: { readonly AUTH?: string; readonly API_KEYS?: string }): Access {
  const openLocally = AUTH === "open";
  const fault = openLocally || !AUTH ? {} : { fault: "AUTH must be open or empty, got another word" };
  const keys: Key[] = [];
  for (const [i, entry] of API_KEYS.split(/[\s,]+/)
    .filter((text) => text !== "")
    .entries()) {
    const [, name, hash, scopes, bound] = /^([\w.-]{1,64}):([0-9a-fA-F]{64})(?::([a-z+]+)(?::(\S+))?)?$/.exec(entry) ?? [];
    const list = scopes === undefined ? DEFAULT_SCOPES : scopes.split("+");
    const streams = bound?.split("+").map((text) => parsePattern(decodePercent(text)));
    if (name === undefined || !list.every(isScope) || streams?.includes(undefined))
      // the entry itself may be a key pasted by mistake: it is not shown
      return {
        keys: [],
        unusable: `entry ${i + 1} of API_KEYS must be name:sha256 or name:sha256:scopes, with scopes of ${SCOPES.join("+")}`,
        ...fault,
        openLocally,
      };
    if (DIGESTS_OF_NOTHING.includes(hash.toLowerCase()))
      return {
        keys: [],
        unusable: `entry ${i + 1} of API_KEYS must have the digest of a key, got the digest of nothing: was the variable with the key set?`,
        ...fault,
        openLocally,
      };
    keys.push({
      name,
      digest: Uint8Array.from(hash.match(/../g)!, (byte) => Number.parseInt(byte, 16)),
      scopes: list,
      ...(streams && { streams: streams as StreamPattern[] }),
    });
  }
  return { keys, ...fault, openLocally };
}

/** Why `request`, had it the best key there is, would not be let in; or what is wrong with AUTH. Shows no value. Undefined: nothing. */
export function faultOf(access: Access, request: Request): string | undefined {
  const { unusable, fault, keys, openLocally } = access;
  if (unusable !== undefined || fault !== undefined) return unusable ?? fault;
  if (keys.length > 0 || (openLocally && isLocal(request))) return undefined;
  return "no key is configured, so that nobody may call: set the secret API_KEYS";
}

/** Who asks, if that one may: one of `scopes` is enough. Throws RequestError: 401, 403, or 503 where the list of keys is unusable. */
export async function verifyKey(access: Access, request: Request, ...scopes: readonly Scope[]): Promise<Caller> {
  const allows = (given: readonly Scope[]): boolean => scopes.some((scope) => given.includes(scope));
  if (access.openLocally && allows(DEFAULT_SCOPES) && isLocal(request)) return LOCAL_CALLER;
  if (access.unusable !== undefined) throw new RequestError("keys", access.unusable);
  const header = request.headers.get("authorization");
  if (header === null) throw new RequestError("unauthorised", "the header authorization must be `Bearer` and a key, got none");
  const token = /^Bearer +(\S+) *$/i.exec(header)?.[1];
  // nothing that is no token is held against any digest
  if (token === undefined) throw new RequestError("unauthorised", "the header authorization must be `Bearer` and a key, got another form");
  const known = found.get(access)?.get(token) ?? (await findKey(access, token));
  if (known === undefined) throw new RequestError("unauthorised", "the key in the header authorization is not one this service knows");
  if (!allows(known.scopes) && !known.scopes.includes("admin"))
    throw new RequestError(
      "forbidden",
      `the key ${known.name} has the scopes ${known.scopes.join("+")}, this needs ${scopes.join(" or ")}`,
    );
  return { name: known.name, scopes: known.scopes, streams: known.streams, isLocal: false };
}

/** Keys that were found by their digest, by their text: they need none again. No more than there are keys. */
const found = new WeakMap<Access, Map<string, Key>>();

async function findKey(access: Access, token: string): Promise<Key | undefined> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", encodeText(token)));
  let known: Key | undefined;
  for (const key of access.keys) if (isEqual(key.digest, digest)) known = key; // no early end: every key is compared in full
  if (known === undefined) return undefined;
  if (!found.has(access)) found.set(access, new Map());
  found.get(access)!.set(token, known);
  return known;
}

/**
 * Whether a request was made to, and on, this very machine. AUTH=open can be deployed by mistake, so three facts must agree, and
 * the first alone never holds on Cloudflare: the host asked for is what Cloudflare routed by, and no zone is called localhost.
 * The other two are headers that Cloudflare sets itself, whatever the client sent: each request has a ray there, and the address
 * it came from. `wrangler dev` sets the address, raw workerd neither.
 */
export function isLocal(request: Request): boolean {
  if (!LOOPBACK_URL.test(request.url) || request.headers.has("cf-ray")) return false; // the platform's own spelling of an address
  const address = request.headers.get("cf-connecting-ip");
  return address === null || LOOPBACK.test(address);
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?|::ffff:127(\.\d{1,3}){3})$/;
const LOOPBACK_URL = /^https?:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?[/?#]/;

/** Empty, which is no pattern, where `text` has a % that begins no character. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < 32; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}
