// What a model takes, as JSON schemas: rows of numbers, or of a model's inputs, with texts where categories stand; what is given once a
// sequence, times of rows; in score requests and in events.
import { nameSchema, timestampSchema } from "../webhooks/event.ts";
import { jsonSchema } from "./json-schema.ts";
import { either, hole, type Json, join, object, only, ref } from "./terms.ts";

/** A key or an id, as requests have it. */
export const givenName = (): Json => jsonSchema(nameSchema(), "input");

const GAPS = only("gaps", "null stands for a number that is missing. ");
const BY_NAME = "A row may be an object that has its values by these names. ";
/** What generated clients look at, beside the types of each place. */
const ANY_INPUT = { type: ["number", "string", "boolean", "null"] };

/** A row of all features as numbers, as events have it. */
export const featureRow: Json = {
  type: "array",
  minItems: hole("rowWidth"),
  maxItems: hole("rowWidth"),
  items: { type: hole("numberType") },
};

/** The sequence of a score request. */
export const sequence = either(
  "inputs",
  {
    type: "array",
    description: join(
      `Up to ${hole("timesteps")} rows of ${hole("inputText")}. `,
      BY_NAME,
      GAPS,
      "A text that is no level of a category counts as none of them, and the result is out of range. Fewer rows are padding in front.",
      only("clock", " With times beside, rows lack the last number, which is their time in seconds since 1970."),
    ),
    minItems: 1,
    maxItems: hole("timesteps"),
    items: {
      type: "array",
      description: "A row.",
      minItems: hole("inputWidth"),
      maxItems: hole("timedInputWidth"),
      prefixItems: hole("timedInputTypes"),
      items: ANY_INPUT,
    },
  },
  {
    type: "array",
    description: join(
      `Up to ${hole("timesteps")} rows of ${hole("features")} numbers: ${hole("featureText")}. `,
      BY_NAME,
      GAPS,
      "Fewer rows are padding in front. At least one row must not be all zeros.",
      only("clock", ` The last number is the row's time in seconds since 1970; with times, rows have ${hole("rowWidth")} numbers.`),
    ),
    minItems: 1,
    maxItems: hole("timesteps"),
    items: {
      type: "array",
      minItems: hole("rowWidth"),
      maxItems: hole("features"),
      prefixItems: hole("timedTypes"),
      items: { type: hole("numberType") },
    },
    // a row that is not all zeros, where such a row is padding
    contains: only("hasPadding", { type: "array", contains: { not: { const: 0 } } }),
  },
);

/** What is given once a sequence; there is none where nothing is. */
export const statics = only("statics", {
  type: "object",
  description: "What is the same in all rows of a sequence.",
  properties: hole("staticProperties"),
  required: hole("staticNames"),
  additionalProperties: false,
});

/** Times of a sequence's rows. */
export const times = (): Json => ({
  type: "array",
  minItems: 1,
  maxItems: hole("timesteps"),
  items: jsonSchema(timestampSchema(), "input"),
});

/** What POST /v1/streams/{key}/events takes: one event. */
export function event(): Json {
  const named = (values: unknown, description?: string, more: Record<string, unknown> = {}): Json =>
    object({ id: givenName(), timestamp: jsonSchema(timestampSchema(), "input"), values, ...more }, ["static"], {
      ...(description && { description }),
    });
  const inputRow = {
    type: "array",
    description: hole("inputText"),
    minItems: hole("inputWidth"),
    maxItems: hole("inputWidth"),
    prefixItems: hole("inputTypes"),
    items: ANY_INPUT,
  };
  const latest = " Without static, the latest that the key's events gave, of which there must be one.";
  const about = join("One row, as in a score request; its time is the timestamp.", only("statics", latest));
  return either(
    "inputs",
    {
      anyOf: [
        { ...named(inputRow, undefined, { static: only("statics", ref("Static")) }), description: about },
        named(featureRow, "One row of all features as numbers: 0 and 1 for each level of a category."),
      ],
    },
    named(featureRow),
  );
}
