// What a model with inputs takes, as JSON schemas: rows with texts where categories stand, what is given once a sequence, times of rows; in
// score requests and in events.
// Legend: T steps.
import * as z from "zod/mini";
import type { Input } from "../../shared/recipe/inputs.ts";
import { type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import { nameSchema, rowOf, timestampSchema } from "../webhooks/event.ts";
import { type Json, object, ref } from "./terms.ts";

/** A value of each input of rows, as an event has it. */
function givenRowSchema(recipe: Recipe, inputs: readonly Input[]): Json {
  const own = inputs.filter((input) => !input.static);
  return {
    type: "array",
    description: own.map(nameInput).join(", "),
    minItems: own.length,
    maxItems: own.length,
    prefixItems: own.map((input) => ({ type: typeOf(input, recipe) })),
    items: { type: ["number", "string", "boolean", "null"] }, // what generated clients look at
  };
}

/** Rows of inputs: numbers, and texts where categories stand; and their time, where that does not stand beside. */
export function givenSequenceSchema(recipe: Recipe, inputs: readonly Input[]): Json {
  const { timesteps: T, gaps, clock } = recipe;
  const row = givenRowSchema(recipe, inputs);
  const timed = { maxItems: (row.maxItems as number) + 1, prefixItems: [...(row.prefixItems as Json[]), { type: ["number"] }] };
  return {
    type: "array",
    description: `Up to ${T} rows of ${row.description}. ${gaps ? "null stands for a number that is missing. " : ""}A text that is no level of a category counts as none of them, and the result is out of range. Fewer rows are padding in front.${clock ? " With times beside, rows lack the last number, which is their time in seconds since 1970." : ""}`,
    minItems: 1,
    maxItems: T,
    items: { ...row, ...(clock && timed), description: "A row." },
  };
}

/** What is given once a sequence; undefined where nothing is. */
export function staticSchema(recipe: Recipe): Json | undefined {
  const statics = (recipe.inputs ?? []).filter((input) => input.static);
  if (statics.length === 0) return undefined;
  const properties = statics.map((input): [string, Json] => [input.name, { type: typeOf(input, recipe), description: nameInput(input) }]);
  return object(Object.fromEntries(properties), [], { description: "What is the same in all rows of a sequence." });
}

/** Times of a sequence's rows. */
export function timesSchema({ timesteps }: Recipe): Json {
  return { type: "array", minItems: 1, maxItems: timesteps, items: inputOf(timestampSchema()) };
}

/** The event of a model with inputs, instead of the one that has numbers alone; undefined for other models. */
export function givenEventSchema(recipe: Recipe): Json | undefined {
  const { inputs } = recipe;
  if (inputs === undefined) return undefined;
  const event = (values: Json, description: string, more: Record<string, Json> = {}): Json =>
    object({ id: inputOf(nameSchema()), timestamp: inputOf(timestampSchema()), values, ...more }, ["static"], { description });
  const statics = staticSchema(recipe) && { static: ref("Static") };
  const latest = statics ? " Without static, the latest that the key's events gave, of which there must be one." : "";
  return {
    anyOf: [
      event(givenRowSchema(recipe, inputs), `One row, as in a score request; its time is the timestamp.${latest}`, statics),
      event(inputOf(rowOf(shapeOf(recipe))), "One row of all features as numbers: 0 and 1 for each level of a category."),
    ],
  };
}

function inputOf(schema: z.ZodMiniType): Json {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}

function typeOf({ levels }: Input, { gaps }: Recipe): string[] {
  if (levels) return ["string", "number", "boolean", "null"];
  return gaps ? ["number", "null"] : ["number"];
}

function nameInput({ name, levels }: Input): string {
  return levels === undefined ? name : `${name} (a category: ${levels.map((level) => JSON.stringify(level)).join(", ")})`;
}
