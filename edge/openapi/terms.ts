// The words that every part of the OpenAPI document is written in.
// Legend: T steps, F features.
import { operatingPointNames, type ScorableModel } from "../../shared/model.ts";

export type Json = Record<string, unknown>;

/** What groups operations, in the order in which people meet them. */
export const TAGS = {
  score: "Scoring sequences, and the model that scores them.",
  inference: "The Open Inference Protocol v2, for clients that speak it.",
  predict: "TensorFlow Serving's REST predict, for clients that speak it.",
  streams: "Windows of events, one a key, scored as events come.",
  deliveries: "Results on their way to receivers.",
  hooks: "Webhooks of other services.",
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

/** The schema of a component. */
export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** A body of JSON. */
export const json = (schema: Json, example?: unknown): Record<string, Json> => ({
  "application/json": { schema, ...(example !== undefined && { example }) },
});

export const PROBLEM: Json = {
  description: "What is wrong, and where.",
  content: { "application/problem+json": { schema: ref("Problem") } },
};
export const KEYED: Record<string, Json> = { "401": PROBLEM, "403": PROBLEM, "429": PROBLEM, "503": PROBLEM };
export const BODIED: Record<string, Json> = { "400": PROBLEM, "413": PROBLEM, "415": PROBLEM, "422": PROBLEM };

/** An operation that needs no key unless `more` says so: answered with `content`, or with one of `problems`. */
export function open(
  operationId: string,
  tag: keyof typeof TAGS,
  summary: string,
  content: Record<string, Json>,
  more: Partial<Operation> = {},
  problems: Record<string, Json> = {},
): Operation {
  return { operationId, tags: [tag], summary, ...more, responses: { "200": { description: "As it says.", content }, ...problems } };
}

/** What either scope may read: metadata, readiness and the like of other protocols. */
export const ABOUT: readonly Json[] = [{ key: ["read"] }, { key: ["score"] }];

/** The operating point a request may ask for. */
export function pointOf({ operatingPoints }: ScorableModel): Json {
  return { enum: operatingPointNames(operatingPoints), default: operatingPoints[0].name };
}

/** The operating point an answer names. */
export function answeredPointOf({ operatingPoints }: ScorableModel): Json {
  return { enum: operatingPoints.map(({ name }) => name) };
}

/** Another base rate than the training part's; the schema of nothing where that is not known. */
export function priorOf({ positiveRate }: ScorableModel): Json | false {
  if (positiveRate === undefined) return false;
  const description = "How common 1s are where the sequences come from, applied on the logit exactly.";
  return { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1, default: positiveRate, description };
}
