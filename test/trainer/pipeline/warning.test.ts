// Warnings in an artifact's card: sentences for people, codes beside them, and the sentences of artifacts that had no codes yet.
import { describe, expect, test } from "vitest";
import { describeWarning } from "../../../trainer/pipeline/sentences.ts";
import { toCardWarnings, type Warning, withoutWarnings } from "../../../trainer/pipeline/warning.ts";

const WARNINGS: readonly Warning[] = [
  { code: "float32-differences", dtype: "float32", features: [0] },
  { code: "recall-unattained", target: 0.9, threshold: 0.1, figure: { value: 0.91, low: 0.86, high: 0.95 } },
  { code: "leaking-cell", feature: 1, step: 3, auc: 0.98, count: 400 },
];
const describeIt = (warning: Warning): string => describeWarning(warning, ["open", "close"]);

test("a card holds a sentence and a code of each warning", () => {
  const card = toCardWarnings(WARNINGS, describeIt);
  expect(card.warningCodes).toEqual(["float32-differences", "recall-unattained", "leaking-cell"]);
  expect(card.warnings[1]).toBe(
    "Recall ≥ 0.9 cannot be promised, so there is no operating point for it. The best threshold is 0.1000: recall there is 0.910 on held-out sequences, and at least 0.860 with 95 % confidence.",
  );
  expect(card.warnings[2]).toMatch(/^close at step 3 \(counted from 0\) alone ranks the labels with AUC 0\.980 \(400 sequences\)\. Check/);
});

describe("withoutWarnings", () => {
  test("drops by code, whatever the sentence says", () => {
    const card = { warnings: ["one", "two, which cannot be attained", "three"], warningCodes: ["", "drift", "precision-unattained"] };
    expect(withoutWarnings(card, ["precision-unattained"])).toEqual({
      warnings: ["one", "two, which cannot be attained"],
      warningCodes: ["", "drift"],
    });
  });

  test("knows the sentences of artifacts without codes, and keeps all others", () => {
    const warnings = [
      "imported and not calibrated: the share of 1s in its training data is unknown and taken for 0.5, so a base rate given with a request is held against that",
      "precision ≥ 0.9 cannot be attained: its lower 95 % bound on the validation part is 0.213 at best (0.254 from 0.1429 on)",
      "recall ≥ 0.9 cannot be attained: its lower 95 % bound on the validation part is 0.860 at best (0.910 from 0.1000 on)",
      "12 all-zero rows stand after the first data row of their sequence and count as data: use --padding any if they are padding too",
    ];
    expect(withoutWarnings({ warnings }, ["not-calibrated", "precision-unattained", "recall-unattained"])).toEqual({
      warnings: [warnings[3]],
      warningCodes: [""],
    });
  });
});
