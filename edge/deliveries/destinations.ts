// DESTINATIONS: where results go, and with what each delivery is signed. They come from the configuration alone, never from a request.
import { describe, type Path } from "../../shared/errors.ts";
import {
  ConfigurationError,
  HEADER_NAME,
  namedTables,
  parseString,
  parseTable,
  type SecretOf,
  secretsAt,
  type Table,
} from "../config/configuration.ts";
import { fnv1a } from "../http/hashes.ts";
import { parseSigningKey, type SigningKey } from "../webhooks/signatures/keys.ts";
import { type Batching, MAX_BATCH_ROWS, MAX_BATCH_WAIT_S } from "./batches.ts";
import { type Body, isChat, parseBody } from "./bodies.ts";
import { type Condition, parseCondition } from "./conditions.ts";

export interface Destination {
  readonly name: string;
  /** As URLs are written in full: a lower-case host without tricks. */
  readonly url: string;
  /** What storage knows the address by: the address, or, of one that is a secret, its hash. */
  readonly address: string;
  /** Several while one replaces another: each delivery is signed by all. `whsec_…` signs as v1, `whsk_…` as v1a. None: unsigned. */
  readonly keys: readonly SigningKey[];
  /** Of its own, beside those of every delivery. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
  /** Absent: each answer with a score. */
  readonly when?: Condition;
  /** Absent: each answer goes out by itself. */
  readonly batch?: Batching;
  /** Of one key, what came first is delivered or given up before the next is sent. */
  readonly ordered: boolean;
}

const KEYS = ["url", "urlSecret", "port", "secrets", "unsigned", "authorization", "headers", "when", "body", "text", "batch", "ordered"];
const MAX_HEADERS = 20;
/** Whoever sends sets these. */
const RESERVED =
  /^(host|content-.*|transfer-encoding|connection|user-agent|traceparent|cookie|authorization|webhook-.*|x-quickstep-.*|cf-.*)$/;

/** Names that no public DNS answers (RFC 6761, 6762, 8375, 9476, ICANN's .internal), and those that private networks go by. */
const PRIVATE_SUFFIX = /\.(localhost|local|internal|intranet|private|corp|home|lan|home\.arpa|test|invalid|example|onion|alt)$/;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** The var DESTINATIONS. `allowLoopback`: in development, http to this machine as well. Throws ConfigurationError. */
export function parseDestinations(value: unknown, secretOf: SecretOf, allowLoopback: boolean): ReadonlyMap<string, Destination> {
  return new Map(
    namedTables(value, "DESTINATIONS").map(([name, given]) => {
      const path = ["DESTINATIONS", name];
      const table = parseTable(given, path, KEYS);
      return [
        name,
        {
          name,
          ...parseAddress(table, path, secretOf, allowLoopback),
          keys: parseKeys(table, path, secretOf),
          headers: parseHeaders(table, path, secretOf),
          body: parseBody(table.body, table.text, path),
          ...(table.when !== undefined && { when: parseCondition(table.when, [...path, "when"]) }),
          ...(table.batch !== undefined && { batch: parseBatch(table, path) }),
          ordered: parseOrdered(table.ordered, [...path, "ordered"]),
        },
      ];
    }),
  );
}

function parseBatch({ batch, body }: Table, path: Path): Batching {
  const at = [...path, "batch"];
  if (isChat(body))
    throw new ConfigurationError(at, "must be left out, since a chat takes one message at a time", `body = ${describe(body)}`);
  const { rows, seconds } = parseTable(batch, at, ["rows", "seconds"]);
  if (!(Number.isInteger(rows) && (rows as number) >= 1 && (rows as number) <= MAX_BATCH_ROWS))
    throw new ConfigurationError([...at, "rows"], `must be 1 to ${MAX_BATCH_ROWS}`, describe(rows));
  if (!(typeof seconds === "number" && seconds >= 0 && seconds <= MAX_BATCH_WAIT_S))
    throw new ConfigurationError([...at, "seconds"], `must be 0 to ${MAX_BATCH_WAIT_S}`, describe(seconds));
  return { rows: rows as number, seconds };
}

function parseOrdered(ordered: unknown, path: Path): boolean {
  if (ordered !== undefined && typeof ordered !== "boolean") throw new ConfigurationError(path, "must be true or false", describe(ordered));
  return ordered ?? false;
}

