import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "../../../edge/http/lines.ts";

const MAX_BYTES = 20;

function splitAll(pieces: readonly Uint8Array[]): (string | null)[] {
  const splitter = new LineSplitter(MAX_BYTES);
  const lines: (string | null)[] = [];
  const note = (line: Uint8Array | null) => lines.push(line && new TextDecoder().decode(line));
  for (const piece of pieces) for (const line of splitter.split(piece)) note(line);
  for (const line of splitter.end()) note(line);
  return lines;
}

test("the same lines in whatever pieces they come, a line too long as null", () => {
  const text = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "€", " "), maxLength: 30 }), { maxLength: 8 });
  fc.assert(
    fc.property(text, fc.boolean(), fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (lines, isEnded, sizes) => {
      const bytes = new TextEncoder().encode(lines.join("\n") + (isEnded ? "\n" : ""));
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; ) {
        const size = sizes.next().value ?? 1;
        pieces.push(bytes.subarray(at, at + size));
        at += size;
      }
      const all = new TextDecoder().decode(bytes).split("\n");
      if (all.at(-1) === "") all.pop();
      expect(splitAll(pieces)).toEqual(all.map((line) => (new TextEncoder().encode(line).length > MAX_BYTES ? null : line)));
    }),
    { numRuns: 500, seed: 1 },
  );
});
