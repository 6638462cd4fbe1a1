// What is left out of a view and its members changes no score.
import { expect, test } from "vitest";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { type Model, score } from "../../../shared/model.ts";
import { LEAF, MISSING_LEFT } from "../../../shared/trees.ts";
import { compactMembers } from "../../../trainer/artifact/compaction.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeSequences } from "../../fixtures/model.ts";
import { makeStack } from "../../fixtures/stack.ts";

const { log } = instantiateKernel(kernel);
const values = makeSequences(300, 10, 5, 77);
const bitsOf = (model: Model) => score(model, createWasmEngine(kernel, model), log, values).probabilities;

type Kind<K extends Model["members"][number]["kind"]> = Extract<Model["members"][number], { kind: K }>;

function compact({ view, ...model }: Model): Model {
  return { ...model, ...compactMembers(view!, model.members) };
}

test("a compacted stack is smaller, is compact, and scores with the same bits", () => {
  const stack = makeStack(kernel, { trees: 12, leaves: 5 });
  const linear = stack.members[1] as Kind<"linear">;
  const weights = linear.classifier.weights.map((weight, w) => (w % 3 === 0 ? 0 : weight));
  const sparse: Kind<"linear"> = { kind: "linear", classifier: { ...linear.classifier, weights } };
  const model: Model = { ...stack, members: stack.members.map((member) => (member === linear ? sparse : member)) };
  const small = compact(model);
  expect(bitsOf(small)).toEqual(bitsOf(model));
  expect(encodeArtifact(small).length).toBeLessThan(encodeArtifact(model).length - 10_000);
  expect(small.view!.keep!.length).toBeLessThan(model.view!.keep!.length);
  expect(compact(small)).toEqual(small);
  const { column, edge, edgeStart, edges } = (small.members[2] as Kind<"trees">).ensemble;
  const splits = new Set([...column.keys()].filter((n) => column[n] !== LEAF).map((n) => edgeStart[column[n]] + (edge[n] & ~MISSING_LEFT)));
  expect(splits.size).toBe(edges.length);
});

test("a model without members on columns keeps no view, one whose trees never split keeps a column", () => {
  expect(compact(makeStack(kernel, { kinds: ["lstm"] })).view).toBeUndefined();
  const stumps = makeStack(kernel, { kinds: ["trees"], leaves: 1 });
  const small = compact(stumps);
  expect(small.view!.keep).toHaveLength(1);
  expect(bitsOf(small)).toEqual(bitsOf(stumps));
});
