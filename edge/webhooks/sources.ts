// SOURCES: who may send events in, how each proves who it is, and where in its bodies things stand.
import { describe, type Path } from "../../shared/errors.ts";
import {
  ConfigurationError,
  namedTables,
  parseChoice,
  parseString,
  parseStrings,
  parseTable,
  type SecretOf,
  type Table,
} from "../config/configuration.ts";
import { parsePointerAt } from "../config/json-pointer.ts";
import { isWithin, parsePattern, type StreamPattern } from "../config/stream-patterns.ts";
import { isModelName } from "../models/pointer.ts";
import type { Wrapping } from "./bodies.ts";
import type { Content, Pointers } from "./extraction.ts";
import { type Handshake, parseHandshake } from "./handshakes.ts";
import { type OutcomePointers, parseOutcome } from "./outcome-pointers.ts";
import { parseInBody, parsePlace, parseValuePlace } from "./places.ts";
import { parseScheme, type Scheme } from "./signatures/schemes.ts";
import { parseWanted, type Wanted } from "./wanted.ts";

/** The source of what comes by POST /v1/streams/{key}/events; no other may have its name. */
export const API_SOURCE = "api";

export interface Source {
  readonly name: string;
  /** Of the registry: it scores the events. Absent: the default one. */
  readonly model?: string;
  readonly scheme: Scheme;
  /** Absent: the source's provider is not answered when it asks whether the address is its own. */
  readonly handshake?: Handshake;
  readonly pointers: Pointers;
  /** It tells what came true, and no events: `pointers` say nothing then. */
  readonly outcome?: OutcomePointers;
  readonly wrapping: Wrapping;
  /** The signature is over the body as it was sent, compressed where it is. */
  readonly signsCompressed?: true;
  /** What must stand where, for an event to be taken; empty: every event is. */
  readonly only: readonly Wanted[];
  /** The only streams it may write; nobody else may, but who is bound to them. Absent: all that no other source has. */
  readonly streams?: readonly StreamPattern[];
  /** Names of DESTINATIONS that each result goes to. */
  readonly destinations: readonly string[];
  /** The only addresses and ranges it may send from, each in the spelling of `normaliseRange`; absent: any. */
  readonly allowedIps?: readonly string[];
}

/** A source's keys, whatever its scheme. `allow` is the older name of `allowedIps`, and stays. */
const SOURCE_KEYS = [
  "scheme",
  "secrets",
  "handshake",
  "verifyToken",
  "allowedIps",
  "format",
  "json",
  "events",
  "signedBody",
  "key",
  "id",
  "timestamp",
  "values",
  "sequence",
  "static",
  "outcome",
  "destinations",
  "only",
  "streams",
  "model",
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
  const outcome = parseOutcome(table, path);
  return {
    name,
    ...(table.model !== undefined && { model: parseModelName(table.model, [...path, "model"]) }),
    scheme,
    ...(handshake !== undefined && { handshake }),
    ...(outcome !== undefined && { outcome }),
    pointers: outcome === undefined ? parsePointers(table, path) : NO_POINTERS,
    wrapping: parseWrapping(table, path),
    ...(table.signedBody !== undefined &&
      parseChoice(table.signedBody, [...path, "signedBody"], ["plain", "compressed"]) === "compressed" && { signsCompressed: true }),
    only: parseWanted(table.only, [...path, "only"]),
    destinations:
      table.destinations === undefined ? [] : parseStrings(table.destinations, [...path, "destinations"], "names of DESTINATIONS", 0),
    ...(table.streams !== undefined && { streams: parsePatterns(table.streams, [...path, "streams"]) }),
    ...parseAllowedIps(table, path),
  };
}

/** The name that a model of the registry may have. Throws ConfigurationError. */
export function parseModelName(value: unknown, path: Path): string {
  const name = parseString(value, path, "the name of a model");
  if (!isModelName(name)) throw new ConfigurationError(path, "must be a model's name, 1 to 64 characters without : and /", describe(name));
  return name;
}

const NO_POINTERS: Pointers = { key: [], timestamp: "arrival", content: { kind: "row", at: [] } };

function parsePointers(table: Table, path: Path): Pointers {
  return {
    key: parsePlace(table.key, [...path, "key"], ["path"]),
    ...(table.id !== undefined && { id: parseInBody(table.id, [...path, "id"]) }),
    timestamp: parsePlace(table.timestamp, [...path, "timestamp"], ["arrival"]),
    content: parseContent(table.values, table.sequence, path),
    ...(table.static !== undefined && { statics: parseStatics(table.static, [...path, "static"]) }),
  };
}

