// Events out of bodies.
import { describe, expect, test } from "vitest";
import { parsePointer } from "../../../edge/config/json-pointer.ts";
import { MAX_NAME_BYTES, parseTimestamp } from "../../../edge/webhooks/event.ts";
import { extractEvent, type Pointers } from "../../../edge/webhooks/extraction.ts";
import { formatPointer, SequenceError } from "../../../shared/errors.ts";

const RECIPE = { timesteps: 3, features: ["a", "b"] };
const place = (pointer: string): readonly string[] => parsePointer(pointer)!;
const ROW: Pointers = { key: place("/d/0/key"), id: place("/id"), timestamp: place("/at"), content: { kind: "row", at: place("/row") } };
const BODY = {
  d: [{ key: "k" }],
  id: "e1",
  at: "2026-11-25T09:30:00Z",
  row: [1, 2.5],
  o: 1,
  h: { x: 2 },
  w: [
    [1, 2],
    [3, 4],
  ],
};
const extract = (change: object, pointers: Partial<Pointers> = {}) =>
  extractEvent({ ...BODY, ...change }, { ...ROW, ...pointers }, RECIPE, {
    digest: "d1637",
    signedId: "signed",
    latest: Date.UTC(2026, 11, 1),
  });

describe("an event", () => {
  test("is a row, numbers from several places, or a whole sequence", () => {
    const event = { id: "e1", timestamp: Date.UTC(2026, 10, 25, 9, 30), digest: "d1637" };
    expect(extract({})).toEqual({ key: "k", event: { ...event, data: { values: [1, 2.5] } } });
    expect(extract({}, { content: { kind: "numbers", at: [place("/h/x"), place("/o")] } }).event.data).toEqual({ values: [2, 1] });
    expect(extract({}, { content: { kind: "sequence", at: place("/w") } }).event.data).toEqual({ sequence: BODY.w });
  });

  test("without a pointer to its id has the one that was signed, or else its body's digest", () => {
    expect(extract({}, { id: undefined }).event.id).toBe("signed");
    expect(extractEvent(BODY, { ...ROW, id: undefined }, RECIPE, { digest: "d1637", latest: Date.UTC(2026, 11, 1) }).event.id).toBe(
      "sha256:d1637",
    );
  });

  test("takes whole numbers for names, and any text up to its limit", () => {
    expect(extract({ id: 9007199254740991 }).event.id).toBe("9007199254740991");
    for (const id of [
      "x".repeat(MAX_NAME_BYTES),
      "ü".repeat(MAX_NAME_BYTES / 2),
      "../../etc",
      "__proto__",
      "a/b?c#d",
      "📈",
      "'; DROP TABLE events; --",
      "...",
    ])
      expect(extract({ id }).event.id).toBe(id);
  });

  test.each<[object, string, string]>([
    [{ d: [] }, "d[0].key must be text of 1 to 256 bytes", "/d/0/key"],
    [{ d: 7 }, "got nothing", "/d/0/key"],
    [{ id: "" }, 'id must be text of 1 to 256 bytes without control characters, not . or .., or a whole number, got ""', "/id"],
    [{ id: null }, "got null", "/id"],
    [{ id: 1.5 }, "got 1.5", "/id"],
    [{ id: 2 ** 53 }, "got 9007199254740992", "/id"],
    [{ id: {} }, "got an object", "/id"],
    [{ id: "x".repeat(257) }, "got a string of 257 characters", "/id"],
    [{ id: "ü".repeat(129) }, "got a string of 129 characters", "/id"],
    [{ id: "a\u0000b" }, "id must be text", "/id"],
    [{ id: "a\nb" }, "id must be text", "/id"],
    [{ id: "\ud83d" }, "id must be text", "/id"],
    [{ id: "." }, "id must be text", "/id"],
    [{ id: ".." }, "id must be text", "/id"],
    [
      { at: undefined },
      "at must be a time with its zone, such as 2026-11-25T09:30:00Z, or seconds, milliseconds, microseconds or nanoseconds since 1970, got nothing",
      "/at",
    ],
    [{ at: "2026-12-01T00:00:00.001Z" }, "at must be 2026-12-01T00:00:00.000Z at the latest", "/at"],
    [{ at: 1795599000000000 * 2 }, "got 2083-10-19T19:00:00.000Z", "/at"],
    [{ row: undefined }, "row must be an array of 2 numbers (a, b), got nothing", "/row"],
    [{ row: [1] }, "row must have 2 numbers (a, b), got 1", "/row"],
    [{ row: [1, 2, 3] }, "row must have 2 numbers (a, b), got 3", "/row"],
    [{ row: [1, "2"] }, 'row[1] must be a finite number, got "2"', "/row/1"],
    [{ row: [1, null] }, "row[1] must be a finite number, got null", "/row/1"],
    [{ row: [1, Number.POSITIVE_INFINITY] }, "row[1] must be a finite number, got Infinity", "/row/1"],
  ])("%j: %s", (change, sentence, pointer) => {
    try {
      extract(change);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SequenceError);
      const { message, path } = error as SequenceError;
      expect(message).toContain(sentence);
      expect(formatPointer(path)).toBe(pointer);
    }
  });

  test.each<[Pointers["content"], string]>([
    [{ kind: "numbers", at: [place("/o"), place("/h/y")] }, "h.y must be a finite number, got nothing"],
    [{ kind: "sequence", at: place("/row") }, "row[0] must be an array of 2 numbers (a, b), got 1"],
    [{ kind: "sequence", at: place("/nowhere") }, "nowhere must be an array of up to 3 rows, got nothing"],
  ])("%j: %s", (content, sentence) => expect(() => extract({}, { content })).toThrow(sentence));
});

describe("a timestamp", () => {
  test.each<[unknown, number]>([
    ["2026-11-25T09:30:00Z", 1795599000000],
    ["2026-11-25t09:30:00.250z", 1795599000250],
    ["2026-11-25 10:30:00+01:00", 1795599000000],
    ["2026-11-25T09:30Z", 1795599000000],
    [1795599000, 1795599000000],
    [1795599000.25, 1795599000250],
    [1795599000000, 1795599000000],
    [0, 0],
    [99999999999, 99999999999000],
    [100000000000, 100000000000],
    [99999999999999, 99999999999999],
    [1795599000123456, 1795599000123],
    [1.7955990001235e18, 1795599000124],
    ["2028-02-29T00:00:00Z", 1835395200000],
  ])("%j is %i ms", (value, ms) => expect(parseTimestamp(value, ["at"])).toBe(ms));

  test.each([
    "2026-11-25",
    "2026-11-25T09:30:00", // which zone?
    "25 Nov 2026 09:30:00 GMT",
    "2026-13-25T09:30:00Z",
    "2026-11-25T25:30:00Z",
    "1795599000",
    "",
    "2026-02-29T09:30:00Z",
    "2026-02-30T09:30:00Z",
    "2026-04-31T09:30:00Z",
    "2026-00-10T09:30:00Z",
    "2026-01-00T09:30:00Z",
    -1,
    1.1e20,
    Number.NaN,
    true,
    [],
    null,
  ])("%j is none", (value) => expect(() => parseTimestamp(value, ["at"])).toThrow(/^at must be a time with its zone, such as/));
});
