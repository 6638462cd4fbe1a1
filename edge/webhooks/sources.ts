// SOURCES: who may send events in, how each proves it, and where in its bodies things stand.
import { describe, type Path } from "../../shared/errors.ts";
import {
  ConfigurationError,
  namedTables,
  parseChoice,
  parseString,
  parseStrings,
  parseTable,
  type SecretOf,
  secretsAt,
} from "../config/configuration.ts";
import { API_SOURCE } from "../streams/store.ts";
import { type Bytes, ENCODINGS, type Encoding } from "./encoding.ts";
import type { Content, Pointers } from "./event.ts";
import { parseTextSecret, parseVerifyingKey, type VerifyingKey } from "./keys.ts";
import { parsePointer } from "./pointer.ts";

export const SCHEMES = ["standard-webhooks", "stripe", "github", "token", "hmac"] as const;

/** How a source proves that it sent something. Several keys or secrets: any one fits, while one replaces another. */
export type Scheme =
  | { readonly kind: "standard-webhooks"; readonly keys: readonly VerifyingKey[] }
  | { readonly kind: "stripe" | "github"; readonly secrets: readonly Bytes[] }
  | { readonly kind: "token"; readonly secrets: readonly Bytes[]; readonly at: "path" | readonly string[] }
  | {
      readonly kind: "hmac";
      readonly secrets: readonly Bytes[];
      readonly header: string;
      readonly encoding: Encoding;
      readonly prefix: string;
    };

export interface Source {
  readonly name: string;
  readonly scheme: Scheme;
  readonly pointers: Pointers;
  /** Names of DESTINATIONS that each result goes to. */
  readonly destinations: readonly string[];
  /** The only addresses it may send from; absent: any. */
  readonly allow?: readonly string[];
}

const COMMON_KEYS = ["scheme", "secrets", "allow", "key", "id", "timestamp", "values", "sequence", "destinations"];
const SCHEME_KEYS = { "standard-webhooks": [], stripe: [], github: [], token: ["token"], hmac: ["header", "encoding", "prefix"] } as const;

/** The var SOURCES. Throws ConfigurationError. That the destinations exist is for whoever knows both to check. */
export function parseSources(value: unknown, secretOf: SecretOf): ReadonlyMap<string, Source> {
  return new Map(namedTables(value, "SOURCES").map(([name, table]) => [name, parseSource(name, table, secretOf)]));
}

function parseSource(name: string, value: unknown, secretOf: SecretOf): Source {
  const path = ["SOURCES", name];
  if (name === API_SOURCE) throw new ConfigurationError(path, "must have another name", `${name}, which POST /v1/streams goes by`);
  const kind = parseChoice(parseTable(value, path).scheme, [...path, "scheme"], SCHEMES);
  const table = parseTable(value, path, [...COMMON_KEYS, ...SCHEME_KEYS[kind]]);
  const secretsPath = [...path, "secrets"];
  const secrets = secretsAt(table.secrets, secretsPath, secretOf);
  const texts = () => secrets.map((secret, i) => parseTextSecret(secret, [...secretsPath, i]));
  const schemeOf = (): Scheme => {
    switch (kind) {
      case "standard-webhooks":
        return { kind, keys: secrets.map((secret, i) => parseVerifyingKey(secret, [...secretsPath, i])) };
      case "stripe":
      case "github":
        return { kind, secrets: texts() };
      case "token":
        return {
          kind,
          secrets: texts(),
          at: table.token === "path" ? "path" : parsePlace(table.token, [...path, "token"], "path or a JSON Pointer such as /token"),
        };
      case "hmac":
        return {
          kind,
          secrets: texts(),
          header: parseHeaderName(table.header, [...path, "header"]),
          encoding: parseChoice(table.encoding, [...path, "encoding"], ENCODINGS),
          prefix: table.prefix === undefined ? "" : parseString(table.prefix, [...path, "prefix"]),
        };
    }
  };
  return {
    name,
    scheme: schemeOf(),
    pointers: {
      key: parsePlace(table.key, [...path, "key"]),
      ...(table.id !== undefined && { id: parsePlace(table.id, [...path, "id"]) }),
      timestamp: parsePlace(table.timestamp, [...path, "timestamp"]),
      content: parseContent(table.values, table.sequence, path),
    },
    destinations:
      table.destinations === undefined ? [] : parseStrings(table.destinations, [...path, "destinations"], "names of DESTINATIONS", 0),
    ...(table.allow !== undefined && {
      allow: parseStrings(table.allow, [...path, "allow"], "IP addresses", 1).map(parseAddress([...path, "allow"])),
    }),
  };
}

function parseContent(values: unknown, sequence: unknown, path: Path): Content {
  if ((values === undefined) === (sequence === undefined))
    throw new ConfigurationError(path, "must have either values or sequence", values === undefined ? "neither" : "both");
  if (sequence !== undefined) return { kind: "sequence", at: parsePlace(sequence, [...path, "sequence"]) };
  if (!Array.isArray(values)) return { kind: "row", at: parsePlace(values, [...path, "values"]) };
  const places = parseStrings(values, [...path, "values"], "JSON Pointers", 1);
  return { kind: "numbers", at: places.map((place, i) => parsePlace(place, [...path, "values", i])) };
}

function parsePlace(value: unknown, path: Path, what = "a JSON Pointer such as /data/ticker"): readonly string[] {
  const tokens = typeof value === "string" ? parsePointer(value) : undefined;
  if (tokens === undefined) throw new ConfigurationError(path, `must be ${what}`, value === undefined ? "nothing" : describe(value));
  return tokens;
}

function parseHeaderName(value: unknown, path: Path): string {
  const name = parseString(value, path, "the name of a header");
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) throw new ConfigurationError(path, "must be the name of a header", describe(name));
  return name;
}

/** One spelling an address: what URLs make of it. */
function parseAddress(path: Path): (text: string, i: number) => string {
  return (text, i) => {
    const address = normaliseAddress(text);
    if (address === undefined) throw new ConfigurationError([...path, i], "must be an IPv4 or IPv6 address", describe(text));
    return address;
  };
}

/** `2A00::0:1` → `2a00::1`; undefined where `text` is no address. */
export function normaliseAddress(text: string): string | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return URL.parse(`http://${text}/`)?.hostname === text ? text : undefined; // 010 would be 8
  return /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text) ? URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1) : undefined;
}
