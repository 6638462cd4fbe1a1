// JSON Pointers as RFC 6901 has them.
import { describe, expect, test } from "vitest";
import { followPointer, parsePointer } from "../../../edge/config/json-pointer.ts";

describe("JSON Pointer", () => {
  // RFC 6901, section 5: the document, and what each pointer evaluates to
  const document = { foo: ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8 };
  test.each<[string, unknown]>([
    ["", document],
    ["/foo", ["bar", "baz"]],
    ["/foo/0", "bar"],
    ["/", 0],
    ["/a~1b", 1],
    ["/c%d", 2],
    ["/e^f", 3],
    ["/g|h", 4],
    ["/i\\j", 5],
    ['/k"l', 6],
    ["/ ", 7],
    ["/m~0n", 8],
    ["/foo/2", undefined],
    ["/foo/-", undefined],
    ["/foo/00", undefined],
    ["/foo/length", undefined],
    ["/foo/0/0", undefined],
    ["/constructor/name", undefined],
    ["/__proto__", undefined],
    ["//a", undefined],
  ])("%j", (pointer, value) => expect(followPointer(document, parsePointer(pointer)!).value).toEqual(value));

  test.each(["foo", "#/foo", "/a~", "/a~2b", " /a"])("%j is none", (text) => expect(parsePointer(text)).toBeUndefined());
});
