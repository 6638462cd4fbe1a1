// Candidates of categories and of what is given once a sequence: nothing that cannot tell anything, and no pairs.
import { expect, test } from "vitest";
import { describeChannel } from "../../../shared/recipe/channel.ts";
import { expandNames, type Input } from "../../../shared/recipe/inputs.ts";
import { listCandidates, plainChannels } from "../../../trainer/features/candidates.ts";
import { studyFeatures } from "../../../trainer/features/facts.ts";

const INPUTS: readonly Input[] = [
  { name: "open" },
  { name: "close" },
  { name: "mode", levels: ["down", "side", "up"] },
  { name: "age", static: true },
];
const [N, T, F] = [30, 4, 6];
const values = Float64Array.from({ length: N * T * F }, (_, i) => {
  const [n, t, f] = [Math.floor(i / (T * F)), Math.floor(i / F) % T, i % F];
  const mode = (n + t) % 3;
  return [5 + Math.sin(3 * n + t), 5 + Math.cos(n + 2 * t), Number(mode === 0), Number(mode === 1), Number(mode === 2), 20 + n][f];
});
const shape = { timesteps: T, features: F, statics: 1 };
const facts = studyFeatures(values, shape, [...Array(N).keys()], "leading", INPUTS);
const names = listCandidates(facts, T).map((channel) => describeChannel(channel, expandNames(INPUTS)));

test("what is static has its level and logarithm alone", () => {
  expect(facts.statics).toEqual([5]);
  expect(names.filter((name) => name.includes("age"))).toEqual(["age", "log(age)"]);
  expect(plainChannels(facts, T).filter(({ a }) => a === 5)).toHaveLength(1);
});

test("levels are compared with nothing, and the last one says nothing that the others do not", () => {
  expect(facts.levels).toEqual([2, 3, 4]);
  expect(names.filter((name) => name.includes("mode=") && /[−/].*(?:open|close|mode=)/.test(name))).toEqual([]);
  expect(names.filter((name) => name.includes("mode=up"))).toEqual([]);
  expect(names).toContain("mode=down");
  expect(names).toContain("open − close");
});
