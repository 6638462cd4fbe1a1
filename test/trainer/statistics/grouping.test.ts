import { expect, test } from "vitest";
import { groupPositions } from "../../../trainer/statistics/grouping.ts";

test("positions of equal numbers stand together, by rising number", () => {
  expect(groupPositions([10, 3, 10, 2, 3]).map((group) => [...group])).toEqual([[3], [1, 4], [0, 2]]);
  expect(groupPositions([])).toEqual([]);
});
