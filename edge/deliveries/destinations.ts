// DESTINATIONS: where results go, and with what each delivery is signed. They come from the configuration alone, never from a request.
import type { Path } from "../../shared/errors.ts";
import { ConfigurationError, namedTables, parseString, parseTable, type SecretOf, secretsAt } from "../config/configuration.ts";
import { parseSigningKey, type SigningKey } from "../webhooks/signatures/keys.ts";

export interface Destination {
  readonly name: string;
  /** As URLs are written in full: a lower-case host without tricks. */
  readonly url: string;
  /** Several while one replaces another: each delivery is signed by all. `whsec_…` signs as v1, `whsk_…` as v1a. */
  readonly keys: readonly SigningKey[];
}

/** Names that no public DNS answers (RFC 6761, 6762, 8375, 9476, ICANN's .internal), and those that private networks go by. */
const PRIVATE_SUFFIX = /\.(localhost|local|internal|intranet|private|corp|home|lan|home\.arpa|test|invalid|example|onion|alt)$/;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** The var DESTINATIONS. `allowLoopback`: in development, http to this machine as well. Throws ConfigurationError. */
export function parseDestinations(value: unknown, secretOf: SecretOf, allowLoopback: boolean): ReadonlyMap<string, Destination> {
  return new Map(
    namedTables(value, "DESTINATIONS").map(([name, given]) => {
      const path = ["DESTINATIONS", name];
      const table = parseTable(given, path, ["url", "secrets"]);
      const secretsPath = [...path, "secrets"];
      const secrets = secretsAt(table.secrets, secretsPath, secretOf);
      const url = parseUrl(parseString(table.url, [...path, "url"], "an https address"), [...path, "url"], allowLoopback);
      return [name, { name, url, keys: secrets.map((secret, i) => parseSigningKey(secret, [...secretsPath, i])) }];
    }),
  );
}

/**
 * A public https address by name. URL's parser first: it makes every spelling of an IP address (0x7f000001, 127.1, full-width
 * digits) the one that is recognised here. What a name resolves to is for `global_fetch_strictly_public` to police.
 */
function parseUrl(text: string, path: Path, allowLoopback: boolean): string {
  const reject = (expected: string, got: string): never => {
    throw new ConfigurationError(path, `must ${expected}`, got);
  };
  const url = URL.parse(text) ?? reject("be an https address", "text that is no URL");
  const { protocol, hostname, port, username, password, hash } = url;
  if (username !== "" || password !== "") reject("have no user name or password: deliveries are signed", "one"); // which is not shown
  if (hash !== "") reject("have no fragment", hash);
  if (allowLoopback && protocol === "http:" && LOOPBACK.test(hostname)) return url.href;
  if (protocol !== "https:") reject(`be https${allowLoopback ? ", or http to this machine" : ""}`, `${protocol}//`);
  if (port !== "") reject("be on https' own port, 443", port);
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
