import { describe, expect, test } from "vitest";
import { checkLabels } from "../../../trainer/data/label-checks.ts";
import { describeLabelFinding } from "../../../trainer/data/label-sentences.ts";
import type { Diagnosis } from "../../../trainer/diagnosis/diagnosis.ts";
import { studyData, summariseFeatures } from "../../../trainer/diagnosis/facts.ts";
import type { Finding } from "../../../trainer/diagnosis/finding.ts";
import { describeFinding } from "../../../trainer/diagnosis/finding-sentences.ts";
import type { DiagnosisData } from "../../../trainer/diagnosis/input.ts";
import { type LabelFact, weighLabelFinding } from "../../../trainer/diagnosis/label-facts.ts";
import { listNotes } from "../../../trainer/diagnosis/notes.ts";
import { findUsable } from "../../../trainer/diagnosis/usable.ts";
import { findOverlap } from "../../../trainer/split/overlap.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { make } from "./synthetic.ts";

const random = createRandom(41);
const plain = (value?: (n: number, t: number, f: number) => number, label?: (n: number) => number): DiagnosisData =>
  make([600, 4, 3], value ?? (() => random.normal()), label ?? (() => random.integer(2)));

function labelFacts(data: DiagnosisData): LabelFact[] {
  const labels = Uint8Array.from(data.labels ?? []);
  const overlap = findOverlap(data.values, data.shape, "leading");
  return checkLabels(data.values, labels, data.shape, "leading", overlap).map(weighLabelFinding);
}
const find = (facts: readonly LabelFact[], code: string): LabelFact => facts.find((fact) => fact.code === code)!;
const sentences = (data: DiagnosisData, findings: readonly Finding[]) =>
  findings.map((finding) => ({ code: finding.code, ...describeFinding(finding, data.features) }));
const evidenceOf = ({ finding }: LabelFact, { features }: DiagnosisData): string => describeLabelFinding(finding, features).evidence;

describe("findUsable", () => {
  test("counts numbers that are not finite, names the first, and works with the rest", () => {
    const data = plain((n, t, f) => (n === 7 && t === 2 && f === 1 ? Number.NaN : n === 9 ? Number.POSITIVE_INFINITY : random.normal()));
    const { findings, labels, isEnough } = findUsable(data);
    expect(sentences(data, findings)).toMatchObject([
      { code: "non-finite", evidence: expect.stringMatching(/^13 of 7200 .* 2 of 600 .*X\[7\]\[2\]\[1\] \(NaN\)/) },
    ]);
    expect([labels.length, isEnough]).toEqual([599, true]); // what is missing can be filled
  });

  test("labels of two other values are mapped by the fix; a fraction is named with its place", () => {
    const data = plain(undefined, (n) => 1 + (n % 2));
    expect(sentences(data, findUsable(data).findings)).toMatchObject([
      { code: "labels-invalid", evidence: expect.stringContaining("300 of 600"), fix: expect.stringContaining("(y == 2)") },
    ]);
    const fraction = findUsable(plain(undefined, (n) => (n === 5 ? 0.5 : n % 2)));
    expect(sentences(data, fraction.findings)[0].evidence).toContain("y[5] = 0.5");
    expect(fraction.isEnough).toBe(true);
  });

  test("no label, one class and a handful are said, each by its code, and stop all work", () => {
    expect(findUsable({ ...plain(), labels: null })).toMatchObject({ isEnough: false, findings: [{ code: "labels-invalid" }] });
    expect(findUsable(plain(undefined, () => 1))).toMatchObject({ isEnough: false, findings: [{ code: "one-class" }] });
    expect(findUsable(plain(undefined, (n) => (n < 19 ? 1 : 0)))).toMatchObject({ isEnough: false, findings: [{ code: "too-few" }] });
    expect(findUsable(plain(undefined, (n) => (n < 20 ? 1 : 0)))).toMatchObject({ isEnough: true, findings: [] });
  });
});

const UNTRAINED: Diagnosis = {
  verdict: { code: "too-few", text: "", next: "" },
  causes: [],
  examples: 0,
  positiveRate: null,
  baseRateLoss: null,
  majorityAccuracy: null,
  tailBaseRateLoss: null,
  baseline: null,
  fixed: null,
  columns: null,
  joint: [],
  tensors: null,
  signal: null,
  gap: 0,
  features: [],
  notes: [],
};