function parseContent(values: unknown, sequence: unknown, path: Path): Content {
  if ((values === undefined) === (sequence === undefined))
    throw new ConfigurationError(path, "must have either values or sequence", values === undefined ? "neither" : "both");
  if (sequence !== undefined) return { kind: "sequence", at: parseInBody(sequence, [...path, "sequence"]) };
  if (!Array.isArray(values)) return { kind: "row", at: parseInBody(values, [...path, "values"]) };
  if (values.every((one) => typeof one === "string")) parseStrings(values, [...path, "values"], "JSON Pointers", 1);
  return { kind: "numbers", at: values.map((place, i) => parseValuePlace(place, [...path, "values", i])) };
}

/** `{ age = "/customer/age" }` */
function parseStatics(value: unknown, path: Path): Pointers["statics"] {
  const entries = Object.entries(parseTable(value, path));
  if (entries.length === 0) throw new ConfigurationError(path, "must name at least one column", "none");
  return entries.map(([name, pointer]) => ({ name, at: parseInBody(pointer, [...path, name]) }));
}

function parseWrapping({ format, json, events }: Table, path: Path): Wrapping {
  return {
    format: format === undefined ? "json" : parseChoice(format, [...path, "format"], ["json", "form"]),
    ...(json !== undefined && { json: parsePointerAt(json, [...path, "json"]) }),
    ...(events !== undefined && { events: parsePointerAt(events, [...path, "events"]) }),
  };
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
  const addresses = parseStrings(allowedIps ?? allow, at, "IP addresses and ranges", 1).map((text, i) => {
    const range = normaliseRange(text);
    if (range === undefined)
      throw new ConfigurationError([...at, i], "must be an IPv4 or IPv6 address, or a range such as 192.0.2.0/24", describe(text));
    return range;
  });
  return { allowedIps: addresses };
}

/** `2A00::0:1` → `2a00::1`; undefined where `text` is no address. */
function normaliseAddress(text: string): string | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return URL.parse(`http://${text}/`)?.hostname === text ? text : undefined; // 010 would be 8
  return text.includes(":") && /^[0-9a-fA-F:.]+$/.test(text) ? URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1) : undefined;
}

/** The same of `2A00::/32`, whose bits behind the prefix count for nothing. */
function normaliseRange(text: string): string | undefined {
  const [, host = text, bits] = /^(.+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = normaliseAddress(host);
  if (address === undefined || bits === undefined) return address;
  return Number(bits) <= bitsOf(address).length ? `${address}/${Number(bits)}` : undefined;
}

/** 32 or 128 digits, of an address in `normaliseAddress`' spelling. */
function bitsOf(address: string): string {
  const toBits = (numbers: readonly number[], width: number) => numbers.map((number) => number.toString(2).padStart(width, "0")).join("");
  if (!address.includes(":")) return toBits(address.split(".").map(Number), 8);
  const [head, tail = ""] = address.split("::");
  const [before, after] = [head, tail].map((part) =>
    part
      .split(":")
      .filter(Boolean)
      .map((group) => Number.parseInt(group, 16)),
  );
  return toBits([...before, ...Array(8 - before.length - after.length).fill(0), ...after], 16);
}

/** Whether `address` is the one or in the range that `allowed` is. */
function isAllowed(address: string, allowed: string): boolean {
  const [host, bits] = allowed.split("/");
  if (bits === undefined) return address === host;
  const [given, prefix] = [bitsOf(address), bitsOf(host)];
  return given.length === prefix.length && given.startsWith(prefix.slice(0, Number(bits)));
}

/** Before a byte of the body is read: the reason why this sender's address is not one the source sends from, if so. */
export function refuseAddress({ allowedIps }: Source, headers: Headers): string | undefined {
  if (allowedIps === undefined) return undefined;
  const text = headers.get("cf-connecting-ip"); // Cloudflare's own, whatever the client sent
  if (text === null) return "the address of the sender is not known";
  const address = normaliseAddress(text);
  const isOne = address !== undefined && allowedIps.some((allowed) => isAllowed(address, allowed));
  return isOne ? undefined : `${text} is not an address this source sends from`;
}
