import { describe, expect, test } from "vitest";
import { CAUSE_CODES } from "../../../trainer/diagnosis/cause.ts";
import { diagnose } from "../../../trainer/diagnosis/diagnose.ts";
import type { Diagnosis } from "../../../trainer/diagnosis/diagnosis.ts";
import type { DiagnosisData } from "../../../trainer/diagnosis/input.ts";
import { renderDiagnosis } from "../../../trainer/diagnosis/page.ts";
import { writeFixScript } from "../../../trainer/diagnosis/script.ts";
import { parseBaselineSetup } from "../../../trainer/diagnosis/setup.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { differenceHidden, heavyTails } from "../../studies/quality/generators.ts";
import { asData, dependencies, make, movingRatios } from "./synthetic.ts";

const ask = (data: DiagnosisData, tried = "", seed = 1): Promise<Diagnosis> =>
  diagnose(data, { baseline: parseBaselineSetup(tried), seed }, dependencies);
const codes = ({ causes }: Diagnosis): string[] => causes.map(({ code, certainty }) => `${code} ${certainty}`);
const SLOW = 120_000;

describe("the design's case, by the plain script", () => {
  test(
    "movement-tiny keeps the loss at the base rate, scaling and masking are needed with it, and the fixes reach far below",
    async () => {
      const diagnosis = await ask(asData(generateFx(2400, 3)));
      expect(codes(diagnosis)).toEqual([
        "movement-tiny proven",
        expect.stringMatching(/^(features-unscaled|padding-unmasked) proven$/),
        expect.stringMatching(/^(features-unscaled|padding-unmasked) proven$/),
        "redundant-feature fact",
      ]);
      const { baseline, fixed, baseRateLoss, joint, verdict, notes } = diagnosis;
      expect(verdict).toMatchObject({
        code: "movement-tiny",
        text: expect.stringMatching(/^Movements that are tiny against the levels keep the loss at 0\.\d{4}\.$/),
        next: expect.stringContaining("Give the network Δ f0, Δ f1, standardised."),
      });
      expect(Math.abs(baseline!.loss - baseRateLoss!)).toBeLessThan(0.01);
      expect(fixed!.loss).toBeLessThan(baseRateLoss! - 0.08); // the truth's own: 0.14 below
      expect(fixed!.settings).toMatchObject({ scaled: true, masked: true });
      expect(joint[joint.length - 1].gain).toBeGreaterThan(0.08);
      expect(joint[0].gain).toBeLessThan(0.02); // none of them helps alone
      expect(notes.join("\n")).toMatch(/The accuracy of the baseline setup, .* is that of always answering the majority/);
      const page = await renderDiagnosis("<fx>", diagnosis);
      expect(page).toContain("&lt;fx&gt;");
      expect(page).toContain("Movements that are tiny against the levels keep the loss at");
      expect(await renderDiagnosis("<fx>", diagnosis)).toBe(page);
    },
    SLOW,
  );
});

test(
  "two features that say everything by their difference: difference-hidden, and no other cause is worth as much",
  async () => {
    const { causes, fixed } = await ask(asData(differenceHidden(2000, 4)), "scaled,adam,mask");
    expect(causes[0]).toMatchObject({ code: "difference-hidden", certainty: "proven" });
    expect(fixed!.plan.channels).toContainEqual(expect.objectContaining({ a: 0, b: 1 }));
  },
  SLOW,
);

test(
  "what learns what is there is left alone: healthy, and nothing named",
  async () => {
    const diagnosis = await ask(asData(heavyTails(2400, 5)), "scaled,adam,mask");
    expect(diagnosis.causes).toEqual([]);
    expect(diagnosis.verdict.code).toBe("healthy");
    expect(diagnosis.verdict.text).toBe("Nothing was found that keeps the loss high.");
    expect(diagnosis.verdict.next).toMatch(/ below the base rate/);
    expect(diagnosis.baseline!.loss).toBeLessThan(diagnosis.baseRateLoss! - 0.05);
  },
  SLOW,
);

test(
  "a learning rate a hundred times too high or too low is named, by what a better one reaches on the same sequences",
  async () => {
    const data = asData(heavyTails(1500, 6));
    expect((await ask(data, "scaled,adam,mask,lr=0.5,batch=32")).causes[0]).toMatchObject({
      code: "learning-rate-high",
      certainty: "proven",
    });
    expect((await ask(data, "scaled,adam,mask,lr=1e-6,batch=32")).causes[0]).toMatchObject({
      code: "learning-rate-low",
      certainty: "proven",
    });
  },
  SLOW,
);

