// The query of a list: its filters, how many, from where on; and nothing else.
import { describe } from "../../shared/errors.ts";
import { RequestError } from "./problem.ts";

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 200;

/** The parameters of `url`, of which there may be `names` and no others, each once. Throws RequestError. */
export function parseQuery<Name extends string>(url: string, names: readonly Name[]): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  for (const [given, value] of new URL(url).searchParams) {
    const name = names.find((known) => known === given);
    if (name === undefined) {
      const expected = names.length === 0 ? "no parameters" : `no parameters but ${names.join(", ")}`;
      throw new RequestError("parameter", `the query must have ${expected}, got ${describe(given)}`);
    }
    if (found[name] !== undefined) throw new RequestError("parameter", `${name} must be given once`);
    found[name] = value;
  }
  return found;
}

/** Throws RequestError. */
export function parseLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT)
    throw new RequestError("parameter", `limit must be a whole number from 1 to ${MAX_LIMIT}, got ${describe(text)}`);
  return limit;
}
