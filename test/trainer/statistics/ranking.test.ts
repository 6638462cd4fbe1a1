import { describe, expect, test } from "vitest";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { confusionAt, confusionAtEachScore, equalMassBins, rank } from "../../../trainer/statistics/ranking.ts";

test("ranks ascending, equal scores in the order they came in", () => {
  expect(rank([1, 0, 1, 0, 0], [0.5, 0.25, 0.5, 0.75, 0.25])).toEqual({
    order: Int32Array.of(1, 4, 0, 2, 3),
    scores: Float64Array.of(0.25, 0.25, 0.5, 0.5, 0.75),
    labels: Uint8Array.of(0, 0, 1, 1, 0),
    runEnds: Int32Array.of(2, 4, 5),
  });
});

test("refuses nothing, and labels without their scores", () => {
  expect(() => rank([], [])).toThrow(new RangeError("got 0 labels and 0 probabilities"));
  expect(() => rank([1, 0], [0.5])).toThrow(new RangeError("got 2 labels and 1 probabilities"));
});

describe("bins of equal mass", () => {
  const bins = (scores: number[], weights: number[], count: number): number[] =>
    equalMassBins(
      rank(
        scores.map(() => 0),
        scores,
      ),
      weights,
      count,
    );

  test("are cut at ranks ⌈bN/count⌉", () => {
    expect(bins([1, 2, 3, 4, 5, 6, 7], [1, 1, 1, 1, 1, 1, 1], 3)).toEqual([3, 5, 7]);
  });

  test("hold equal scores together, and are fewer then", () => {
    expect(bins([1, 2, 2, 2, 2, 2, 7], [1, 1, 1, 1, 1, 1, 1], 3)).toEqual([6, 7]);
    expect(bins([5, 5, 5], [1, 1, 1], 15)).toEqual([3]);
  });

  test("count each sequence as often as its weight says, and need none behind the last that has weight", () => {
    expect(bins([1, 2, 3, 4, 5, 6], [4, 0, 1, 1, 0, 0], 3)).toEqual([1, 4]);
  });
});

describe("confusion", () => {
  test("label 1 is predicted from the threshold on", () => {
    expect(confusionAt(0.5, [1, 1, 0, 0, 0, 1], [0.5, 0.4, 0.5, 0.6, 0.1, 0.9])).toEqual({
      truePositives: 2,
      falsePositives: 2,
      falseNegatives: 1,
      trueNegatives: 1,
    });
  });

  test("at every distinct score is that at its threshold, from the highest down", () => {
    const random = createRandom(1);
    const scores = Float32Array.from({ length: 300 }, () => Math.fround(random.integer(40) / 40));
    const labels = Uint8Array.from(scores, (score) => (random.uniform() < score ? 1 : 0));
    const all = confusionAtEachScore(rank(labels, scores));
    expect(all.map(({ threshold }) => threshold)).toEqual([...new Set(scores)].sort((a, b) => b - a));
    for (const { threshold, ...confusion } of all) expect(confusion).toEqual(confusionAt(threshold, labels, scores));
  });
});
