// Golden inputs of a stack: a member that computes something else is found.
import { expect, test } from "vitest";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import type { Member } from "../../../shared/members.ts";
import { checkGolden, type Model, score } from "../../../shared/model.ts";
import { LEAF, MISSING_LEFT, type TreeEnsemble } from "../../../shared/trees.ts";
import { synthesiseGolden } from "../../../trainer/artifact/golden.ts";
import { chooseGolden } from "../../../trainer/artifact/golden-cover.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeStack } from "../../fixtures/stack.ts";

const instance = instantiateKernel(kernel);
const { log } = instance;
const plain = makeStack(kernel, { trees: 10, leaves: 15, seed: 4 });

function withGolden(model: Model, inputs: Float64Array): Model {
  return { ...model, golden: { inputs, probabilities: score(model, createWasmEngine(kernel, model), log, inputs).probabilities } };
}

const chosen = withGolden(plain, chooseGolden(plain, createRandom(3), instance));
const any = withGolden(plain, synthesiseGolden(plain.recipe, createRandom(3)));

/** Whether the golden vectors notice the model whose third member is changed. */
function isFound(model: Model, change: (ensemble: TreeEnsemble) => TreeEnsemble): boolean {
  const members = model.members.map(
    (member): Member => (member.kind === "trees" ? { ...member, ensemble: change(member.ensemble) } : member),
  );
  const damaged = { ...model, members };
  try {
    checkGolden(damaged, createWasmEngine(kernel, damaged), log);
    return false;
  } catch {
    return true;
  }
}

const { ensemble } = plain.members[2] as Extract<Member, { kind: "trees" }>;
const splits = [...ensemble.column.keys()].filter((node) => ensemble.column[node] !== LEAF);

/** How many of the changes, one a split, are found. */
function countFound(model: Model, change: (ensemble: TreeEnsemble, split: number) => TreeEnsemble): number {
  return splits.filter((split) => isFound(model, (trees) => change(trees, split))).length;
}

test("most missing directions that are turned around are found, more than by inputs that are not chosen", () => {
  const turn = (trees: TreeEnsemble, split: number): TreeEnsemble => ({
    ...trees,
    edge: trees.edge.map((edge, node) => (node === split ? edge ^ MISSING_LEFT : edge)),
  });
  const found = countFound(chosen, turn);
  expect(found).toBeGreaterThan(countFound(any, turn));
  expect(found).toBeGreaterThan(splits.length / 4); // many columns of these trees are never missing
});

test("most leaves that are wrong are found", () => {
  const count = (model: Model) =>
    [...ensemble.leaves.keys()].filter((leaf) =>
      isFound(model, (trees) => ({ ...trees, leaves: trees.leaves.map((x, i) => (i === leaf ? x + 1 : x)) })),
    ).length;
  expect(count(chosen)).toBeGreaterThan(count(any));
  expect(count(chosen)).toBeGreaterThan(0.7 * ensemble.leaves.length);
});

test("a base, a weight of the stack, a linear weight, an LSTM's weight that is wrong is found", () => {
  expect(isFound(chosen, (trees) => ({ ...trees, base: trees.base + 1e-6 }))).toBe(true);
  const isRefused = (model: Model): boolean => {
    try {
      checkGolden(model, createWasmEngine(kernel, model), log);
      return false;
    } catch {
      return true;
    }
  };
  const { weights, intercept } = chosen.stack!;
  for (const m of weights.keys())
    expect(isRefused({ ...chosen, stack: { intercept, weights: weights.map((w, i) => (i === m ? w + 1e-6 : w)) } })).toBe(true);
  const linear = chosen.members[1] as Extract<Member, { kind: "linear" }>;
  for (let w = 0; w < linear.classifier.weights.length; w += 7) {
    const classifier = { ...linear.classifier, weights: linear.classifier.weights.map((weight, i) => (i === w ? weight + 1e-3 : weight)) };
    expect(
      isRefused({ ...chosen, members: chosen.members.map((member) => (member === linear ? { ...linear, classifier } : member)) }),
    ).toBe(true);
  }
});

test("without trees the inputs are those of the recipe alone, and the same seed gives the same inputs", () => {
  const linear = makeStack(kernel, { kinds: ["linear"] });
  expect(chooseGolden(linear, createRandom(5), instance)).toEqual(synthesiseGolden(linear.recipe, createRandom(5)));
  expect(chooseGolden(plain, createRandom(3), instance)).toEqual(chosen.golden.inputs);
});
