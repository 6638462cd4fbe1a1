import { expect, test } from "vitest";
import { STREAMS } from "../../../trainer/statistics/random-streams.ts";

test("no two streams share a number, but an import's comparison and a report, which never meet", () => {
  const { importParity, ...others } = STREAMS;
  expect(new Set(Object.values(others)).size).toBe(Object.keys(others).length);
  expect(importParity).toBe(STREAMS.report);
});

test("no stream follows the order of training, which takes one more number each epoch", () => {
  expect(Math.max(...Object.values(STREAMS))).toBe(STREAMS.epochOrder);
});
