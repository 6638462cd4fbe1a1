// The default operating point has two names: `default`, and `even` in older artifacts. Both are understood for ever.
import { describe, expect, test } from "vitest";
import { findOperatingPoint, operatingPointNames } from "../../shared/model.ts";

const bestF1 = { name: "best-f1", threshold: 0.3 };

describe.each([
  ["an older artifact", "even"],
  ["a newer artifact", "default"],
])("of %s", (_, name) => {
  const points = [bestF1, { name, threshold: 0.5 }];

  test.each(["even", "default"])("`%s` finds the default point, under the artifact's own name", (asked) => {
    expect(findOperatingPoint(points, asked)).toBe(points[1]);
  });

  test("another name finds its own point, or nothing", () => {
    expect(findOperatingPoint(points, "best-f1")).toBe(bestF1);
    for (const asked of ["Default", "", "constructor", 7, null, undefined]) expect(findOperatingPoint(points, asked)).toBeUndefined();
  });

  test("the names are those of the artifact, then the other one of the default point", () => {
    expect(operatingPointNames(points)).toEqual(["best-f1", name, name === "even" ? "default" : "even"]);
  });
});

test("where an artifact has points of both names, each name finds its own", () => {
  const points = [
    { name: "even", threshold: 0.5 },
    { name: "default", threshold: 0.4 },
  ];
  for (const point of points) expect(findOperatingPoint(points, point.name)).toBe(point);
  expect(operatingPointNames(points)).toEqual(["even", "default"]);
});

test("where an artifact has neither, neither finds the first", () => {
  expect(findOperatingPoint([bestF1], "default")).toBeUndefined();
  expect(findOperatingPoint([bestF1], "even")).toBeUndefined();
  expect(operatingPointNames([bestF1])).toEqual(["best-f1"]);
});
