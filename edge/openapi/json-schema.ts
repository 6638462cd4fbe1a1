// The schemas of queries as the document writes them: JSON Schema 2020-12.
import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import type { Query } from "../http/schema.ts";
import type { Json } from "./terms.ts";

/** The parameters of a query, as `parseQuery` reads them. */
export function queryParameters({ entries }: Query): Json[] {
  return Object.entries(entries).map(([name, schema]) => {
    const { $schema, description, ...rest } = toJsonSchema(schema as v.GenericSchema, { typeMode: "output", errorMode: "ignore" });
    const { success, output } = v.safeParse(schema, undefined);
    const usual = success && output !== undefined && { default: output };
    return { name, in: "query", ...(!success && { required: true }), schema: { ...rest, ...usual }, description };
  });
}
