// The schemas of queries as the document writes them: JSON Schema 2020-12.
import * as z from "zod/mini";
import type { Json } from "./terms.ts";

/** The parameters of a query, as `parseQuery` reads them. */
export function queryParameters({ shape }: { readonly shape: z.core.$ZodShape }): Json[] {
  return Object.entries(shape).map(([name, schema]) => {
    const { $schema, description, ...rest } = z.toJSONSchema(schema as z.ZodMiniType, { io: "output" });
    const required = !z.safeParse(schema as z.ZodMiniType, undefined).success;
    return { name, in: "query", ...(required && { required }), schema: rest, description };
  });
}
