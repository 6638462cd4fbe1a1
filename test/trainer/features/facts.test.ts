import { describe, expect, it } from "vitest";
import { looksAt } from "../../../shared/recipe/channel.ts";
import { listCandidates, plainChannels } from "../../../trainer/features/candidates.ts";
import { describeRelation, studyFeatures } from "../../../trainer/features/facts.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const T = 4;

/** N sequences of T rows, each made by `row`. */
function make(
  N: number,
  F: number,
  row: (random: ReturnType<typeof createRandom>) => number[],
): { values: Float64Array; indices: number[]; shape: { timesteps: number; features: number } } {
  const random = createRandom(3);
  const values = Float64Array.from(Array.from({ length: N * T }, () => row(random)).flat());
  return { values, indices: Array.from({ length: N }, (_, n) => n), shape: { timesteps: T, features: F } };
}

describe("studyFeatures", () => {
  it("finds the relation of the printed rows, feature 4 = feature 3 + 0.00875 · feature 2, and no other", () => {
    const { values, features } = generateFx(500, 4);
    const { relations } = studyFeatures(
      values,
      { timesteps: 10, features: 5 },
      Array.from({ length: 500 }, (_, n) => n),
      "leading",
    );
    expect(relations.map((relation) => describeRelation(relation, features))).toEqual(["f4 = f3 + 0.00875 · f2"]);
  });

  it("finds copies, offsets, and sums over scales from 1e-6 to 1e9", () => {
    const { values, indices, shape } = make(300, 5, (random) => {
      const [a, b] = [1e-6 * random.normal(), 1e9 + 1e9 * random.normal()];
      return [a, b, a, 7e9 - 2 * b, 3e6 * a + 1e-9 * b];
    });
    const { relations } = studyFeatures(values, shape, indices, "none");
    expect(relations.map((relation) => describeRelation(relation, ["a", "b", "c", "d", "e"]))).toEqual(
      ["c = a", "d = − 2 · b + 7000000000", "e = 3e+6 · a + 1e-9 · b"].map((text) => text.replace("3e+6", "3000000")),
    );
  });

  it("takes a sum with a little noise for what it is: a feature of its own", () => {
    const { values, indices, shape } = make(300, 3, (random) => {
      const [a, b] = [random.normal(), random.normal()];
      return [a, b, a + b + 1e-5 * random.normal()];
    });
    expect(studyFeatures(values, shape, indices, "none").relations).toEqual([]);
  });

  it("names what is constant", () => {
    const { values, indices, shape } = make(100, 3, (random) => [random.normal(), 5, random.normal()]);
    expect(studyFeatures(values, shape, indices, "none").constant).toEqual([1]);
  });
});

describe("candidates", () => {
  const { values, indices, shape } = make(300, 4, (random) => [
    random.normal(),
    Math.exp(random.normal()),
    1e6 * random.normal(),
    Math.exp(random.normal()),
  ]);
  const facts = studyFeatures(values, shape, indices, "none");
  const candidates = listCandidates(facts, T);

  it("takes logarithms of what is positive only", () => {
    const logs = candidates.filter(({ view, base }) => base === "feature" && view === "log").map(({ a }) => a);
    expect(logs).toEqual([1, 3]);
  });

  it("compares features of similar size, and no others", () => {
    const pairs = candidates.filter((channel) => channel.base !== "feature");
    expect(pairs.some((c) => c.base === "logRatio" && c.a === 1 && c.b === 3)).toBe(true);
    expect(pairs.every((c) => !looksAt(c, 2))).toBe(true);
  });

  it("asks for no movement where a sequence is one row", () => {
    for (const channel of [...listCandidates(facts, 1), ...plainChannels(facts, 1)]) expect(["level", "log"]).toContain(channel.view);
  });
});
