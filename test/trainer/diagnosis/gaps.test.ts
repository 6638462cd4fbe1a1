// Diagnosis of data that lack numbers: experiments on filled gaps, what filling hides, and lines that fill them.
import { describe, expect, test } from "vitest";
import { diagnose } from "../../../trainer/diagnosis/diagnose.ts";
import type { Diagnosis } from "../../../trainer/diagnosis/diagnosis.ts";
import { studyData } from "../../../trainer/diagnosis/facts.ts";
import type { DiagnosisData } from "../../../trainer/diagnosis/input.ts";
import { renderDiagnosis } from "../../../trainer/diagnosis/page.ts";
import { writeFixScript } from "../../../trainer/diagnosis/script.ts";
import { parseBaselineSetup } from "../../../trainer/diagnosis/setup.ts";
import { findUsable } from "../../../trainer/diagnosis/usable.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { dependencies, make } from "./synthetic.ts";

const SLOW = 120_000;
const X = Number.NaN;
const ask = (data: DiagnosisData): Promise<Diagnosis> =>
  diagnose(data, { baseline: parseBaselineSetup("scaled,adam,mask"), seed: 1 }, dependencies);

/** (1200,8,2): the label follows the level of f1; of f0 a third is missing, where `absenceTells` more often in sequences of label 1. */
function lacking(absenceTells: boolean): DiagnosisData {
  const random = createRandom(21);
  const label = Float64Array.from({ length: 1200 }, () => random.integer(2));
  const level = label.map((y) => 3 + 0.9 * y + random.normal());
  const share = label.map((y) => (absenceTells ? 0.15 + 0.35 * y : 0.33));
  return make(
    [1200, 8, 2],
    (n, _, f) => (f === 1 ? level[n] + 0.5 * random.normal() : random.uniform() < share[n] ? X : 2 + random.normal()),
    (n) => label[n],
  );
}

describe("data in which a third of a feature is missing", () => {
  test(
    "are diagnosed with every sequence: the gaps first, and nothing else where they tell nothing",
    async () => {
      const data = lacking(false);
      expect(findUsable(data).labels).toHaveLength(1200);
      const diagnosis = await ask(data);
      expect(diagnosis.causes.map(({ code, certainty }) => `${code} ${certainty}`)).toEqual(["non-finite fact"]);
      expect(diagnosis.verdict.next).toContain("Fill each gap with the last observed value of its sequence");
      expect(diagnosis.baseline!.loss).toBeLessThan(diagnosis.baseRateLoss! - 0.05);
      expect(diagnosis.baseline!.plan.gaps).toEqual([0]);
      expect(diagnosis.features[0].missing).toBeCloseTo(0.33, 1);
      expect(diagnosis.notes.join(" ")).toContain("fills a gap with the last observed value");
      expect(writeFixScript(diagnosis)!.join("\n")).toContain("S = ~np.isnan(X)");
      expect(await renderDiagnosis("gaps", diagnosis)).toContain("Missing");
      expect(JSON.stringify(diagnosis)).not.toContain("null,null");
    },
    SLOW,
  );

  test(
    "where their absence tells: gaps-hidden before the gaps, and the lines give the network what was observed",
    async () => {
      const diagnosis = await ask(lacking(true));
      expect(diagnosis.causes.slice(0, 2)).toMatchObject([
        { code: "gaps-hidden", certainty: "proven" },
        { code: "non-finite", certainty: "fact" },
      ]);
      expect(diagnosis.verdict.code).toBe("gaps-hidden");
      expect(diagnosis.causes[0].evidence).toMatch(/^Filled gaps look like observed numbers, in 3\d\.\d\s% of f0\./);
      expect(diagnosis.fixed!.loss).toBeLessThan(diagnosis.baseline!.loss - 0.03);
      expect(diagnosis.fixed!.plan.channels).toContainEqual({ base: "observed", a: 0, view: "level" });
      expect(writeFixScript(diagnosis)!.join("\n")).toContain("1.0 * S[..., 0]");
    },
    SLOW,
  );
});

test("facts are those of the numbers that are there", () => {
  // (3,4,2): f0 moves by 2 where two rows follow each other, f1 lacks nothing
  const rows = [1, 3, X, 5, 0, 2, X, X, X, 7, 5, X];
  const data = make([3, 4, 2], (n, t, f) => (f === 0 ? rows[n * 4 + t] : 1 + n + t), () => 0); // biome-ignore format: one line
  const { features, movement, within, zeros } = studyData(data.values, data.shape);
  expect([features.missing[0], features.rows]).toEqual([5, 12]);
  expect(movement[0]).toBeCloseTo(2 / features.deviation[0], 12);
  expect(zeros[0]).toBeCloseTo(1 / 7, 12);
  const spread = 4 + 0 + 4 + 1 + 1 + 1 + 1; // of 1, 3, 5 around 3; of 0, 2 around 1; of 7, 5 around 6
  expect(within[0]).toBeCloseTo(spread / 7 / features.deviation[0] ** 2, 12);
});

test("sequences with an infinite number, or without any, are left out, and both are counted", () => {
  const random = createRandom(3);
  const data = make([300, 3, 2], (n, t, f) => (n === 5 ? X : n === 9 && t + f === 0 ? Number.POSITIVE_INFINITY : n === 11 && f === 0 ? X : random.normal()), (n) => n % 2); // biome-ignore format: one line
  const { labels, findings } = findUsable(data);
  expect(labels).toHaveLength(298);
  expect(findings).toMatchObject([{ code: "non-finite", numbers: 10, infinite: 1, sequences: 3 }]);
});

test("a feature without any number is said to have none", async () => {
  const random = createRandom(4);
  const data = make([300, 3, 2], (_, __, f) => (f === 0 ? X : random.normal()), (n) => n % 2); // biome-ignore format: one line
  const { causes } = await ask(data);
  expect(causes.find(({ code }) => code === "constant-feature")?.evidence).toBe("f0 has no number at all.");
}, SLOW); // biome-ignore format: one line