describe("studyData", () => {
  test("names a constant feature, and a linear dependence with its coefficients", () => {
    const rows = new Map<string, number>();
    const value = (n: number, t: number, f: number): number => {
      if (f === 2) return 0.5 * rows.get(`${n} ${t} 0`)! - 3;
      const x = f === 1 ? 8 : random.normal();
      rows.set(`${n} ${t} ${f}`, x);
      return x;
    };
    const data = plain(value);
    const causes = sentences(data, studyData(data.values, data.shape).findings);
    expect(causes.map(({ code }) => code)).toEqual(["constant-feature", "redundant-feature"]);
    expect(causes[1].evidence).toContain("f2 = 0.5 · f0 − 3");
  });

  test("tells rows of zeros in front from those behind and between, and takes what stands behind for padding", () => {
    const shape = (zeros: readonly number[]) => plain((_, t) => (zeros.includes(t) ? 0 : 1 + random.uniform()));
    const study = (data: DiagnosisData) => studyData(data.values, data.shape);
    expect(study(shape([0]))).toMatchObject({ reading: "leading", padding: { front: 0.25, behind: 0, inside: 0, sequences: 1 } });
    expect(study(shape([0, 3]))).toMatchObject({ reading: "any", padding: { front: 0.25, behind: 0.25, inside: 0 } });
    expect(study(shape([1]))).toMatchObject({ reading: "leading", padding: { front: 0, behind: 0, inside: 0.25 } });
  });

  test("counts zeros in valid rows, and says so of the feature", () => {
    const data = plain((_, t, f) => (f === 1 && t % 2 === 0 ? 0 : 1 + random.uniform()));
    const facts = studyData(data.values, data.shape);
    expect([...facts.zeros]).toEqual([0, 0.5, 0]);
    const [, f1] = summariseFeatures(facts, data.features);
    const notes = listNotes({ ...UNTRAINED, features: [f1] });
    expect(notes[0]).toMatch(/^f1: 0 … .*, 50\.0\s% of its valid entries are 0$/);
  });

  test("measures movement against spread: √2 where rows are unrelated, the ratio of step and spread in a walk", () => {
    const level = Float64Array.from({ length: 600 }, () => 10 * random.normal());
    const data = plain((n, t, f) => (f === 0 ? random.normal() : level[n] + 0.1 * t));
    const { movement, within } = studyData(data.values, data.shape);
    expect(movement[0]).toBeCloseTo(Math.SQRT2, 1);
    expect(movement[1]).toBeCloseTo(0.01, 2);
    expect(within[1]).toBeLessThan(0.001);
  });
});

describe("label facts", () => {
  test("says nothing of unrelated numbers", () => {
    expect(labelFacts(plain())).toEqual([]);
  });

  test("copies with the other label put a floor under the loss: Σ n H / N", () => {
    const rows = Float64Array.from({ length: 300 * 12 }, () => random.normal());
    const data = plain(
      (n, t, f) => (n < 60 ? rows[(n >> 1) * 12 + t * 3 + f] : random.normal()),
      (n) => n % 2,
    );
    const fact = find(labelFacts(data), "label-conflict");
    expect(fact.gain).toBeCloseTo((60 / 600) * Math.LN2, 10);
    expect(evidenceOf(fact, data)).toContain("60 of 600");
  });

  test("a cell that holds the answer is a leak, and its place is named", () => {
    const labels = Uint8Array.from({ length: 600 }, () => random.integer(2));
    const data = plain(
      (n, t, f) => (t === 3 && f === 1 ? labels[n] + 0.1 * random.normal() : random.normal()),
      (n) => labels[n],
    );
    expect(evidenceOf(find(labelFacts(data), "leak"), data)).toMatch(
      /^f1 at step 3 \(counted from 0\) alone ranks the labels with AUC (1\.000|0\.99\d)/,
    );
  });

  test("a rate that rises along the file is a drift, with what the tail costs", () => {
    const data = plain(undefined, (n) => (random.uniform() < 0.1 + (0.8 * n) / 600 ? 1 : 0));
    const fact = find(labelFacts(data), "drift-in-file");
    // head 0.42, tail 0.82 by the line: KL(0.82 ‖ 0.42) = 0.338
    expect(fact.gain).toBeGreaterThan(0.25);
    expect(fact.gain).toBeLessThan(0.45);
  });

  test("windows of one series leak rows over a random split, and are no cause of a loss", () => {
    const series = Float64Array.from({ length: 610 * 3 }, () => random.normal());
    const data = plain((n, t, f) => series[(n + t) * 3 + f]);
    const facts = labelFacts(data);
    expect(facts).toMatchObject([{ code: "leak", keepsLoss: false }]);
    expect(evidenceOf(facts[0], data)).toContain("600 of 600 sequences share rows");
  });
});
