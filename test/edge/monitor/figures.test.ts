// Counts, their text for Prometheus, and the figures of what came true.
import { describe, expect, test } from "vitest";
import type { RequestRecord } from "../../../edge/http/request-context.ts";
import { addCounts, countRequest, countScores, increase, noCounts } from "../../../edge/monitor/counts.ts";
import { expose } from "../../../edge/monitor/exposition.ts";
import {
  addOutcome,
  addTally,
  betOn,
  describePerformance,
  noOutcomes,
  openWealth,
  PERFORMANCE_ALPHA,
} from "../../../edge/monitor/performance.ts";
import { readPredictionId, writePredictionId } from "../../../edge/monitor/prediction-id.ts";
import { instantiateKernel } from "../../../shared/engine.ts";
import { fitCalibration } from "../../../trainer/statistics/calibration.ts";
import { computeMetrics } from "../../../trainer/statistics/metrics.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { kernel } from "../../fixtures/kernel.ts";

const functions = instantiateKernel(kernel);
const record = (route: string, status: number, durationMs = 0, sequences?: number): RequestRecord => ({
  id: "r",
  method: "POST",
  route,
  status,
  model: "0123456789ab",
  version: "0.1.0",
  durationMs,
  ...(sequences !== undefined && { sequences }),
});

describe("counts", () => {
  test("add up whatever isolate they come from, and histograms are cumulative in the text", () => {
    const [a, b] = [noCounts(), noCounts()];
    countRequest(a, record("/v1/score", 200, 3, 1));
    countRequest(a, record("/v1/score", 200, 70, 40));
    countRequest(b, record("/v1/score", 422, 20_000));
    countScores(b, "fx@0123456789ab", Float32Array.of(0.04, 0.5, 0.97));
    increase(b.deliveries, "delivered desk", 2);
    const sum = noCounts();
    addCounts(sum, a);
    addCounts(sum, structuredClone(b));
    const text = expose({ model: { id: 'fx "one"\\@0123456789ab', version: "0.1.0" }, counts: sum });
    expect(text).toContain('quickstep_model_info{model="fx \\"one\\"\\\\@0123456789ab",version="0.1.0"} 1');
    expect(text).toContain('quickstep_requests_total{method="POST",route="/v1/score",status="200"} 2');
    expect(text).toContain('quickstep_request_duration_seconds_bucket{route="/v1/score",le="0.1"} 2');
    expect(text).toContain('quickstep_request_duration_seconds_bucket{route="/v1/score",le="+Inf"} 3');
    expect(text).toContain('quickstep_request_duration_seconds_count{route="/v1/score"} 3');
    expect(text).toContain('quickstep_batch_sequences_bucket{le="1"} 1');
    expect(text).toContain("quickstep_batch_sequences_sum 41");
    expect(text).toContain('quickstep_score_bucket{model="fx@0123456789ab",le="0.5"} 2');
    expect(text).toContain('quickstep_delivery_attempts_total{state="delivered",destination="desk"} 2');
    expect(text.endsWith("\n")).toBe(true);
  });

  test("of ever new names stay few: the rest is counted as other", () => {
    const counts = noCounts();
    for (let i = 0; i < 1000; i++) countRequest(counts, record(`/r${i}`, 200));
    expect(Object.keys(counts.requests).length).toBeLessThanOrEqual(201);
    expect(counts.requests.other).toBe(800);
  });
});

