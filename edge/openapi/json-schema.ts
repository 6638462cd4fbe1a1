// Schemas as the document writes them: JSON Schema 2020-12.
import * as z from "zod/mini";
import type { Json } from "./terms.ts";

/** Components by name, which refer to each other. */
export function componentsOf(schemas: Readonly<Record<string, z.ZodMiniType>>): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: written } = z.toJSONSchema(registry, {
    uri: (id) => `#/components/schemas/${id}`,
    io: "input",
    override({ jsonSchema }) {
      if (jsonSchema.format === "date-time") delete jsonSchema.pattern; // 300 characters that the format says
    },
  });
  return Object.fromEntries(Object.entries(written).map(([name, { $schema, $id, ...schema }]) => [name, schema]));
}

/** The parameters of a query, as `parseQuery` reads them. */
export function queryParameters({ shape }: { readonly shape: z.core.$ZodShape }): Json[] {
  return Object.entries(shape).map(([name, schema]) => {
    const { $schema, description, ...rest } = z.toJSONSchema(schema as z.ZodMiniType, { io: "output" });
    const required = !z.safeParse(schema as z.ZodMiniType, undefined).success;
    return { name, in: "query", ...(required && { required }), schema: rest, description };
  });
}
