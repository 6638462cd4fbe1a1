import { expect, test } from "vitest";
import { packTexts } from "../../../trainer/readers/packed-texts.ts";

test.each([
  ["texts of any length and letters", ["", "2024-05-31", "31. März 2024", "", "2024年5月", "💥"]],
  ["numbers, to the last bit", [0.1, 2 ** 53, -1e-300, 1.7976931348623157e308, 0]],
  ["texts that look like numbers stay texts", ["01", "1e3", " 7 "]],
])("gives back %s", (_, cells) => {
  const packed = packTexts(cells as (string | number)[]);
  expect(cells.map((_, i) => packed.at(i))).toEqual(cells);
});
