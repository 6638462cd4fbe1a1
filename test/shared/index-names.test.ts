import { expect, test } from "vitest";
import { isIndex } from "../../shared/index-names.ts";

test("a column is an index as pandas, R and polars call it, and without a name in front alone", () => {
  const names = ["Unnamed: 0", "Unnamed: 0.1", "index", "level_1", "__index_level_0__", "rownames", "row.names", "row_nr"];
  expect(names.filter((name) => !isIndex(name, 3))).toEqual([]);
  expect([isIndex("", 0), isIndex("", 1)]).toEqual([true, false]);
  expect(["Index", "index_level", "level", "Unnamed: 1", "row"].filter((name) => isIndex(name, 0))).toEqual([]);
});
