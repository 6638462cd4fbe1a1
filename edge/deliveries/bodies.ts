// What a delivery says: our own envelope, CloudEvents 1.0, a chat's message, or a template of the configuration's. Substitution is closed:
// a template is JSON before anything is put in, and what is put in is a value, so nothing of an event can break it.
import { describe, type Path } from "../../shared/errors.ts";
import { ConfigurationError, parseString } from "../config/configuration.ts";

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export interface Body {
  readonly contentType: string;
  /** Undefined: our own envelope. */
  readonly template?: Json | "cloudevents";
  /** How a text is written where it is put into another. */
  readonly escaping?: "slack";
}

/** An answer, and what stands around it. */
export interface Said {
  /** A StreamAnswer; of word of a model its key, time and what is said. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** The same as JSON. */
  readonly text: string;
  /** When it was made, ISO 8601. */
  readonly time: string;
  /** Tells a stream's answers from those it gave before it was emptied. */
  readonly generation: string;
  /** What it is; absent: prediction.created. */
  readonly type?: string;
}

const PREDICTION = "prediction.created";
/** The key of deliveries that only try a destination. */
export const TEST_KEY = "quickstep:test";

/** The text of a delivery that tries a destination: what it gets, but that key and type say what it is. `now`: milliseconds since 1970. */
export function renderTest(body: Body, now: number): string {
  const time = new Date(now).toISOString();
  const scored = { model: "test", operatingPoint: "default", probability: 0.5, label: 0 };
  const answer = { key: TEST_KEY, source: "test", id: time, timestamp: time, seq: 0, ...scored, filled: 0, timesteps: 0, window: [] };
  return renderBody(body, { answer, text: JSON.stringify(answer), time, generation: `${now}`, type: "destination.test" });
}

/** What a delivery says of a model, and what a template may take of it. `key`: of the outbox that it goes by. */
export function renderWord(body: Body, key: string, type: string, data: Readonly<Record<string, unknown>>, time: string): string {
  const answer = { key, timestamp: time, ...data };
  return renderBody(body, { answer, text: JSON.stringify(data), time, generation: `${type}-${time}`, type });
}

/** What a template may have in word of a model. */
export const WORD_PLACES: readonly string[] = ["type", "key", "model", "timestamp", "data"];
/** What it may have in an answer. */
const PLACES: readonly string[] = [
  "data",
  "type",
  "key",
  "source",
  "id",
  "timestamp",
  "seq",
  "model",
  "operatingPoint",
  "probability",
  "label",
  "warming",
  "filled",
];
const HOLE = /\{(\w+)\}/g;
const MAX_TEMPLATE_LENGTH = 16_384;
const SENTENCE = "{key}: probability {probability}, label {label} ({timestamp})";
const CARD = "http://adaptivecards.io/schemas/adaptive-card.json";

/** Each chat's message around a sentence. Discord's names nobody, whatever a key says. */
const CHATS: Readonly<Record<string, (sentence: string) => Json>> = {
  slack: (text) => ({ text }),
  discord: (content) => ({ content, allowed_mentions: { parse: [] } }),
  teams: (text) => ({
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        content: { $schema: CARD, type: "AdaptiveCard", version: "1.4", body: [{ type: "TextBlock", wrap: true, text }] },
      },
    ],
  }),
};

/** The `body` of a chat's message, which says one thing. */
export function isChat(body: unknown): boolean {
  return typeof body === "string" && Object.hasOwn(CHATS, body);
}

/** The media type of a delivery, or of an array of them. */
export function contentTypeOf({ contentType, template }: Body, isBatch: boolean): string {
  return isBatch && template === "cloudevents" ? "application/cloudevents-batch+json" : contentType;
}

/** The name under which each row of a batch has its own id; undefined where a template says all that a row has. */
export function rowIdName({ template }: Body): string | undefined {
  if (template === undefined) return "id";
  return template === "cloudevents" ? "webhookid" : undefined; // an extension attribute: CloudEvents' own id is the answer's
}

export const ENVELOPE: Body = { contentType: "application/json" };

/** `body` and `text` of a destination's table. Throws ConfigurationError. */
export function parseBody(body: unknown, sentence: unknown, path: Path): Body {
  const at = [...path, "body"];
  const chat = isChat(body) ? CHATS[body as string] : undefined;
  if (sentence !== undefined && chat === undefined)
    throw new ConfigurationError([...path, "text"], "must be left out, but for slack, discord and teams", describe(sentence));
  if (body === undefined) return ENVELOPE;
  if (body === "cloudevents") return { contentType: "application/cloudevents+json", template: "cloudevents" };
  const text = parseString(body, at, `slack, discord, teams, cloudevents or a template, JSON with places such as "{probability}"`);
  const template = chat?.(sentence === undefined ? SENTENCE : parseString(sentence, [...path, "text"])) ?? parseTemplate(text, at);
  const parsed: Body = { ...ENVELOPE, template, ...(body === "slack" && { escaping: "slack" }) };
  checkPlaces(parsed, PLACES, at);
  return parsed;
}

function parseTemplate(text: string, path: Path): Json {
  if (text.length > MAX_TEMPLATE_LENGTH)
    throw new ConfigurationError(path, `must have at most ${MAX_TEMPLATE_LENGTH} characters`, `${text.length}`);
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigurationError(path, `must be ${[...Object.keys(CHATS), "cloudevents"].join(", ")} or JSON`, describe(text));
  }
}

/** Throws ConfigurationError at `path` where a body has other places than `known`. `rule` and `got` say what has them. */
export function checkPlaces({ template = "" }: Body, known: readonly string[], path: Path, rule = "must have", got = ""): void {
  for (const [place, name] of JSON.stringify(template).matchAll(HOLE))
    if (!known.includes(name))
      throw new ConfigurationError(path, `${rule} no places but ${known.map((one) => `{${one}}`).join(", ")}`, got + place);
}

/** The text of a delivery. */
export function renderBody({ template, escaping }: Body, said: Said): string {
  const { answer, text, time, type = PREDICTION } = said;
  if (template === undefined) return `{"type":"${type}","timestamp":"${time}","data":${text}}`;
  if (template === "cloudevents") return JSON.stringify(cloudEvent(said));
  const written = (value: unknown): string => {
    const plain = value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    return escaping === undefined ? plain : plain.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  };
  const fields: Readonly<Record<string, unknown>> = { ...answer, type, data: answer };
  const fill = (part: Json): unknown => {
    if (typeof part === "string") {
      const [, alone] = /^\{(\w+)\}$/.exec(part) ?? [];
      return alone === undefined || escaping ? part.replace(HOLE, (_, name: string) => written(fields[name])) : (fields[alone] ?? null);
    }
    if (Array.isArray(part)) return part.map(fill);
    if (typeof part !== "object" || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, fill(value)]));
  };
  return JSON.stringify(fill(template));
}

/** CloudEvents 1.0, structured: `source` and `id` together are one event's, whatever destination it goes to. */
function cloudEvent({ answer, time, generation, type = PREDICTION }: Said): object {
  const { key, seq } = answer;
  const source = `/v1/streams/${encodeURIComponent(String(key))}`;
  const attributes = { specversion: "1.0", id: seq === undefined ? generation : `${generation}-${seq}`, source, type, subject: key, time };
  return { ...attributes, datacontenttype: "application/json", data: answer };
}
