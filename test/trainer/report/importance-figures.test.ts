// The plots of influence, as a reader sees them: the words at their axes.
import { expect, test } from "vitest";
import { drawDependence } from "../../../trainer/report/importance-figures.ts";

const tickOf = async (at: readonly number[]): Promise<string[]> => {
  const svg = await drawDependence({ name: "temp", at, probabilities: at.map(() => 0.5) }, [0, 1]);
  return [...svg.text.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
};

test.each<[number[], string]>([
  [[0, 50, 100], "100"],
  [[0, 150_000, 300_000], "300000"],
  [[-0.02, 0, 0.02], "0.02"],
])("a curve along %j has plain numbers at its axis", async (at, tick) => {
  const texts = await tickOf(at);
  expect(texts).toContain(tick);
  expect(texts.filter((text) => /\de[+-]/.test(text))).toEqual([]);
});

test("numbers too long to stand beside each other are written short", async () => {
  expect((await tickOf([0, 1e9, 2e9])).some((text) => /\de\+9/.test(text))).toBe(true);
});
