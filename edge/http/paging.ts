// How a list is asked for in parts.
import * as z from "zod/mini";
import { lazy } from "./schema.ts";

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 200;

/** What a cursor is written in: base64url, and no longer than that of the longest key. */
const CURSOR = /^[A-Za-z0-9_-]{1,4096}$/;
const CURSOR_RULE = "must be one that an answer gave: ask again without it";

/** The parameters of a list's query: how many, and from where on. */
export const paging = lazy(() => {
  const rule = `must be a whole number from 1 to ${MAX_LIMIT}`;
  const digits = z.string().check(z.regex(/^\d{1,6}$/, rule));
  const limit = z.int(rule).check(z.minimum(1, rule), z.maximum(MAX_LIMIT, rule));
  return {
    limit: z._default(z.pipe(z.pipe(digits, z.transform(Number)), limit), DEFAULT_LIMIT).check(z.describe("At most so many.")),
    cursor: z.optional(z.string().check(z.regex(CURSOR, CURSOR_RULE))).check(z.describe("Where the rest begins, as the last answer said.")),
  };
});
