// Which learners a stack has, by the number of sequences and by the columns that there are.
import { expect, test, vi } from "vitest";
import type { TabularPlan } from "../../../shared/recipe/tabular.ts";
import { columnsOf } from "../../../shared/recipe/tabular.ts";
import { planView } from "../../../trainer/features/view-plan.ts";
import type { TreesLearner } from "../../../trainer/learners/trees/trees.ts";
import { LEARNER_NAMES } from "../../../trainer/pipeline/cross-fit.ts";
import { createStackLearners } from "../../../trainer/pipeline/stack-learners.ts";

const PLAN: TabularPlan = planView({ timesteps: 4, moving: [0], positive: [], channels: [] });
const V = columnsOf(PLAN).length;

function listLearners(examples: number, wanted = LEARNER_NAMES.filter((name) => name.includes("trees"))) {
  const dispose = vi.fn();
  const createTrees = vi.fn((): TreesLearner => ({ dispose }) as never);
  const columns = Float64Array.from({ length: 2 * V }, (_, i) => i);
  const view = { channels: new Float32Array(8), lengths: Int32Array.of(4, 4), timesteps: 4, names: ["x"], columns, columnNames: [] };
  const tabular = { ...PLAN, floor: new Float64Array(3), mean: new Float64Array(1) };
  const given = { view, tabular, channels: [], targets: [], settingsFor: () => ({}) as never, examples, wanted };
  const learners = createStackLearners(given, { createTrees } as never);
  learners.dispose();
  expect(dispose).toHaveBeenCalledTimes(createTrees.mock.calls.length);
  return { names: learners.fitters.map(({ name }) => name), opened: createTrees.mock.calls.length };
}

test("greedy trees are learnt of more than 900 sequences, on the bins of the trees", () => {
  expect(listLearners(900)).toEqual({ names: ["trees", "quantile trees"], opened: 2 });
  expect(listLearners(901)).toEqual({ names: ["trees", "greedy trees", "quantile trees"], opened: 2 });
  expect(listLearners(900, ["greedy trees"])).toEqual({ names: [], opened: 0 });
});
