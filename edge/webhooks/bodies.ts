// A verified body → its events as documents: JSON or a form, JSON inside a text of it, one event or a list of them.
import { describe, LimitError, type Path, SequenceError } from "../../shared/errors.ts";
import { followPointer } from "../config/json-pointer.ts";
import { parseJson } from "../http/body.ts";
import { type Bytes, encodeText } from "../http/encoding.ts";
import { RequestError } from "../http/problem.ts";

/** How a source's bodies are made. */
export interface Wrapping {
  readonly format: "json" | "form";
  /** Where a text stands that is JSON itself. */
  readonly json?: readonly string[];
  /** Where the list of events stands; absent: a body is one event, or it is an array of them. */
  readonly events?: readonly string[];
}

/** Of one body. */
const MAX_EVENTS = 1000;
/** Of one body: each key is an object of its own. */
export const MAX_KEYS = 40;
/** Of one form. */
const MAX_FIELDS = 1000;

/** The document that `bytes` are: of a form an object of its fields, each its first text. Throws RequestError, and SequenceError for the JSON inside. */
export function readDocument(bytes: Bytes, { format, json }: Wrapping): unknown {
  const document = format === "form" ? readForm(bytes) : parseJson(bytes);
  if (json === undefined) return document;
  const { value, path } = followPointer(document, json);
  if (value === undefined) return document; // a handshake, say
  if (typeof value !== "string") throw new SequenceError(path, "must be a text that is JSON", describe(value));
  const inside = parseJson(encodeText(value), "the text of JSON in the body");
  if (json.length === 0) return inside;
  // defined, not assigned: a name of the body's may be __proto__
  const holder = followPointer(document, json.slice(0, -1)).value as object;
  Object.defineProperty(holder, json[json.length - 1], { value: inside, enumerable: true });
  return document;
}

function readForm(bytes: Bytes): Record<string, string> {
  const fields = [...new URLSearchParams(new TextDecoder().decode(bytes))];
  if (fields.length > MAX_FIELDS)
    throw new RequestError("malformed", `the form must have at most ${MAX_FIELDS} fields, got ${fields.length}`);
  return Object.fromEntries(fields.reverse());
}

/** The events of a body and where each stands; `isList`: the body may hold several. Throws SequenceError, LimitError. */
export function eventsIn(document: unknown, { events }: Wrapping) {
  if (events === undefined && !Array.isArray(document)) return { elements: [{ event: document, at: [] as Path }], isList: false };
  const { value, path } = followPointer(document, events ?? []);
  if (!Array.isArray(value)) throw new SequenceError(path, "must be an array of events", describe(value));
  if (value.length > MAX_EVENTS) throw new LimitError(path, `at most ${MAX_EVENTS} events a body, got ${value.length}`, MAX_EVENTS);
  return { elements: value.map((event: unknown, i) => ({ event, at: [...path, i] as Path })), isList: true };
}
