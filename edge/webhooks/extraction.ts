// A verified body → the event it describes: whose stream, which event, when, and its numbers. Knows no signatures and no storage.
import { type Path, SequenceError } from "../../shared/errors.ts";
import { expandGiven, type Place } from "../../shared/recipe/given-rows.ts";
import { shapeOf, type TakenRecipe } from "../../shared/recipe/recipe.ts";
import { type Shape, widthWithoutTime } from "../../shared/sequence.ts";
import { readInstantText } from "../http/instant.ts";
import { parseName, parseNumber, parseRow, parseRows, parseTimestamp, refuseFuture, refusePast, type StreamEvent } from "./event.ts";
import { expandEventRow } from "./event-row.ts";
import { type Place as EventPlace, follow, followValue, type Log, type PlaceInBody, type Surroundings, type ValuePlace } from "./places.ts";

/** Where a source's events say what. */
export interface Pointers {
  readonly key: EventPlace;
  /** Undefined: the scheme's own signed id, or else a digest of the body. */
  readonly id?: PlaceInBody;
  readonly timestamp: EventPlace;
  readonly content: Content;
  /** What is given once a sequence, by name. Absent: bodies do not say it, or their rows hold it. */
  readonly statics?: readonly { readonly name: string; readonly at: PlaceInBody }[];
}

/**
 * `row`: one array, of F numbers or a value for each input of rows; `numbers`: as many places, in the model's order; `sequence`: a whole
 * sequence of rows.
 */
export type Content =
  | { readonly kind: "row"; readonly at: PlaceInBody }
  | { readonly kind: "numbers"; readonly at: readonly ValuePlace[] }
  | { readonly kind: "sequence"; readonly at: PlaceInBody };

/** Of a body, which is read before it is known to be the source's: what senders say beside one row, GitHub above all. */
export const MAX_EVENT_BODY_BYTES = 256 * 1024;
/** The same where it holds a whole sequence, so far as the model's shape needs it. */
export const MAX_HOOK_BYTES = 1024 * 1024;
/** A number of JSON. */
const NUMBER_BYTES = 25;

/** How long a body with this content may be, for a model of T steps and F features. */
export function maxBodyBytes({ kind }: Content, { timesteps: T, features: F }: Shape): number {
  return kind === "sequence" ? Math.min(MAX_HOOK_BYTES, MAX_EVENT_BODY_BYTES + T * F * NUMBER_BYTES) : MAX_EVENT_BODY_BYTES;
}

/** What a webhook says: an event, and whose stream it belongs to. */
export interface HookEvent {
  readonly key: string;
  readonly event: StreamEvent;
}

/** What is known of a body beside its JSON. Instants in milliseconds since 1970. */
export interface BodyFacts extends Partial<Omit<Surroundings, "event">> {
  /** Of the body as it came: the event's id where it has no other. */
  readonly digest: string;
  /** The sender's id of the event, if the sender signed the id. */
  readonly signedId?: string;
  /** Which event of the body this is; absent: it is the only one. */
  readonly index?: number;
  /** Texts stand for numbers and instants, as in a form. */
  readonly isText?: boolean;
  /** Later instants are refused. */
  readonly latest: number;
  /** Earlier ones, too; absent: none. */
  readonly earliest?: number;
  /** For values that are logarithms. */
  readonly log?: Log;
}

/**
 * The event that `document` is: a body's JSON, or an element of it; `recipe` is the model's. Throws SequenceError at the place a pointer
 * names.
 */
export function extractEvent(document: unknown, pointers: Pointers, recipe: TakenRecipe, facts: BodyFacts): HookEvent {
  const { latest, earliest, isText, at = [], body = document } = facts;
  const around: Surroundings = { ...facts, event: document, at, body };
  const read = <T>(place: EventPlace, parse: (value: unknown, path: Path) => T): T => {
    const { value, path } = follow(place, around);
    return parse(value, path);
  };
  const { key, timestamp } = pointers;
  return {
    key: read(key, parseName),
    event: {
      id: idOf(pointers.id, facts, read),
      timestamp: read(timestamp, (value, path) => {
        const isWord = isText || timestamp === "arrival" || "header" in (timestamp as object);
        const instant = (isWord ? readInstantText(value) : undefined) ?? parseTimestamp(value, path);
        if (timestamp === "arrival") return instant;
        refuseFuture(instant, latest, path);
        if (earliest !== undefined) refusePast(instant, earliest, path);
        return instant;
      }),
      data: extractData(around, pointers, recipe, facts.log),
      digest: facts.digest,
    },
  };
}