test(
  "labels in another order are no-signal, with the AUC that would have been found; the same seed says the same",
  async () => {
    const made = generateFx(1200, 7);
    const order = Int32Array.from(made.labels.keys());
    createRandom(8).shuffle(order);
    const data = asData({ ...made, labels: Uint8Array.from(order, (n) => made.labels[n]) });
    const diagnosis = await ask(data);
    expect(codes(diagnosis)).toEqual(["no-signal likely", "redundant-feature fact"]);
    expect(diagnosis.verdict.next).toMatch(/would have found an AUC of 0\.5\d\d\./);
    expect(await ask(data)).toEqual(diagnosis);
  },
  SLOW,
);

describe("data that are merely bad", () => {
  const random = createRandom(9);
  const coin = (): number => random.integer(2);
  test.each<[name: string, data: DiagnosisData, code: string]>([
    ["nothing at all", make([0, 5, 2], () => 0, coin), "too-few"],
    ["one sequence", make([1, 5, 2], () => 1, coin), "one-class"],
    ["nothing but zeros", make([200, 5, 2], () => 0, coin), "too-few"],
    ["nothing but NaN", make([200, 5, 2], () => Number.NaN, coin), "non-finite"],
    ["nothing but threes", make([200, 5, 2], () => 3, coin), "constant-feature"],
    ["one sequence over and over", make([200, 3, 2], (_, t, f) => 1 + t + f, coin), "label-conflict"],
    [
      "values at both ends of float64",
      make([200, 3, 2], (_, __, f) => (f === 0 ? 1e308 : 1e-310) * (random.uniform() - 0.5), coin),
      "no-signal",
    ],
    ["one row of one number", make([200, 1, 1], () => random.normal(), coin), "no-signal"],
    ["a short series cut into windows", make([120, 10, 1], (n, t) => Math.sin(0.37 * (n + t) ** 1.2), coin), "no-signal"],
    [
      "a series whose 1s stand together",
      make(
        [120, 10, 1],
        (n, t) => Math.sin(0.37 * (n + t) ** 1.2),
        (n) => (n < 30 ? 1 : 0),
      ),
      "too-few",
    ],
    ["no number", { ...make([200, 3, 2], () => Number.NaN, coin), labels: null }, "non-finite"],
  ])("%s is diagnosed, not refused", async (_, data, code) => {
    const diagnosis = await ask(data);
    expect(diagnosis.causes[0].code).toBe(code);
    expect(CAUSE_CODES).toContain(diagnosis.verdict.code);
    expect(JSON.stringify(diagnosis)).not.toContain("undefined");
  });
});

test(
  "padding in front and movements of logarithms: every ablation runs, the one without the mask as well, and says what a zero is there",
  async () => {
    const diagnosis = await ask(movingRatios(900, 11));
    expect(codes(diagnosis)).toEqual(expect.arrayContaining(["movement-tiny proven", "padding-unmasked proven"]));
    const { fixed, baseRateLoss, notes } = diagnosis;
    expect(fixed!.plan.channels.every(({ view }) => view === "logDelta")).toBe(true);
    expect(fixed!.loss).toBeLessThan(baseRateLoss! - 0.3);
    expect(notes).toContain(
      "In an experiment without masking, a zero under a logarithm counts as the lowest positive value of the training part.",
    );
  },
  SLOW,
);

test(
  "a setup larger than the budget is said to be run smaller, by the numbers that were run",
  async () => {
    const data = asData(heavyTails(1500, 6));
    const [large, small] = [await ask(data, "scaled,adam,mask"), await ask(data, "scaled,adam,mask,units=64,batch=32")];
    expect(large.baseline).toEqual({ ...small.baseline, settings: large.baseline!.settings });
    const { units, batch, steps } = small.baseline!.training;
    const run = `run as LSTM(${units}), scaled inputs, masking, adam up to 0.006, batch ${batch}, ${steps} steps`;
    for (const { verdict, notes } of [large, small]) {
      expect(verdict.next).toContain(run);
      expect(verdict.next).not.toMatch(/LSTM\((100|64)\)/);
      expect(notes.join(" ")).toContain(run);
    }
    expect(small.notes.join(" ")).toContain("The baseline setup is LSTM(64), scaled inputs, masking, adam 0.001, batch 32.");
  },
  SLOW,
);

