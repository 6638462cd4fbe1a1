import { describe, expect, test } from "vitest";
import { applyRecipe } from "../../../shared/recipe/apply.ts";
import { gatherReport } from "../../../trainer/report/gather.ts";
import { countOnes } from "../../../trainer/statistics/labels.ts";
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
    expect(parts.map(({ positives }) => positives).reduce((sum, n) => sum + n)).toBe(countOnes(input.data.labels));
    expect([training.shortest, training.longest]).toEqual([1, 10]);
    expect(training.paddingShare).toBeCloseTo(0.45, 12); // lengths 1 … 10 in turn
    expect(training.lengths.counts.flat().reduce((sum, n) => sum + n, 0)).toBe(60);
    const offset = training.features[0].offset!; // 1.25 + 1e-4 · uniform: a standard deviation of 1e-4 / √12
    expect(offset).toBeGreaterThan(3e4);
    expect(training.features[1].zeroShare).toBe(0);
  });
});

describe("of soft labels", () => {
  /** Quarters near the probabilities; none is a class for sure, and most are nearer to 0. */
  const soft = Float64Array.from({ length: N }, (_, n) => [0.25, 0.5, 0.25, 0.75][n % 4]);
  const input = makeInput({ labels: soft });
  const content = gatherReport(input);
  const { probabilities } = input.test;
  const labels = soft.slice(N / 2);

  test("a part's positives, and both classes of each distribution, count y of a 1 and 1 − y of a 0", () => {
    expect(content.parts.map(({ positives }) => positives)).toEqual(
      [60, 30, 30, 120].map((_, i) => {
        const [from, to] = [
          [0, 60],
          [60, 90],
          [90, 120],
          [120, 240],
        ][i];
        return countOnes(soft.subarray(from, to));
      }),
    );
    const sum = (counts: readonly number[]): number => counts.reduce((total, n) => total + n, 0);
    expect(sum(content.scores.counts[1])).toBeCloseTo(countOnes(labels), 10);
    expect(sum(content.scores.counts[0])).toBeCloseTo(labels.length - countOnes(labels), 10);
    expect(sum(content.training.lengths.counts[1])).toBeCloseTo(countOnes(soft.subarray(0, 60)), 10);
    const { counts, beyond } = content.training.features[0].histogram;
    expect(sum(counts[1]) / sum(counts.flat())).toBeGreaterThan(0.4);
    expect(beyond).toBe(0);
  });

  test("operating points, curves and gains are those of copies with whole labels", () => {
    const hits = labels.filter((_, n) => probabilities[n] >= content.operatingPoints[0].threshold);
    expect(content.operatingPoints[0].metrics.precision!.value).toBeCloseTo(countOnes(hits) / hits.length, 12);
    for (const { name, metrics, gain } of content.models.slice(1)) {
      expect(metrics).toEqual(computeMetrics(labels, input.test.baselines[name]));
      expect(gain!.rise).toBeCloseTo(metrics.logLoss - content.card.test.logLoss, 12);
    }
    const [{ roc }] = content.curves;
    const area = roc.slice(1).reduce((total, { x, y }, i) => total + ((x - roc[i].x) * (y + roc[i].y)) / 2, 0);
    expect(area).toBeCloseTo(content.card.test.auc!, 2); // thinned to a printed dot
  });

  test("a sequence that is shown has the label that it has", () => {
    for (const { probability, label } of content.examples) expect(label).toBe(labels[probabilities.indexOf(probability)]);
  });
});
