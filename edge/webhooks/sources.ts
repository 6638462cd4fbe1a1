// SOURCES: who may send events in, how each proves who it is, and where in its bodies things stand.
import { describe, type Path } from "../../shared/errors.ts";
import { ConfigurationError, namedTables, parseStrings, parseTable, type SecretOf, type Table } from "../config/configuration.ts";
import { parsePointerAt } from "../config/json-pointer.ts";
import { isWithin, parsePattern, type StreamPattern } from "../config/stream-patterns.ts";
import type { Content, Pointers } from "./extraction.ts";
import { type Handshake, parseHandshake } from "./handshakes.ts";
import { parseScheme, type Scheme } from "./signatures/schemes.ts";
import { parseWanted, type Wanted } from "./wanted.ts";

/** The source of what comes by POST /v1/streams/{key}/events; no other may have its name. */
export const API_SOURCE = "api";

export interface Source {
  readonly name: string;
  readonly scheme: Scheme;
  /** Absent: the source's provider is not answered when it asks whether the address is its own. */
  readonly handshake?: Handshake;
  readonly pointers: Pointers;
  /** What must stand where, for an event to be taken; empty: every event is. */
  readonly only: readonly Wanted[];
  /** The only streams it may write; nobody else may, but who is bound to them. Absent: all that no other source has. */
  readonly streams?: readonly StreamPattern[];
  /** Names of DESTINATIONS that each result goes to. */
  readonly destinations: readonly string[];
  /** The only addresses it may send from, each in the spelling of `normaliseAddress`; absent: any. */
  readonly allowedIps?: readonly string[];
}

/** A source's keys, whatever its scheme. `allow` is the older name of `allowedIps`, and stays. */
const SOURCE_KEYS = [
  "scheme",
  "secrets",
  "handshake",
  "verifyToken",
  "allowedIps",
  "key",
  "id",
  "timestamp",
  "values",
  "sequence",
  "static",
  "destinations",
  "only",
  "streams",
  "allow",
];

/** The var SOURCES. Throws ConfigurationError. That the destinations exist is for whoever knows both to check. */
export function parseSources(value: unknown, secretOf: SecretOf): ReadonlyMap<string, Source> {
  return new Map(namedTables(value, "SOURCES").map(([name, table]) => [name, parseSource(name, table, secretOf)]));
}

function parseSource(name: string, value: unknown, secretOf: SecretOf): Source {
  const path = ["SOURCES", name];
  if (name === API_SOURCE) throw new ConfigurationError(path, "must have another name", `${name}, which POST /v1/streams goes by`);
  const scheme = parseScheme(value, path, SOURCE_KEYS, secretOf);
  const table = parseTable(value, path);
  const handshake = parseHandshake(table, path, "secrets" in scheme ? scheme.secrets : [], secretOf);
  return {
    name,
    scheme,
    ...(handshake !== undefined && { handshake }),
    pointers: {
      key: parsePointerAt(table.key, [...path, "key"]),
      ...(table.id !== undefined && { id: parsePointerAt(table.id, [...path, "id"]) }),
      timestamp: parsePointerAt(table.timestamp, [...path, "timestamp"]),
      content: parseContent(table.values, table.sequence, path),
      ...(table.static !== undefined && { statics: parseStatics(table.static, [...path, "static"]) }),
    },
    only: parseWanted(table.only, [...path, "only"]),
    destinations:
      table.destinations === undefined ? [] : parseStrings(table.destinations, [...path, "destinations"], "names of DESTINATIONS", 0),
    ...(table.streams !== undefined && { streams: parsePatterns(table.streams, [...path, "streams"]) }),
    ...parseAllowedIps(table, path),
  };
}

function parseContent(values: unknown, sequence: unknown, path: Path): Content {
  if ((values === undefined) === (sequence === undefined))
    throw new ConfigurationError(path, "must have either values or sequence", values === undefined ? "neither" : "both");
  if (sequence !== undefined) return { kind: "sequence", at: parsePointerAt(sequence, [...path, "sequence"]) };
  if (!Array.isArray(values)) return { kind: "row", at: parsePointerAt(values, [...path, "values"]) };
  const pointers = parseStrings(values, [...path, "values"], "JSON Pointers", 1);
  return { kind: "numbers", at: pointers.map((pointer, i) => parsePointerAt(pointer, [...path, "values", i])) };
}

/** `{ age = "/customer/age" }` */
function parseStatics(value: unknown, path: Path): Pointers["statics"] {
  const entries = Object.entries(parseTable(value, path));
  if (entries.length === 0) throw new ConfigurationError(path, "must name at least one column", "none");
  return entries.map(([name, pointer]) => ({ name, at: parsePointerAt(pointer, [...path, name]) }));
}

function parsePatterns(value: unknown, path: Path): readonly StreamPattern[] {
  return parseStrings(value, path, "streams such as north-7 or north-*", 1).map((text, i) => {
    const pattern = parsePattern(text);
    if (pattern === undefined) throw new ConfigurationError([...path, i], "must have a star at its end alone", describe(text));
    return pattern;
  });
}

/** Whether the stream of `key` is a source's own. */
export function isOwned(sources: ReadonlyMap<string, Source>, key: string): boolean {
  return [...sources.values()].some(({ streams }) => streams !== undefined && isWithin(key, streams));
}

/** Whether `source`, one of `sources`, may write the stream of `key`. */
export function mayWrite({ streams }: Source, sources: ReadonlyMap<string, Source>, key: string): boolean {
  return streams === undefined ? !isOwned(sources, key) : isWithin(key, streams);
}

/** One spelling an address: what URLs make of it. */
function parseAllowedIps({ allowedIps, allow }: Table, path: Path): Pick<Source, "allowedIps"> {
  if (allowedIps === undefined && allow === undefined) return {};
  if (allowedIps !== undefined && allow !== undefined) throw new ConfigurationError(path, "must have either allowedIps or allow", "both");
  const at = [...path, allowedIps === undefined ? "allow" : "allowedIps"];
  const addresses = parseStrings(allowedIps ?? allow, at, "IP addresses", 1).map((text, i) => {
    const address = normaliseAddress(text);
    if (address === undefined) throw new ConfigurationError([...at, i], "must be an IPv4 or IPv6 address", describe(text));
    return address;
  });
  return { allowedIps: addresses };
}

/** `2A00::0:1` → `2a00::1`; undefined where `text` is no address. */
function normaliseAddress(text: string): string | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return URL.parse(`http://${text}/`)?.hostname === text ? text : undefined; // 010 would be 8
  return text.includes(":") && /^[0-9a-fA-F:.]+$/.test(text) ? URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1) : undefined;
}

/** Before a byte of the body is read: the reason why this sender's address is not one the source sends from, if so. */
export function refuseAddress({ allowedIps }: Source, headers: Headers): string | undefined {
  if (allowedIps === undefined) return undefined;
  const address = headers.get("cf-connecting-ip"); // Cloudflare's own, whatever the client sent
  if (address === null) return "the address of the sender is not known";
  return allowedIps.includes(normaliseAddress(address) ?? "") ? undefined : `${address} is not an address this source sends from`;
}
