// What the section of metrics says of how they came about.
import { expect, test } from "vitest";
import { gatherReport } from "../../../trainer/report/gather.ts";
import { metricsSection } from "../../../trainer/report/score-sections.ts";
import { makeInput } from "./fixture.ts";

test("an AUC of the base rate below 0.5 is explained where metrics come from nested cross-validation, and there alone", async () => {
  const content = gatherReport(makeInput());
  const nested = { ...content, card: { ...content.card, assessment: "nested-cross-validation" as const } };
  const said = "its AUC lies below 0.5";
  expect(JSON.stringify(await metricsSection(nested))).toContain(said);
  expect(JSON.stringify(await metricsSection(content))).not.toContain(said);
});
