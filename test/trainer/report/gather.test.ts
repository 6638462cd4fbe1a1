import { describe, expect, test } from "vitest";
import { applyRecipe } from "../../../shared/recipe/apply.ts";
import { gatherReport } from "../../../trainer/report/gather.ts";
import { computeMetrics } from "../../../trainer/statistics/metrics.ts";
import { makeInput, N } from "./fixture.ts";

describe("what is gathered", () => {
  const input = makeInput();
  const content = gatherReport(input);
  const { labels, probabilities, values } = input.test;
  const all = Array.from(probabilities.keys());

  test("is the same again for the same seed", () => {
    expect(gatherReport(makeInput())).toEqual(content);
  });

  test("holds each operating point as the test part counts it", () => {
    for (const { threshold, labelled, falsePositiveRate, metrics } of content.operatingPoints) {
      const { precision, recall, f1 } = metrics;
      const ones = all.filter((n) => probabilities[n] >= threshold);
      const hits = ones.filter((n) => labels[n] === 1).length;
      const positives = all.filter((n) => labels[n] === 1).length;
      expect(ones.length).toBeGreaterThan(0);
      expect(labelled.value).toBe(ones.length / all.length);
      expect(precision!.value).toBe(hits / ones.length);
      expect(recall!.value).toBe(hits / positives);
      expect(f1!.value).toBeCloseTo((2 * hits) / (ones.length + positives), 12);
      expect(falsePositiveRate!.value).toBe((ones.length - hits) / (all.length - positives));
    }
    expect(content.operatingPoints.map(({ name }) => name)).toEqual(input.model.operatingPoints.map(({ name }) => name));
  });

  test("pairs the model's gain with each baseline's loss", () => {
    for (const { name, metrics, gain } of content.models.slice(1)) {
      expect(metrics).toBe(input.model.card.baselines[name]);
      expect(gain!.rise).toBeCloseTo(metrics.logLoss - input.model.card.test.logLoss, 12);
    }
  });

  test("measures the learning curves' lines on the validation part", () => {
    const validation = input.data.labels.slice(60, 90);
    const expected = Object.entries(input.validation).map(([name, guesses]) => [name, computeMetrics(validation, guesses).logLoss]);
    expect(content.learning.lines.map(({ name, logLoss }) => [name, logLoss])).toEqual(expected);
  });

  test("draws no curve for a baseline that ranks nothing", () => {
    expect(content.curves.map(({ name }) => name)).toEqual(["LSTM(8)", "logistic regression"]);
  });

  test("shows three sequences as they came and as the network sees them, padding apart", () => {
    const { channels, lengths } = applyRecipe(input.model.recipe, values, input.log);
    expect(content.examples.map(({ probability }) => probability)).toEqual(
      content.examples.map(({ probability }) => probability).toSorted((a, b) => a - b),
    );
    for (const { probability, rows, channels: seen } of content.examples) {
      const n = probabilities.indexOf(probability);
      const padding = 10 - lengths[n];
      rows.forEach((row, t) => {
        expect(row).toEqual(t < padding ? null : Array.from(values.subarray((n * 10 + t) * 5, (n * 10 + t + 1) * 5)));
        const own = Array.from(channels.subarray((n * 10 + t - padding) * 6, (n * 10 + t - padding + 1) * 6));
        // Channels 0 and 3 are differences: the first row has none.
        const shown = t === padding ? own.map((x, c) => (c === 0 || c === 3 ? null : x)) : own;
        expect(seen[t]).toEqual(t < padding ? null : shown);
      });
    }
  });

  test("counts padding, zeros and lengths of the training part alone", () => {
    const { training, parts } = content;
    expect(parts.map(({ sequences }) => sequences)).toEqual([60, 30, 30, N / 2]);
    expect(parts.map(({ positives }) => positives).reduce((sum, n) => sum + n)).toBe(input.data.labels.reduce((sum, n) => sum + n, 0));
    expect([training.shortest, training.longest]).toEqual([1, 10]);
    expect(training.paddingShare).toBeCloseTo(0.45, 12); // lengths 1 … 10 in turn
    expect(training.lengths.counts.flat().reduce((sum, n) => sum + n, 0)).toBe(60);
    const offset = training.features[0].offset!; // 1.25 + 1e-4 · uniform: a standard deviation of 1e-4 / √12
    expect(offset).toBeGreaterThan(3e4);
    expect(training.features[1].zeroShare).toBe(0);
  });
});
