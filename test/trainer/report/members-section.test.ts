// What a report says of a stack whose gain may be chance.
import { expect, test } from "vitest";
import type { ReportContent } from "../../../trainer/report/content.ts";
import { membersSection } from "../../../trainer/report/members-section.ts";

const stack = { folds: 5, learners: [{ name: "linear", logLoss: 0.6123, weight: 0.8 }], logLoss: 0.6101 };
const html = (own: object): string => membersSection({ card: { stack: { ...stack, ...own } } } as unknown as ReportContent)!.text;

test("says how much of its distance from the base rate the model keeps, where it does not keep all", () => {
  const said = html({ kept: { share: 0.75, gain: 0.012, standardError: 0.006 } });
  expect(said).toContain("The gain over the base rate may be chance: 0.0120 nats (standard error 0.0060) out of folds.");
  expect(said).toContain("keeps 75 % of its distance from the base rate");
  expect(html({})).not.toContain("chance");
});
