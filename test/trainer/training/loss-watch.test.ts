import { expect, test } from "vitest";
import { describeNote } from "../../../trainer/pipeline/sentences.ts";
import { createLossWatch } from "../../../trainer/training/loss-watch.ts";

const BASE = 0.5623; // H(0.25)

/** What is said over epochs of these losses (train, validation), after a start at `initial`. */
function listen(initial: number, epochs: readonly (readonly [number, number])[], isWorse = true): string[] {
  const said: string[] = [];
  const watch = createLossWatch(BASE, (note) => said.push(describeNote(note, [])));
  const common = { epochs: 40, seen: 10, total: 10, learningRate: 1e-3 };
  watch({ ...common, epoch: 1, seen: 1, trainLoss: initial, validationLoss: initial, isEpochEnd: false });
  epochs.forEach(([trainLoss, validationLoss], i) => {
    watch({ ...common, epoch: i + 1, trainLoss, validationLoss, isEpochEnd: true, isWorse });
  });
  return said;
}

test("the start is held against the base rate and one half", () => {
  expect(listen(0.57, [])).toEqual([expect.stringMatching(/0\.5700; .* 0\.5623, .* 0\.6931: as expected$/)]);
  expect(listen(2.1, [])).toEqual([expect.stringContaining("too large for the initial weights")]);
});

test("a flat start is called nothing for eleven epochs, and then one that may be slow", () => {
  const flat = Array.from({ length: 30 }, () => [BASE, BASE] as const);
  expect(listen(BASE, flat.slice(0, 11)).slice(1)).toEqual([]);
  expect(listen(BASE, flat).slice(1)).toEqual([expect.stringMatching(/still at the base rate after epoch 12: training may start slowly/)]);
  expect(listen(BASE, [...flat.slice(0, 11), [0.5, 0.5]]).slice(1)).toEqual([]);
});

test("three epochs that rise on validation beyond noise and fall in training are overfitting; one that comes apart is said", () => {
  const rising = [0, 1, 2, 3, 4].map((k) => [0.5 - 0.01 * k, 0.5 + 0.01 * k] as const);
  expect(listen(BASE, rising).slice(1)).toEqual([expect.stringContaining("overfitting")]);
  expect(listen(BASE, rising.slice(0, 3)).slice(1)).toEqual([]);
  expect(listen(BASE, rising, false).slice(1)).toEqual([]); // last digits rise in healthy runs, too
  expect(listen(BASE, [[1.5, 1.3]]).slice(1)).toEqual([expect.stringContaining("more than twice the base rate's")]);
});
