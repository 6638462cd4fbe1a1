// Batches without an end.
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
  await expect(joinBatches(endless(), "standard input", 1000)).rejects.toThrow(
    "standard input: holds more than 1000 numbers: take a part of it",
  );
  expect(given).toBe(21);
});
