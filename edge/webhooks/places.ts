// Where what an event says may stand: in the event, in the body around it, in a header, in the path, or nowhere, which is the time of
// arrival; and what is made of a value before it is one of the row's.
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import { ConfigurationError, parseTable } from "../config/configuration.ts";
import { followPointer, parseHeaderPlace, parsePointerAt } from "../config/json-pointer.ts";

/** Reference tokens are a place in the event; of a body that is one event, the body. */
export type PlaceInBody = readonly string[] | { readonly body: readonly string[] };

export type Place = PlaceInBody | { readonly header: string } | "path" | "arrival";

/** A place's value as it is; a number, or its logarithm, of a number or its text; always the same; or always a gap. */
export type ValuePlace =
  | PlaceInBody
  | { readonly number: Place }
  | { readonly log: Place }
  | { readonly constant: number | string }
  | { readonly gap: true };

/** What an event is read from. */
export interface Surroundings {
  readonly event: unknown;
  /** Where the event stands in the body. */
  readonly at: Path;
  readonly body: unknown;
  readonly headers?: Headers;
  readonly pathKey?: string;
  /** Milliseconds since 1970. */
  readonly arrival?: number;
}

/** The natural logarithm, the kernel's. */
export type Log = (value: number) => number;

/** The value at `place`, undefined where there is none, and its path in the body. */
export function follow(place: Place, { event, at, body, headers, pathKey, arrival }: Surroundings): { value: unknown; path: Path } {
  if (place === "path") return { value: pathKey, path: ["path"] };
  if (place === "arrival") return { value: arrival, path: ["arrival"] };
  if ("header" in place) return { value: headers?.get(place.header) ?? undefined, path: [`header:${place.header}`] };
  if ("body" in place) return followPointer(body, place.body);
  const { value, path } = followPointer(event, place);
  return { value, path: [...at, ...path] };
}

/** A number's text, as forms, headers and many senders' JSON have it. */
const NUMBER = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?\s*$/;

/** As `follow`, of one value of a row; null is a gap. Throws SequenceError for a logarithm that there is not. */
export function followValue(place: ValuePlace, surroundings: Surroundings, log: Log | undefined): { value: unknown; path: Path } {
  if ("constant" in place) return { value: place.constant, path: [] };
  if ("gap" in place) return { value: null, path: [] };
  if (!("number" in place) && !("log" in place)) return follow(place, surroundings);
  const { value: given, path } = follow("number" in place ? place.number : place.log, surroundings);
  const isGap = given === undefined || given === null || given === "";
  const value = isGap ? null : typeof given === "string" && NUMBER.test(given) ? Number(given) : given;
  if ("number" in place || typeof value !== "number") return { value, path };
  if (!(value > 0)) throw new SequenceError(path, "must be greater than 0, for its logarithm", describe(given));
  return { value: log!(value), path };
}

const WORDS = ["path", "arrival"] as const;

/** `/a/b`, `body:/a/b`, `header:x-device`; `words`: which of `path` and `arrival` may stand here. Throws ConfigurationError. */
export function parsePlace(value: unknown, path: Path, words: readonly (typeof WORDS)[number][] = []): Place {
  const word = words.find((one) => one === value);
  if (word !== undefined) return word;
  return parseHeaderPlace(value) ?? parseInBody(value, path);
}

/** `/a/b` or `body:/a/b`. Throws ConfigurationError. */
export function parseInBody(value: unknown, path: Path): PlaceInBody {
  if (typeof value === "string" && value.startsWith("body:")) return { body: parsePointerAt(value.slice("body:".length), path) };
  return parsePointerAt(value, path);
}

/** One entry of `values`: a place, or `{ number = … }`, `{ log = … }`, `{ constant = … }`, `{ gap = true }`. Throws ConfigurationError. */
export function parseValuePlace(value: unknown, path: Path): ValuePlace {
  if (typeof value === "string") return parseInBody(value, path);
  const table = parseTable(value, path, ["number", "log", "constant", "gap"]);
  const [[name, given], ...more] = [...Object.entries(table), ["", undefined] as const];
  if (more.length !== 1) throw new ConfigurationError(path, "must have one of number, log, constant and gap", `${more.length} of them`);
  const at = [...path, name];
  if (name === "number") return { number: parsePlace(given, at) };
  if (name === "log") return { log: parsePlace(given, at) };
  if (name === "gap" && given === true) return { gap: true };
  if (name === "constant" && (typeof given === "string" || Number.isFinite(given))) return { constant: given as number | string };
  throw new ConfigurationError(at, name === "gap" ? "must be true" : "must be a number, or a category's text", describe(given));
}
