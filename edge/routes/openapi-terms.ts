// The words that every part of the OpenAPI document is written in.

export type Json = Record<string, unknown>;

export interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly Json[];
  readonly parameters?: readonly Json[];
  readonly requestBody?: { readonly required: true; readonly content: Record<string, Json> };
  readonly responses: Record<string, Json>;
}

export type Paths = Record<string, Record<string, Operation>>;

export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

export const json = (schema: Json, example?: unknown): Record<string, Json> => ({
  "application/json": { schema, ...(example !== undefined && { example }) },
});

export const PROBLEM: Json = {
  description: "What is wrong, and where.",
  content: { "application/problem+json": { schema: ref("Problem") } },
};
export const KEYED: Record<string, Json> = { "401": PROBLEM, "403": PROBLEM, "429": PROBLEM, "503": PROBLEM };
export const BODIED: Record<string, Json> = { "400": PROBLEM, "413": PROBLEM, "415": PROBLEM, "422": PROBLEM };