/** A name that nobody signed could be changed to have the same body counted twice: without a place of its own it is the sender's, or the body's. */
function idOf(
  place: PlaceInBody | undefined,
  { signedId, digest, index }: BodyFacts,
  read: <T>(place: PlaceInBody, parse: (value: unknown, path: Path) => T) => T,
): string {
  const isOwn = place !== undefined && !("body" in place);
  const id = place === undefined ? (signedId ?? `sha256:${digest}`) : read(place, parseName);
  return isOwn || index === undefined ? id : `${id}#${index}`;
}

/** The numbers of the event. Throws SequenceError. */
function extractData(around: Surroundings, { content, statics }: Pointers, recipe: TakenRecipe, log: Log | undefined): StreamEvent["data"] {
  const shape = shapeOf(recipe);
  const given = statics && findStatics(around, statics);
  const rowOf = (values: unknown, path: Place, parse: (row: unknown, shape: Shape) => readonly number[]): StreamEvent["data"] => {
    if (recipe.inputs === undefined) return { values: parse(values, shape) };
    const beside = { path, statics: given?.values, staticPath: given?.placeOf ?? [] };
    const { row, isOwn } = expandEventRow(values, beside, recipe);
    if (!isOwn) return { values: parse(row, shape) };
    return { own: parse(row, { ...shape, features: shape.features - (shape.statics ?? 0) }) };
  };
  switch (content.kind) {
    case "row": {
      const { value, path } = follow(content.at, around);
      return rowOf(value, path, (row, width) => parseRow(row, path, width));
    }
    case "numbers": {
      const places = content.at.map((place) => followValue(place, around, log));
      const values = places.map(({ value }) => value);
      const parse = (row: unknown): readonly number[] => (row as unknown[]).map((value, i) => parseNumber(value, places[i].path, shape));
      // as many places as features are numbers, whatever the model's inputs are
      if (values.length === widthWithoutTime(shape)) return { values: parse(values) };
      return rowOf(
        values,
        (i) => places[i as number].path,
        (row, width) => parseRow(row, [], width),
      );
    }
    case "sequence": {
      const { value, path } = follow(content.at, around);
      return { sequence: parseRows(expandSequence(value, path, given, recipe), path, shape) };
    }
  }
}

/** What a body gives once a sequence, and where each of it stands. */
interface FoundStatics {
  /** By name; undefined where the body has none of it: then the latest is meant. */
  readonly values: Readonly<Record<string, unknown>> | undefined;
  readonly placeOf: (name: string | number) => Path;
}

function findStatics(around: Surroundings, statics: NonNullable<Pointers["statics"]>): FoundStatics {
  const found = new Map(statics.map(({ name, at }) => [name, follow(at, around)] as const));
  const given = [...found].filter(([, { value }]) => value !== undefined).map(([name, { value }]) => [name, value] as const);
  return {
    values: given.length === 0 ? undefined : Object.fromEntries(given),
    placeOf: (name) => found.get(name as string)!.path,
  };
}

/** A whole sequence stands for itself: it needs all that is given once. Rows of features stay as they are. */
function expandSequence(value: unknown, path: Path, given: FoundStatics | undefined, recipe: TakenRecipe): unknown {
  const { clock, features, inputs } = recipe;
  const width = Array.isArray(value) && Array.isArray(value[0]) ? value[0].length : undefined;
  const timeless = (inputs?.filter((input) => !input.static) ?? features.slice(0, -1)).length;
  if (clock && width === timeless)
    throw new SequenceError(path, "must have rows with their time, in seconds since 1970, as the last number", `rows of ${width}`);
  if (inputs === undefined || (width === features.length && given === undefined)) return value;
  return expandGiven(value, path, given && (given.values ?? {}), given?.placeOf ?? path, recipe);
}
