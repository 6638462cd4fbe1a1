// A body that was believed → what it is: its provider's question, or the events that its source wants. The route stores them;
// `quickstep hooks check` shows them.
import type { TakenRecipe } from "../../shared/recipe/recipe.ts";
import type { Bytes } from "../http/encoding.ts";
import { eventsIn, readDocument } from "./bodies.ts";
import { contentDigest } from "./event.ts";
import { type BodyFacts, extractEvent, type HookEvent } from "./extraction.ts";
import { type Greeting, greetByBody } from "./handshakes.ts";
import { signsTime } from "./signatures/schemes.ts";
import type { Source } from "./sources.ts";
import { unwantedAt } from "./wanted.ts";

/** A body that was believed: its bytes without their coding, and the sender's own id where the signature covers it. */
export interface Believed {
  readonly bytes: Bytes;
  /** Of the body as it was sent. */
  readonly digest: string;
  readonly signedId?: string;
}

/** What stands beside the body, and how far an event's time may be from `now`. Times in milliseconds, since 1970. */
export interface Beside extends Pick<BodyFacts, "headers" | "pathKey" | "log"> {
  readonly now: number;
  readonly futureMs: number;
  /** Ids are known for so long. */
  readonly idsMs: number;
}

/** `isList`: the body may hold several events; none: the source wants none of them, the first for what stands at `unwanted`. */
export type Received =
  | { readonly greeting: Greeting }
  /** Of a source that tells what came true: what it tells, as JSON. */
  | { readonly told: readonly unknown[]; readonly isList: boolean }
  | { readonly events: readonly HookEvent[]; readonly isList: boolean; readonly unwanted?: string };

/** Each event with the digest that tells it from another of its id. Throws RequestError, SequenceError, LimitError. */
export async function readEvents(source: Source, believed: Believed, recipe: TakenRecipe, beside: Beside): Promise<Received> {
  const { wrapping, pointers, handshake, only } = source;
  const { now, futureMs, idsMs, headers = new Headers(), pathKey, log } = beside;
  const { digest, signedId } = believed;
  const body = readDocument(believed.bytes, wrapping);
  const greeting = handshake && (await greetByBody(handshake, body));
  if (greeting !== undefined) return { greeting };
  const { elements, isList } = eventsIn(body, wrapping);
  const judged = elements.map((element, index) => ({ ...element, index, unwanted: unwantedAt(only, headers, element.event) }));
  const wanted = judged.filter(({ unwanted }) => unwanted === undefined);
  if (source.outcome !== undefined && wanted.length > 0) return { told: wanted.map(({ event }) => event), isList };
  const facts = {
    ...{ digest, signedId, body, headers, pathKey, log },
    isText: wrapping.format === "form",
    arrival: now,
    latest: now + futureMs,
    // an id is known for idsMs after it came, which may have been futureMs before the event's own time
    ...(!signsTime(source) && { earliest: now - idsMs + futureMs }),
  };
  const events = wanted.map(({ event, at, index }) => extractEvent(event, pointers, recipe, { ...facts, at, ...(isList && { index }) }));
  return { events: await Promise.all(events.map((event) => nameContent(event, source, believed))), isList, unwanted: judged[0]?.unwanted };
}

/** Of what an event says, where it has an id; the time of arrival is not said. */
async function nameContent({ key, event }: HookEvent, { pointers }: Source, { signedId, digest }: Believed): Promise<HookEvent> {
  const hasId = pointers.id !== undefined || signedId !== undefined;
  const timestamp = pointers.timestamp === "arrival" ? 0 : event.timestamp;
  return { key, event: { ...event, digest: hasId ? await contentDigest(timestamp, event.data) : digest } };
}