test(
  "a feature that never moves within a sequence is given no movement; a tail held out by the lines has its own base rate",
  async () => {
    const random = createRandom(13);
    const [M, T] = [1200, 6];
    const series = Float64Array.from({ length: M + T }, () => random.normal());
    let level = 0;
    const walk = series.map((step) => (level += 0.05 * step));
    const label = (n: number): number => (walk[n + T - 1] - walk[n + T - 2] > (n < 900 ? 0.01 : 0.045) ? 1 : 0);
    const data = make([M, T, 2], (n, t, f) => (f === 0 ? 100 + walk[n + t] : Math.floor(n / 300)), label);
    const diagnosis = await ask(data, "scaled,adam,mask");
    const { fixed, causes, gap } = diagnosis;
    expect(causes.map(({ code }) => code)).toContain("movement-tiny");
    expect(causes.map(({ evidence, fix }) => evidence + fix).join(" ")).not.toContain("Δ f1");
    expect(fixed!.plan.channels).toContainEqual({ base: "feature", a: 0, view: "delta" });
    expect(fixed!.plan.channels).not.toContainEqual({ base: "feature", a: 1, view: "delta" });
    expect(gap).toBeGreaterThan(0);
    const tail = Array.from({ length: M }, (_, n) => label(n)).slice(Math.ceil(0.8 * M) + gap);
    const rate = tail.reduce((sum, y) => sum + y, 0) / tail.length;
    const loss = -(rate * Math.log(rate) + (1 - rate) * Math.log(1 - rate));
    expect(Math.abs(loss - diagnosis.baseRateLoss!)).toBeGreaterThan(0.03);
    expect(writeFixScript(diagnosis)!.at(-1)).toContain(`on this tail the base rate alone: ${loss.toFixed(3)}`);
  },
  SLOW,
);

/** Levels far apart beside steps of `step`; the label follows the latest step. Windows of one series. */
function walking(step: number, isCut: boolean): DiagnosisData {
  const random = createRandom(17);
  const [M, T] = [1500, 6];
  const steps = Float64Array.from({ length: M + T }, () => random.normal());
  let level = 0;
  const walk = steps.map((each) => (level = Math.sqrt(1 - step ** 2) * level + step * each));
  const label = (n: number): number => (steps[n + T - 1] + 0.5 * random.normal() > 0 ? 1 : 0);
  return { ...make([M, T, 1], (n, t) => walk[n + t], label), isCut };
}

test(
  "of windows that were cut from series, shared rows are a note and no leak; of sequences, a leak",
  async () => {
    const [cut, given] = [await ask(walking(0.02, true), "scaled,adam,mask"), await ask(walking(0.02, false), "scaled,adam,mask")];
    expect(cut.causes.map(({ code }) => code)).not.toContain("leak");
    expect(cut.notes.join(" ")).toMatch(/1,500 of 1,500 windows share rows with others, since they were cut from series\./);
    expect(given.causes.find(({ code }) => code === "leak")?.evidence).toMatch(/^1500 of 1500 sequences share rows with others/);
    expect(given.notes.join(" ")).not.toContain("cut from series");
  },
  SLOW,
);

test(
  "a movement of a fiftieth is tiny and one of nearly a half is not; a fix in place of the levels is not said to be alone",
  async () => {
    const [tiny, hidden] = [await ask(walking(0.02, true), "scaled,adam,mask"), await ask(walking(0.4, true), "")];
    expect(tiny.causes[0]).toMatchObject({ code: "movement-tiny", fix: "Give the network Δ f0, standardised. Leave out the levels." });
    expect(tiny.fixed!.plan.channels).toEqual([{ base: "feature", a: 0, view: "delta" }]);
    expect(tiny.causes[0].evidence).toMatch(
      /Beside the levels, the fix (recovers|loses) .* The fixed setup has the fix in place of the levels\. With the levels in place of the fix, the fixed setup loses 1\d\d % of the gap\./,
    );
    const movement = hidden.causes.find(({ code }) => code.startsWith("movement-"));
    expect(movement).toMatchObject({
      code: "movement-hidden",
      evidence: expect.stringContaining("(change in standard deviations: f0 0.3"),
    });
  },
  SLOW,
);
