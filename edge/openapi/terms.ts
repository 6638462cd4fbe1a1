// The words that every part of the OpenAPI document is written in. Generated clients are made from it: an answer has one type, a schema
// says its `type` beside `enum` and `const`, and no property of a request has a default, which some would then require. What is the
// model's alone is a hole, which fill.ts fills in.
import { PROBLEMS, type ProblemKind } from "../http/problem.ts";
import type { Figures } from "./figures.ts";
import type { Conditional } from "./fill.ts";

export type Json = Record<string, unknown>;

/** Where a figure of the model belongs: alone as it is, in a text as text. */
export const hole = (name: keyof Figures): string => `{{${name}}}`;

/** What is there where the model has the figure, and what stands in its place otherwise. */
export const either = (name: keyof Figures, then: unknown, otherwise: unknown): Json => ({ $if: name, $then: then, $else: otherwise });

/** What is there where the model has the figure, and nothing otherwise. */
export const only = (name: keyof Figures, then: unknown): Json => ({ $if: name, $then: then });

/** One text of parts that may be conditional. */
export const join = (...parts: readonly unknown[]): Json => ({ $join: parts });

/** What groups operations, in the order in which people meet them. */
export const TAGS = {
  score: "Scoring sequences, and the model that scores them.",
  inference: "The Open Inference Protocol v2, for clients that speak it.",
  registry: "The models that answer, published and rolled back without a deploy.",
  predict: "TensorFlow Serving's REST predict, for clients that speak it.",
  streams: "Windows of events, one a key, scored as events come.",
  deliveries: "Results on their way to receivers.",
  hooks: "Webhooks of other services.",
  monitor: "Whether the model still holds: counts, drift, and what came true.",
  service: "Whether the Worker is well, and how to call it.",
} as const;

export interface Operation {
  /** What generated clients call the operation. */
  readonly operationId: string;
  readonly tags: readonly (keyof typeof TAGS)[];
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly Json[];
  readonly parameters?: readonly Json[];
  readonly requestBody?: { readonly required: true; readonly content: Record<string, Json> };
  readonly responses: Record<string, Json>;
}

export type Paths = Record<string, Record<string, Operation>>;

export const text: Json = { type: "string" };
export const count: Json = { type: "integer", minimum: 0 };

/** The schema of a component. */
export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** An array of these. */
export const list = (items: Json, more: Json = {}): Json => ({ type: "array", items, ...more });

/** This, or null. */
export const orNull = (schema: Json, description?: string): Json => ({
  anyOf: [schema, { type: "null" }],
  ...(description && { description }),
});

/** An object with these properties and, unless `more` says so, no others; all that are there are required but those of `optional`. */
export function object(properties: Json, optional: readonly string[] = [], more: Json = {}): Json {
  const required = Object.entries(properties)
    .filter(([name]) => !optional.includes(name))
    .map(([name, property]) => (isConditional(property) ? { ...property, $then: name } : name));
  return { type: "object", properties, ...(required.length > 0 && { required }), additionalProperties: false, ...more };
}

function isConditional(property: unknown): property is Conditional {
  return typeof property === "object" && property !== null && "$if" in property && !("$else" in property);
}

/** A body of JSON. */
export const json = (schema: Json, example?: unknown): Record<string, Json> => ({
  "application/json": { schema, ...(example !== undefined && { example }) },
});

/** What an example of each kind of problem says. */
const DETAILS: Partial<Record<ProblemKind, string>> = {
  malformed: "the body is empty, expected JSON",
  unauthorised: "the header authorization must be `Bearer` and a key, got none",
  signature: "the signature is not that of the body",
  forbidden: "the key reader has the scopes read, this needs score",
  notFound: "there is none of this name",
  conflict: "the id came before with other content",
  moved: "somebody else moved the pointer of fx meanwhile: look at GET /v1/models, then do it again",
  unservable: "artifact: checksum is 0badf00d, expected 600dcafe: the file is damaged; copy it again or retrain",
  slow: "the body took more than 10000 ms to arrive",
  limit: "at most 1000 sequences a request, got 1001: send them in parts",
  mediaType: "content-type must be application/json, got none",
  sequence: "sequences[3][2][4] must be a finite number, got null",
  parameter: 'explain must be true or false, got "maybe"',
  rate: "the key reader has used up its requests: wait 60 seconds",
  loop: "the event has been through 4 Workers of this kind, at most 4 are allowed",
  artifact: "the artifact is of a newer format: redeploy the worker",
  storage: "the event could not be stored: send it again",
};

/** The components of the document that answer with a problem, by its kind. */
export function problemResponses(): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(DETAILS).map(([kind, detail]) => {
      const [status, title] = PROBLEMS[kind as ProblemKind];
      const example = {
        type: `urn:quickstep:problem:${kind}`,
        title,
        status,
        detail,
        ...(kind === "sequence" && { pointer: "/sequences/3/2/4" }),
      };
      return [kind, { description: `${title}.`, content: { "application/problem+json": { schema: ref("Problem"), example } } }];
    }),
  );
}

/** The answers of these kinds, by their statuses. */
export function problems(...kinds: readonly ProblemKind[]): Record<string, Json> {
  return Object.fromEntries(kinds.map((kind) => [`${PROBLEMS[kind][0]}`, { $ref: `#/components/responses/${kind}` }]));
}

export const KEYED = problems("unauthorised", "forbidden", "rate", "artifact");
export const BODIED = problems("malformed", "limit", "mediaType", "sequence");

/** An operation that needs no key unless `more` says so: answered with `content`, or with one of `refusals`. */
export function open(
  operationId: string,
  tag: keyof typeof TAGS,
  summary: string,
  content: Record<string, Json>,
  more: Partial<Operation> = {},
  refusals: Record<string, Json> = {},
): Operation {
  return { operationId, tags: [tag], summary, ...more, responses: { "200": { description: "As it says.", content }, ...refusals } };
}

/** What either scope may read: metadata, readiness and the like of other protocols. */
export const ABOUT: readonly Json[] = [{ key: ["read"] }, { key: ["score"] }];

/** The operating point a request may ask for. */
export const POINT: Json = {
  type: "string",
  enum: hole("askedPoints"),
  description: `Where probabilities become labels; ${hole("firstPoint")} where none is asked for.`,
};

/** The operating point an answer names. */
export const ANSWERED_POINT: Json = { type: "string", enum: hole("answeredPoints") };

/** What a request may name where the model's own is known: another base rate than the training part's. */
export const PRIOR: Json = {
  type: "number",
  exclusiveMinimum: 0,
  exclusiveMaximum: 1,
  description: `How common 1s are where the sequences come from, applied on the logit exactly; in training ${hole("positiveRate")}.`,
};
