// A short swap: models are published under a steady load, no request fails, and each answer has the bits of the model that it names.
import { expect, test } from "vitest";
import { openRawWorkerd } from "./deployment.ts";
import { swap } from "./run.ts";

test("six swaps at 200 requests a second cost no error, and no answer has another model's bits", { timeout: 120_000 }, async () => {
  const report = await swap(openRawWorkerd, { rate: 200, swaps: 6, everyMs: 700, warmMs: 1000, quietMs: 1000 });
  expect(report).toMatchObject({ errors: 0, wrongBits: 0 });
  expect(report.models).toBeGreaterThanOrEqual(6); // the load may have fallen between two looks
});
