// A stack's whole path on data that are wide or hold what no scale can hold.
import { expect, test } from "vitest";
import { LINEAR, makeData, runStack } from "../../fixtures/stack-runs.ts";

const MINUTES = { timeout: 600_000 };

test("64 features of 60 sequences, one of them constant, and numbers up to ±1e300", MINUTES, async () => {
  const wide = makeData({ N: 60, T: 2, F: 64 }, LINEAR);
  for (let at = 0; at < wide.values.length; at += 64) {
    wide.values[at] = 3;
    wide.values[at + 1] *= 1e300;
  }
  const { trained } = await runStack(wide, { learner: "trees" });
  expect(Number.isFinite(trained.model.card.test.logLoss)).toBe(true);
  const { trained: linear } = await runStack(wide, { learner: "linear" });
  expect(Number.isFinite(linear.model.card.test.logLoss)).toBe(true);
});
