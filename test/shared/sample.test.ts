// The sequence that the page, the reference and the lines to try show.
import { expect, test } from "vitest";
import { sampleSequence } from "../../shared/sample.ts";
import { synthesiseGolden } from "../../trainer/artifact/golden.ts";
import { createRandom } from "../../trainer/statistics/random.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeModel } from "../fixtures/model.ts";

// The random walk that is shown has 1 + ⌊29 T / 32⌋ rows: all of 10, 11 of 12, 28 of 30.
test.each([1, 3, 10, 12, 30])("of a model of %i steps has as many rows", (timesteps) => {
  const model = makeModel(kernel, { timesteps });
  const golden = { ...model.golden, inputs: synthesiseGolden(model.recipe, createRandom(1)) };
  expect(sampleSequence({ recipe: model.recipe, golden })).toHaveLength(timesteps);
});

test("whose rows have times has them one after the other, also those in front of the random walk", () => {
  const { recipe, golden } = makeModel(kernel, { timesteps: 30, clock: true });
  const rows = sampleSequence({ recipe, golden: { ...golden, inputs: synthesiseGolden(recipe, createRandom(1)) } });
  const times = rows.map((row) => row[row.length - 1]);
  expect(times).toHaveLength(30);
  expect(times.slice(0, 4)).toEqual(times.slice(0, 4).toSorted((a, b) => a - b));
  expect(times[1] - times[0]).toBe(times[2] - times[1]);
});
