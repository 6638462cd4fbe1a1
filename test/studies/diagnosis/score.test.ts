import { expect, test } from "vitest";
import { claimsSignal, confusionMatrix, describeShare, isRight, topOf } from "./score.ts";

test("a share is told with its interval", () => {
  expect(describeShare(9, 10)).toBe("9 of 10, 90.0 % (59.6 to 98.2)");
  expect(describeShare(0, 0)).toBe("none");
});

test("the confusion matrix has a row a planted cause and a column an answer, also one that was never planted", () => {
  const lines = confusionMatrix([
    { planted: "leak", top: "leak" },
    { planted: "leak", top: "healthy" },
    { planted: "overfit", top: "leak" },
  ]).split("\n");
  expect(lines[0].trim().split(/\s+/).slice(-3)).toEqual(["a", "b", "c"]);
  expect(lines.slice(1).map((line) => line.slice(0, 9))).toEqual(["a leak   ", "b overfit", "c healthy"]);
  expect(lines[1].match(/\d/g)).toEqual(["1", "1"]);
  expect(lines[2].match(/\d/g)).toEqual(["1"]);
});

test("a movement is right under either of its names, and another cause is not", () => {
  expect(isRight({ planted: "movement-tiny", top: "movement-hidden" })).toBe(true);
  expect(isRight({ planted: "movement-tiny", top: "difference-hidden" })).toBe(false);
});

test("no cause is healthy, and anything but no-signal first claims a signal", () => {
  const cause = (code: "leak" | "no-signal") => ({ code, evidence: "", fix: "", certainty: "fact" }) as const;
  expect(topOf({ causes: [] })).toBe("healthy");
  expect(topOf({ causes: [cause("leak"), cause("no-signal")] })).toBe("leak");
  expect(claimsSignal({ causes: [] })).toBe(true);
  expect(claimsSignal({ causes: [cause("leak"), cause("no-signal")] })).toBe(true);
  expect(claimsSignal({ causes: [cause("no-signal")] })).toBe(false);
});
