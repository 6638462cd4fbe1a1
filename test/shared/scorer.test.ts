// What quickstep/score gives its callers; in the package itself, Workers and a browser: test/package.slow.test.ts.
import { expect, test } from "vitest";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import { openScorer } from "../../shared/scorer.ts";
import { openApp, postScore } from "../fixtures/app.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../fixtures/model.ts";

const model = makeModel(kernel);
const artifact = encodeArtifact(model);
const scorer = openScorer(artifact, kernel);
const rows = (values: Float64Array) =>
  Array.from({ length: values.length / 50 }, (_, n) =>
    Array.from({ length: 10 }, (_, t) => Array.from(values.subarray(n * 50 + t * 5, n * 50 + t * 5 + 5))),
  );

test("answers what the Worker answers: probabilities to the bit, labels, and what lies out of range", async () => {
  const sequences = [...rows(makeSequences(40, 10, 5, 9)), [[1.25, 1, 0, 1, 1.25]]];
  const { results } = await (await postScore(openApp(kernel, artifact), JSON.stringify({ sequences }))).json();
  expect(scorer.score(sequences)).toEqual(results.map((result: object) => ({ outOfRange: false, ...result })));
  expect(new Set(scorer.score(sequences).map(({ label }) => label))).toEqual(new Set([0, 1]));
  expect(scorer.score(sequences).some(({ outOfRange }) => outOfRange)).toBe(true);
});

test("scores more sequences at once than a request may hold", () => {
  expect(scorer.score(Array(1001).fill([[1, 2, 3, 4, 5]]))).toHaveLength(1001);
});

test("says what it takes", () => {
  expect(scorer).toMatchObject({ name: "test", timesteps: 10, features: ["a", "b", "c", "d", "e"] });
  expect(scorer.operatingPoints).toEqual([
    { name: "balanced", threshold: 0.5 },
    { name: "sensitive", threshold: 0.25 },
  ]);
});

test.each<[unknown, string]>([
  [[[[1, 2, 3, 4, null]]], "sequences[0][0][4] must be a finite number, got null"],
  [[[[1, 2, 3, 4]]], "sequences[0][0] must have 5 numbers (a, b, c, d, e), got 4"],
  [[[[1, 2, 3, 4, 5]], [[0, 0, 0, 0, 0]]], "sequences[1] must have at least one row that is not all zeros, got only padding"],
  ["a", 'sequences must be an array of sequences, got "a"'],
])("names the place of what it cannot score: %j", (sequences, message) => {
  expect(() => scorer.score(sequences as number[][][])).toThrow(message);
});

test("opens no artifact that is broken, or that it does not reproduce", () => {
  const probabilities = model.golden.probabilities.map((p) => p / 2);
  expect(() => openScorer(artifact.slice(0, -1), kernel)).toThrow("cut short");
  expect(() => openScorer(encodeArtifact({ ...model, golden: { ...model.golden, probabilities } }), kernel)).toThrow(/^golden vector 0/);
});
