// Cells of a column in bytes, one behind the other: a string of its own takes three times as much, and a piece of a line keeps the line.
import { Buffer } from "node:buffer";

/** Cells as a reader gives them. */
export interface PackedTexts {
  /** Cell `i`, as it was put. */
  at(i: number): string | number;
}

/** Packs cells that are all numbers, or all texts. */
export function packTexts(cells: readonly (string | number)[]): PackedTexts {
  const areNumbers = typeof cells[0] === "number";
  const texts = cells.map(String);
  const bytes = Buffer.from(texts.join(""));
  const ends = new Uint32Array(texts.length);
  texts.forEach((text, i) => {
    ends[i] = (i === 0 ? 0 : ends[i - 1]) + Buffer.byteLength(text);
  });
  return {
    at(i) {
      const text = bytes.toString("utf8", i === 0 ? 0 : ends[i - 1], ends[i]);
      return areNumbers ? Number(text) : text;
    },
  };
}
