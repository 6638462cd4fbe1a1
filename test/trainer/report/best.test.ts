// Which models' log loss is bold.
import { expect, test } from "vitest";
import type { Metrics } from "../../../shared/model.ts";
import type { ModelMetrics } from "../../../trainer/report/content.ts";
import { bestModels } from "../../../trainer/report/score-sections.ts";

const model = (logLoss: number, gain: ModelMetrics["gain"]): ModelMetrics => ({
  name: "m",
  metrics: { logLoss } as Metrics,
  intervals: {},
  gain,
});

test("the model where it beats every baseline by the paired difference", () => {
  expect(bestModels([model(0.4, null), model(0.5, { rise: 0.1, halfWidth: 0.02 }), model(0.6, { rise: 0.2, halfWidth: 0.02 })])).toEqual([
    0,
  ]);
});

test("the best baseline where the model loses, and the model is not", () => {
  expect(
    bestModels([model(0.5, null), model(0.4, { rise: -0.1, halfWidth: 0.02 }), model(0.45, { rise: -0.05, halfWidth: 0.02 })]),
  ).toEqual([1]);
});

test("both where the paired difference may be nothing", () => {
  expect(bestModels([model(0.4, null), model(0.41, { rise: 0.01, halfWidth: 0.02 }), model(0.6, { rise: 0.2, halfWidth: 0.02 })])).toEqual([
    0, 1,
  ]);
});

test("by the losses alone where no pairs are at hand", () => {
  expect(bestModels([model(0.4, null), model(0.3, null)])).toEqual([1]);
  expect(bestModels([model(0.4, null), model(0.5, null)])).toEqual([0]);
});
