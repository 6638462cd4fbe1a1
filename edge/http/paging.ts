// How a list is asked for in parts.
import * as z from "zod/mini";

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 200;

const LIMIT_RULE = `must be a whole number from 1 to ${MAX_LIMIT}`;
const digits = z.string().check(z.regex(/^\d{1,6}$/, LIMIT_RULE));
const limit = z.int(LIMIT_RULE).check(z.minimum(1, LIMIT_RULE), z.maximum(MAX_LIMIT, LIMIT_RULE));

/** The parameters of a list's query: how many, and from where on. */
export const PAGING = {
  limit: z._default(z.pipe(z.pipe(digits, z.transform(Number)), limit), DEFAULT_LIMIT).check(z.describe("At most so many.")),
  cursor: z.optional(z.string()).check(z.describe("Where the rest begins, as the last answer said.")),
};
