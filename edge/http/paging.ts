// How a list is asked for in parts.
import * as v from "valibot";
import { lazy } from "./schema.ts";

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 200;

/** What a cursor is written in: base64url, and no longer than that of the longest key. */
const CURSOR = /^[A-Za-z0-9_-]{1,4096}$/;
const CURSOR_RULE = "must be one that an answer gave: ask again without it";

/** The parameters of a list's query: how many, and from where on. */
export const paging = lazy(() => {
  const rule = `must be a whole number from 1 to ${MAX_LIMIT}`;
  const digits = v.pipe(v.string(), v.regex(/^\d{1,6}$/, rule), v.transform(Number));
  const limit = v.pipe(digits, v.number(), v.integer(rule), v.minValue(1, rule), v.maxValue(MAX_LIMIT, rule));
  const cursor = v.pipe(v.string(), v.regex(CURSOR, CURSOR_RULE));
  return {
    limit: v.pipe(v.optional(limit, String(DEFAULT_LIMIT)), v.description("At most so many.")),
    cursor: v.pipe(v.optional(cursor), v.description("Where the rest begins, as the last answer said.")),
  };
});
