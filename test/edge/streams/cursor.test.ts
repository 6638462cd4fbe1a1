// Cursors come back from clients, who may have made them up.
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeBase64, encodeText } from "../../../edge/http/encoding.ts";
import { RequestError } from "../../../edge/http/problem.ts";
import { decodeCursor, encodeCursor, START } from "../../../edge/streams/cursor.ts";
import { DIRECTORY_SHARDS, shardOf } from "../../../edge/streams/directory.ts";

const forge = (value: unknown): string =>
  encodeBase64(encodeText(JSON.stringify(value)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

test("a cursor is read as it was written", () => {
  const key = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    .filter((text) => !/\p{Cc}|^\.{0,2}$/u.test(text) && text.length < 60);
  fc.assert(
    fc.property(key, fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })), (after, before) => {
      const cursor = { shard: shardOf(after), after, ...(before !== null && { before }) };
      expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
    }),
  );
  expect(decodeCursor(encodeCursor({ ...START, before: 7 }))).toEqual({ ...START, before: 7 });
});

test.each<[string, unknown]>([
  ["a shard far below the first", [-1e300, "", null]],
  ["a shard a million below the first", [-1_000_000, "", null]],
  ["a shard below the first", [-1, "", null]],
  ["a shard behind the last", [DIRECTORY_SHARDS, "", null]],
  ["half a shard", [0.5, "", null]],
  ["a key of another shard", [(shardOf("k") + 1) % DIRECTORY_SHARDS, "k", null]],
  ["a key that cannot be one", [shardOf("a\u0000"), "a\u0000", null]],
  ["a key that is too long", [shardOf("x".repeat(257)), "x".repeat(257), null]],
  ["row 0", [0, "", 0]],
  ["a row below", [0, "", -5]],
  ["a row beyond all", [0, "", 2 ** 53]],
  ["more than there is", [0, "", null, 1]],
  ["less", [0, ""]],
  ["an object", {}],
  ["null", null],
  ["ten thousand characters", "x".repeat(10_000)],
])("a forged cursor with %s is refused", (_, value) => {
  expect(() => decodeCursor(forge(value))).toThrow(RequestError);
  expect(() => decodeCursor(forge(value))).toThrow("cursor must be one that an answer gave");
});