describe("what came true", () => {
  const random = createRandom(960_000);
  const N = 5000;
  const probabilities = Float32Array.from({ length: N }, () => 0.02 + 0.96 * random.uniform());
  const labels = Uint8Array.from(probabilities, (p) => (random.uniform() < p ? 1 : 0));
  const tally = noOutcomes();
  for (let n = 0; n < N; n++) addOutcome(tally, probabilities[n], labels[n] as 0 | 1, functions.log);
  const live = describePerformance(tally, functions);

  test("has the trainer's log loss and Brier score, and its AUC and calibration slope within what bins round", () => {
    const metrics = computeMetrics(labels, probabilities);
    expect(live.outcomes).toBe(N);
    expect(live.logLoss!.value).toBeCloseTo(metrics.logLoss, 6);
    expect(live.brier).toBeCloseTo(metrics.brier, 6);
    expect(Math.abs(live.auc! - metrics.auc!)).toBeLessThan(0.001);
    const { slope } = fitCalibration(
      Float64Array.from(probabilities, (p) => Math.log(p / (1 - p))),
      labels,
    );
    expect(Math.abs(live.calibrationSlope! - slope)).toBeLessThan(0.02);
  });

  test("has about ten reliability bins, each observed rate within its interval's ends", () => {
    expect(live.reliability.length).toBeGreaterThanOrEqual(9);
    expect(live.reliability.reduce((sum, { examples }) => sum + examples, 0)).toBe(N);
    for (const { predicted, observed } of live.reliability) {
      expect(observed.low).toBeLessThan(observed.value);
      expect(Math.abs(observed.value - predicted)).toBeLessThan(0.08);
    }
  });

  test("of days adds up to that of all", () => {
    const halves = [noOutcomes(), noOutcomes()];
    for (let n = 0; n < N; n++) addOutcome(halves[n % 2], probabilities[n], labels[n] as 0 | 1, functions.log);
    const sum = noOutcomes();
    for (const half of halves) addTally(sum, half);
    expect(describePerformance(sum, functions).auc).toBe(live.auc);
    expect(describePerformance(sum, functions).logLoss!.value).toBeCloseTo(live.logLoss!.value, 9);
  });

  test("of nothing, and of one class, has nulls and no NaN", () => {
    expect(describePerformance(noOutcomes(), functions)).toMatchObject({ outcomes: 0, logLoss: null, auc: null });
    const ones = noOutcomes();
    addOutcome(ones, 1, 1, functions.log);
    addOutcome(ones, 0, 1, functions.log);
    const { auc, calibrationSlope, logLoss } = describePerformance(ones, functions);
    expect([auc, calibrationSlope]).toEqual([null, null]);
    expect(Number.isFinite(logLoss!.value)).toBe(true);
  });

  test("raises no alarm while probabilities hold, and one where outcomes follow others", () => {
    const [holds, moved] = [openWealth(), openWealth()];
    let [most, alarm] = [0, Number.POSITIVE_INFINITY];
    for (let n = 0; n < N; n++) {
      most = Math.max(most, betOn(holds, probabilities[n], labels[n] as 0 | 1, functions));
      const odds = probabilities[n] / (1 - probabilities[n]) / 2;
      const label = random.uniform() < odds / (1 + odds) ? 1 : 0;
      if (betOn(moved, probabilities[n], label, functions) >= 1 / PERFORMANCE_ALPHA) alarm = Math.min(alarm, n);
    }
    expect(most).toBeLessThan(1 / PERFORMANCE_ALPHA);
    expect(alarm).toBeLessThan(1500);
  });
});

test("a prediction's id says where it lies and when it was made; anything else is none", () => {
  const place = { model: "größe 1@0@0123456789ab", shard: 3, at: 1_767_225_600_000 };
  expect(readPredictionId(writePredictionId(place, "0f-1"))).toEqual(place);
  expect(readPredictionId("p3.0123456789ab.mc1k2j3h.0f-1")).toMatchObject({ model: "@0123456789ab", shard: 3 }); // of before
  for (const text of [
    "",
    "p3.0123456789ab.mc.0.%ff",
    "p3.0123456789ab.mc.0.a/b",
    "p4.0123456789ab.mc.0",
    "p3.0123456789AB.mc.0",
    "p3.0123456789ab.mc.",
    "p3.0123456789ab.mc.a/b",
  ])
    expect(readPredictionId(text)).toBeUndefined();
});
