// What a table of metrics is headed by: the sequences that the metrics are measured on, and no test part where there is none.
import { expect, test } from "vitest";
import { formatMetrics, titleOfAssessment } from "../../../trainer/cli/tables.ts";

const METRICS = {
  examples: 9,
  positiveRate: 0.5,
  majorityAccuracy: 0.5,
  logLoss: 0.6,
  brier: 0.2,
  accuracy: 0.7,
  auc: null,
  prAuc: null,
  ece: 0.01,
};

test.each([
  [undefined, "on the test part"],
  ["test-part" as const, "on the test part"],
  ["nested-cross-validation" as const, "nested cross-validation"],
])("of a card judged by %s it is %s", (assessment, title) => {
  expect(titleOfAssessment({ assessment })).toBe(title);
  expect(formatMetrics({ model: METRICS as never }, titleOfAssessment({ assessment })).split("\n")[0]).toMatch(
    new RegExp(`^${title} +log loss`),
  );
});
