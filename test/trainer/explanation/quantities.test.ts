// What a model looks at, by name: two channels that differ only in what they do where a number is missing are two quantities.
import { expect, test } from "vitest";
import type { Channel } from "../../../shared/recipe/channel.ts";
import { listQuantities } from "../../../trainer/explanation/series-edits.ts";

test("a level and the same where observed are edited each by itself, and both are the view's one level", () => {
  const level: Channel = { base: "feature", a: 0, view: "level" };
  const channels: Channel[] = [level, { ...level, whereObserved: true }];
  const view = { series: [level, { base: "feature", a: 1, view: "level" }] } as never;
  const found = listQuantities({ recipe: { channels, features: ["a", "b"] } as never, view });
  expect(found.map(({ channel, series }) => [channel, series])).toEqual([
    [0, 0],
    [1, 0],
    [-1, 1],
  ]);
  expect(new Set(found.map(({ name }) => name)).size).toBe(3);
});
