// Batches as one: what each says of its rows stays, and data without an end are given up.
import { expect, test } from "vitest";
import type { Batch } from "../../../trainer/readers/batch.ts";
import { joinBatches } from "../../../trainer/readers/join.ts";

test("data that do not end are read no further than a limit", async () => {
  let given = 0;
  const endless = async function* (): AsyncGenerator<Batch> {
    for (;;) {
      given++;
      yield {
        values: new Float64Array(50),
        shape: { timesteps: 10, features: 5 },
        labels: null,
        labelName: null,
        columns: {},
        probability: null,
        test: null,
        features: null,
        dtype: "float64",
      };
    }
  };
  await expect(joinBatches(endless(), "standard input", { limit: 1000 })).rejects.toThrow(
    "standard input: holds more than 1000 numbers: take a part of it",
  );
  expect(given).toBe(21);
});

test("of several batches, that a row ends in a time and which features are given once a sequence are said of all", async () => {
  const inputs = [{ name: "x" }, { name: "age", static: true }, { name: "at" }] as const;
  const batch = (timesteps: number): Batch => ({
    values: new Float64Array(timesteps * 3),
    shape: { timesteps, features: 3, clock: true, statics: 1 },
    labels: null,
    labelName: null,
    columns: {},
    probability: null,
    test: null,
    features: ["x", "age", "at"],
    dtype: "float64",
    inputs,
  });
  const two = async function* (): AsyncGenerator<Batch> {
    yield batch(2);
    yield batch(4);
  };
  expect(await joinBatches(two(), "a.csv", { limit: 1000 })).toMatchObject({
    shape: { timesteps: 4, features: 3, clock: true, statics: 1 },
    inputs,
  });
});