function parseAddress({ url, urlSecret, port }: Table, path: Path, secretOf: SecretOf, allowLoopback: boolean) {
  if (port !== undefined && !(Number.isInteger(port) && (port as number) > 0 && (port as number) < 65_536))
    throw new ConfigurationError([...path, "port"], "must be 1 to 65535", describe(port));
  if (urlSecret === undefined) {
    const parsed = parseUrl(parseString(url, [...path, "url"], "an https address"), [...path, "url"], allowLoopback, port as number);
    return { url: parsed, address: parsed };
  }
  if (url !== undefined) throw new ConfigurationError(path, "must have either url or urlSecret", "both");
  const at = [...path, "urlSecret"];
  const [text] = secretsAt([urlSecret], at, secretOf);
  try {
    return { url: parseUrl(text, at, allowLoopback, port as number), address: `secret ${fnv1a(text).toString(16)}` };
  } catch {
    throw new ConfigurationError(at, "must name a secret that is an https address of the public internet", "another, which is not shown");
  }
}

function parseKeys({ secrets, unsigned }: Table, path: Path, secretOf: SecretOf): readonly SigningKey[] {
  if (unsigned !== undefined && unsigned !== true) throw new ConfigurationError([...path, "unsigned"], "must be true", describe(unsigned));
  if (unsigned && secrets !== undefined) throw new ConfigurationError(path, "must have either secrets or unsigned", "both");
  const at = [...path, "secrets"];
  return unsigned ? [] : secretsAt(secrets, at, secretOf).map((secret, i) => parseSigningKey(secret, [...at, i]));
}

/** `authorization` names a secret; what `headers` says is no secret. */
function parseHeaders({ authorization, headers = {} }: Table, path: Path, secretOf: SecretOf): Readonly<Record<string, string>> {
  const at = [...path, "headers"];
  const entries = Object.entries(parseTable(headers, at));
  if (entries.length > MAX_HEADERS) throw new ConfigurationError(at, `must have at most ${MAX_HEADERS} headers`, `${entries.length}`);
  for (const [name, value] of entries) {
    if (!HEADER_NAME.test(name) || RESERVED.test(name.toLowerCase()))
      throw new ConfigurationError(at, "must have names of headers that deliveries do not set themselves", describe(name));
    if (!/^[ -~]{1,1000}$/.test(parseString(value, [...at, name])))
      throw new ConfigurationError([...at, name], "must be visible ASCII", "another text");
  }
  const own = Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value as string]));
  if (authorization === undefined) return own;
  const [secret] = secretsAt([authorization], [...path, "authorization"], secretOf);
  if (!/^[ -~]{1,4096}$/.test(secret))
    throw new ConfigurationError([...path, "authorization"], "must name a secret of visible ASCII", "another, which is not shown");
  return { ...own, authorization: secret };
}

/**
 * A public https address by name. URL's parser first: it makes every spelling of an IP address (0x7f000001, 127.1, full-width
 * digits) the one that is recognised here. What a name resolves to is for `global_fetch_strictly_public` to police.
 */
function parseUrl(text: string, path: Path, allowLoopback: boolean, namedPort?: number): string {
  const reject = (expected: string, got: string): never => {
    throw new ConfigurationError(path, `must ${expected}`, got);
  };
  const url = URL.parse(text) ?? reject("be an https address", "text that is no URL");
  const { protocol, hostname, port, username, password, hash } = url;
  if (username !== "" || password !== "") reject("have no user name or password: deliveries are signed", "one"); // which is not shown
  if (hash !== "") reject("have no fragment", hash);
  if (allowLoopback && protocol === "http:" && LOOPBACK.test(hostname)) return url.href;
  if (protocol !== "https:") reject(`be https${allowLoopback ? ", or http to this machine" : ""}`, `${protocol}//`);
  if (port !== "" && Number(port) !== namedPort) reject(`be on https' own port, 443, or on the one that port names`, port);
  if (namedPort !== undefined && Number(port || 443) !== namedPort) reject(`be on port ${namedPort}, as port says`, port || "443");
  if (hostname.startsWith("[") || /^[\d.]+$/.test(hostname)) reject("name its host, not an IP address", hostname);
  if (hostname.endsWith(".")) reject("have a host that does not end in a dot", hostname);
  if (!hostname.includes(".") || PRIVATE_SUFFIX.test(`.${hostname}`)) reject("have a host of the public internet", hostname);
  return url.href;
}

/** Throws ConfigurationError where a destination is the very host that was asked: results would come back as requests. */
export function refuseOwnHost(destinations: Iterable<Destination>, requestUrl: string): void {
  const ownHost = new URL(requestUrl).host;
  for (const { name, url } of destinations)
    if (new URL(url).host === ownHost)
      throw new ConfigurationError(["DESTINATIONS", name, "url"], "must be another host than this Worker's own", ownHost);
}
