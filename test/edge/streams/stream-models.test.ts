// STREAM_MODELS: which model a stream's events are for.
import { describe, expect, test } from "vitest";
import { readEndpoints } from "../../../edge/streams/endpoints.ts";
import { modelFor } from "../../../edge/streams/stream-models.ts";

const SOURCE = { scheme: "token", secrets: ["TOKEN"], token: "path", key: "/k", timestamp: "arrival", values: "/v" };
const open = (streams: unknown, sources: object = {}) =>
  readEndpoints({ TOKEN: "a token of sixteen characters", STREAM_MODELS: streams, SOURCES: sources });

describe("STREAM_MODELS", () => {
  test("the longest pattern that fits counts, a whole key before the beginning of as many characters; others have the default model", () => {
    const table = { "n*": { model: "a" }, "north-*": { model: "b" }, "north-7*": { model: "c" }, "north-7": { model: "d" } };
    for (const given of [table, JSON.stringify(table)]) {
      const endpoints = open(given);
      expect(["n1", "north-1", "north-71", "north-7", "south"].map((key) => modelFor(key, endpoints))).toEqual([
        "a",
        "b",
        "c",
        "d",
        undefined,
      ]);
    }
  });

  test("a source's own streams have the source's model", () => {
    const endpoints = open(
      { "own-1": { model: "a" } },
      { own: { ...SOURCE, model: "b", streams: ["own-*"] }, free: { ...SOURCE, model: "c" } },
    );
    expect(["own-1", "own-2", "other"].map((key) => modelFor(key, endpoints))).toEqual(["a", "b", undefined]);
  });

  test.each<[unknown, string]>([
    ["north", "STREAM_MODELS must be a table, or the same as JSON, got text that is no JSON"],
    [["north"], "STREAM_MODELS must be a table, got"],
    [{ "a*b": { model: "a" } }, 'STREAM_MODELS must have names of streams, or how they begin and a star, got "a*b"'],
    [{ a: "b" }, 'STREAM_MODELS.a must be a table, got "b"'],
    [{ a: {} }, "STREAM_MODELS.a.model must be the name of a model, got nothing"],
    [{ a: { model: "x:y" } }, 'STREAM_MODELS.a.model must be a model\'s name, 1 to 64 characters without : and /, got "x:y"'],
    [{ a: { model: "x", T: 3 } }, 'STREAM_MODELS.a must have no keys but model, got "T"'],
  ])("%j: %s", (given, sentence) => expect(open(given).unusable).toContain(sentence));

  test("a source's model is a name, too", () => {
    expect(open({}, { s: { ...SOURCE, model: "a/b" } }).unusable).toContain("SOURCES.s.model must be a model's name");
  });
});
