// Which channels a feature search looks at where numbers are missing, and what columns become of them.
import { describe, expect, test } from "vitest";
import type { Channel } from "../../../shared/recipe/channel.ts";
import { listCandidates } from "../../../trainer/features/candidates.ts";
import { studyFeatures } from "../../../trainer/features/facts.ts";
import { planView } from "../../../trainer/features/view-plan.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const SHAPE = { timesteps: 5, features: 3 };
const random = createRandom(11);
const whole = Float64Array.from({ length: 40 * 15 }, () => 2 + random.normal());
const ALL = Int32Array.from({ length: 40 }, (_, n) => n);
const whereObserved = true;

describe("candidates", () => {
  const complete = listCandidates(studyFeatures(whole, SHAPE, ALL, "leading"), 5);

  test("of complete data know no gaps", () => {
    expect(complete.filter((channel) => channel.whereObserved || channel.base === "observed" || channel.base === "sinceObserved")).toEqual(
      [],
    );
  });

  test("of a feature that lacks numbers come besides, and change no other", () => {
    const lacking = whole.map((x, i) => (i % 7 === 0 && i % 3 === 1 ? Number.NaN : x));
    const beyond = listCandidates(studyFeatures(lacking, SHAPE, ALL, "leading"), 5).slice(complete.length);
    expect(beyond).toEqual(
      expect.arrayContaining([
        { base: "observed", a: 1, view: "level" },
        { base: "sinceObserved", a: 1, view: "level" },
        { base: "feature", a: 1, view: "level", whereObserved },
        { base: "feature", a: 1, view: "delta", whereObserved },
      ]),
    );
    expect(beyond.every((channel) => channel.a === 1 || ("b" in channel && channel.b === 1))).toBe(true);
    expect(beyond.filter(({ base }) => base === "difference")).toHaveLength(4);
  });
});

test("columns, which have nothing in a gap in any case, do not come twice", () => {
  const level: Channel = { base: "difference", a: 0, b: 1, view: "level" };
  const delta: Channel = { base: "feature", a: 1, view: "delta" };
  const channels: Channel[] = [
    { base: "feature", a: 1, view: "level", whereObserved },
    { ...level, whereObserved },
    level,
    { ...level, medianFilled: true },
    { ...delta, whereObserved },
    delta,
  ];
  const { series } = planView({ timesteps: 5, moving: [0, 1], positive: [], channels });
  expect(series).toEqual([
    { base: "feature", a: 0, view: "level" },
    { base: "feature", a: 1, view: "level" },
    level,
    { ...delta, whereObserved },
    delta,
  ]);
});
