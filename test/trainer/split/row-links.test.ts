import { expect, test } from "vitest";
import { linkRuns, SINGLE } from "../../../trainer/split/row-links.ts";

test("runs that stand once link nothing and take no room; one that recurs is linked at its cells", () => {
  const alone = linkRuns(Int32Array.of(0, 1, 2, 3, 4, 5), 3);
  expect(alone).toMatchObject({ count: 0, recurring: 0, contradicting: 0, repeated: 0 });
  expect([alone.from.length, alone.to.length, alone.evidence.length]).toEqual([0, 0, 0]);
  const shared = linkRuns(Int32Array.of(0, 1, 2, 2, 3, 4), 3); // the last row of one sequence is the first of the next
  expect(shared).toMatchObject({ count: 1, recurring: 1, contradicting: 0, repeated: 0 });
  expect([shared.from[0], shared.to[0], shared.evidence[0], shared.from.length]).toEqual([3, 2, SINGLE, 2]);
});
