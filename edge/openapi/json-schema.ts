// The schemas that validate, as the document writes them: JSON Schema 2020-12.
import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import type { Query, Schema } from "../http/schema.ts";
import type { Json } from "./terms.ts";

/** Of what comes in, or of what is read of it. */
export function jsonSchema(schema: Schema, typeMode: "input" | "output"): Json {
  const { $schema, ...rest } = toJsonSchema(schema, { typeMode, errorMode: "ignore" });
  return rest;
}

/** The parameters of a query, as `parseQuery` reads them. */
export function queryParameters({ entries }: Query): Json[] {
  return Object.entries(entries).map(([name, schema]) => {
    const { description, ...rest } = jsonSchema(schema as Schema, "output");
    const { success, output } = v.safeParse(schema, undefined);
    const usual = success && output !== undefined && { default: output };
    return { name, in: "query", ...(!success && { required: true }), schema: { ...rest, ...usual }, description };
  });
}
