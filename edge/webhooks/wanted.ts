// `only`: which of a source's events are wanted, by what stands in their bodies and headers. A sender sends more than one kind, and
// takes a refusal of the others for a fault.
import { describe, type Path } from "../../shared/errors.ts";
import { ConfigurationError, parseStrings, parseTable } from "../config/configuration.ts";
import { followPointer, parseHeaderPlace, parsePointer } from "../config/json-pointer.ts";

/** One place and the texts of which one must stand there. */
export interface Wanted {
  /** As the configuration writes it. */
  readonly name: string;
  readonly place: { readonly header: string } | { readonly pointer: readonly string[] };
  readonly texts: readonly string[];
}

/** The table at `path`: `"/type" = [..]`, `"header:x-github-event" = [..]`. Absent: every event is wanted. Throws ConfigurationError. */
export function parseWanted(value: unknown, path: Path): readonly Wanted[] {
  if (value === undefined) return [];
  const entries = Object.entries(parseTable(value, path));
  if (entries.length === 0) throw new ConfigurationError(path, "must name at least one place", "none");
  return entries.map(([name, texts]) => ({ name, place: parsePlace(name, path), texts: parseStrings(texts, [...path, name], "texts", 1) }));
}

function parsePlace(name: string, path: Path): Wanted["place"] {
  const header = parseHeaderPlace(name);
  if (header !== undefined) return header;
  const pointer = parsePointer(name);
  if (pointer !== undefined && name !== "") return { pointer };
  throw new ConfigurationError(path, 'must have keys that are a JSON Pointer such as /type, or "header:" and a name', describe(name));
}

/** The name of the first place where none of its texts stands; undefined where the event is wanted. `document`: the body's JSON. */
export function unwantedAt(wanted: readonly Wanted[], headers: Headers, document: unknown): string | undefined {
  return wanted.find(({ place, texts }) => {
    const value = "header" in place ? headers.get(place.header) : followPointer(document, place.pointer).value;
    return !(typeof value === "string" || typeof value === "number" || typeof value === "boolean") || !texts.includes(String(value));
  })?.name;
}
