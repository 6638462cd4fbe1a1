// Explanations of a stack: what is left out is left out of every member.
import { expect, test } from "vitest";
import { explain } from "../../../edge/scoring/occlusion.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { type Model, score } from "../../../shared/model.ts";
import { computeColumns } from "../../../shared/recipe/columns.ts";
import { fitView } from "../../../shared/recipe/fit.ts";
import { columnsOf, type TabularPlan } from "../../../shared/recipe/tabular.ts";
import { kernel, seriesColumns } from "../../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../../fixtures/model.ts";
import { makeLinear, makeStack, makeTrees } from "../../fixtures/stack.ts";

const { log } = instantiateKernel(kernel);
const values = makeSequences(3, 10, 5, 8, 6);

function ready(model: Model) {
  return { model, engine: createWasmEngine(kernel, model), log, format: "quickstep/2" };
}

/** Trees and a linear member on the levels of five features, their changes and statistics: nothing looks at two features. */
function levelsAlone(): Model {
  const plain = makeModel(kernel);
  const everyone = [0, 1, 2, 3, 4];
  const plan: TabularPlan = {
    series: everyone.map((a) => ({ base: "feature", a, view: "level" })),
    width: 1,
    parts: 10,
    blocks: [{ kind: "length" }, { kind: "steps", series: everyone }, { kind: "statistics", series: everyone }],
  };
  const data = makeSequences(300, 10, 5, 6);
  const view = fitView(
    plan,
    plain.recipe,
    data,
    Array.from({ length: 300 }, (_, n) => n),
    log,
  );
  const V = columnsOf(view).length;
  const columns = computeColumns(view, plain.recipe, data, log, seriesColumns);
  return {
    ...plain,
    view,
    members: [
      { kind: "trees", ensemble: makeTrees(columns, V, { trees: 200 }) },
      { kind: "linear", classifier: makeLinear(columns, V) },
    ],
    stack: { weights: [0.5, 0.75], intercept: 0 },
  };
}

test("on levels alone, leaving out a row or a feature is scoring the sequence with its training means there", () => {
  const model = levelsAlone();
  const own = values.slice(50, 100);
  const { steps, features } = explain(ready(model), values, 1);
  const logitOf = (edited: Float64Array): number => {
    const [p] = score(model, createWasmEngine(kernel, model), log, edited).probabilities;
    return Math.log(p) - Math.log(1 - p);
  };
  const first = steps.findIndex((change) => change !== null);
  expect(first).toBeGreaterThan(0);
  for (let t = first; t < 10; t++) {
    const edited = own.slice();
    edited.set(model.view!.mean, t * 5);
    expect(steps[t]).toBeCloseTo(logitOf(own) - logitOf(edited), 5); // a float32 probability has some six digits of its logit
  }
  for (let f = 0; f < 5; f++) {
    const edited = own.map((x, i) => (i % 5 === f && Math.floor(i / 5) >= first ? model.view!.mean[f] : x));
    expect(features[f]).toBeCloseTo(logitOf(own) - logitOf(edited), 5);
  }
  expect(new Set([...steps.slice(first), ...features]).size).toBeGreaterThan(6);
});

test("a member on channels and one on columns are both explained: the changes of a stack are not those of either", () => {
  const stack = makeStack(kernel, { kinds: ["lstm", "trees"] });
  const [lstm, trees] = stack.members;
  const [both, networks, forest] = [
    stack,
    { ...stack, members: [lstm], stack: { weights: [0.5], intercept: 0 } },
    { ...stack, members: [trees], stack: { weights: [0.5], intercept: 0 } },
  ].map((model) => explain(ready(model), values, 0).features);
  for (const alone of [networks, forest]) expect(alone.some((change) => change !== 0)).toBe(true);
  expect(both).not.toEqual(networks);
  expect(both).not.toEqual(forest);
});
