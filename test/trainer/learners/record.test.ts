// Every learner goes on from what it has recorded, through the disk's bytes, to the bits of a fit that was not left.
import { deserialize, serialize } from "node:v8";
import { expect, test } from "vitest";
import { createWasmEngine } from "../../../shared/engine.ts";
import type { Learner, View } from "../../../trainer/learners/learner.ts";
import { createLinearLearner } from "../../../trainer/learners/linear/linear.ts";
import { createLstmLearner } from "../../../trainer/learners/lstm/lstm-learner.ts";
import { chooseSettings } from "../../../trainer/learners/lstm/settings.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { learnerOf, range, splitRows } from "./trees/tables.ts";

const N = 200;
const random = createRandom(5);
const view: View = {
  channels: Float32Array.from({ length: N * 3 * 2 }, () => random.normal()),
  lengths: new Int32Array(N).fill(3),
  timesteps: 3,
  names: ["a", "b"],
  columns: Float64Array.from({ length: N * 4 }, () => random.normal()),
  columnNames: ["p", "q", "r", "s"],
};
const labels = Uint8Array.from(range(N), (n) => Number(view.columns[4 * n] + view.channels[6 * n] > 0));
const rows = splitRows(N);

/** An LSTM that is left before the training of epoch `leftAt` ends. */
function lstm(leftAt: number, steppers = { made: 0 }) {
  let turns = 0;
  return createLstmLearner(
    { targets: [{ teacher: "none", distillationWeight: 0 }], settingsFor: (n) => ({ ...chooseSettings(n), units: 3, epochs: 5 }) },
    {
      createStepper: (data, options) => {
        steppers.made++;
        return createTrainingStep(data, { ...options, threads: 1 });
      },
      createEngine: (predictor) => createWasmEngine(kernel, predictor),
      async yieldToEventLoop() {
        if (++turns === leftAt) throw new Error("left");
      },
    },
  );
}

/** What a fit records, as it comes back from the disk. */
async function recordOf<Own, Settings>(learner: Learner<Own, Settings>, from?: unknown) {
  const states: Uint8Array[] = [];
  const record = { from, save: (state: unknown) => void states.push(serialize(state)) };
  const path = await learner.fit(view, labels, rows, learner.settings(160)[0], 1, record).catch((error: Error) => error);
  return { path, last: states.length === 0 ? undefined : deserialize(states[states.length - 1]) };
}

test("the LSTM goes on after the last epoch that ended, and an ended fit trains nothing", async () => {
  const whole = await lstm(0).fit(view, labels, rows, lstm(0).settings(160)[0], 1);
  const left = await recordOf(lstm(4)); // three epochs of one turn each have ended
  expect(left.path).toEqual(new Error("left"));
  expect(left.last.losses.length).toBe(3);
  const again = await recordOf(lstm(0), left.last);
  for (const path of [again.path, (await recordOf(lstm(1), again.last)).path]) {
    if (path instanceof Error) throw path;
    expect(path.losses).toEqual(whole.losses);
    for (const step of [0, 2, 3, 4]) expect(path.at(step)).toEqual(whole.at(step));
  }
  const steppers = { made: 0 };
  await recordOf(lstm(0, steppers), again.last);
  expect(steppers.made).toBe(0);
});

test.each([
  ["linear", () => createLinearLearner([{ name: "all", columns: [0, 1, 2, 3] }])],
  ["trees", () => learnerOf()],
] as const)("%s: an ended fit is taken as it is", async (_, make) => {
  const learner = make() as Learner<object, object>;
  const { path: whole, last } = await recordOf(learner);
  const { path, last: news } = await recordOf(make() as Learner<object, object>, last);
  if (path instanceof Error || whole instanceof Error) throw path;
  expect(path.losses).toEqual(whole.losses);
  for (const step of [0, 3, 100]) expect(path.at(step)).toEqual(whole.at(step));
  if (news !== undefined) expect(news).toEqual(last);
  const poor = { losses: [7], path: [], trees: [], base: 1 };
  if (!("dispose" in learner)) return;
  const { path: other } = await recordOf(make() as Learner<object, object>, poor);
  expect((other as typeof path).losses).toEqual(Float64Array.of(7)); // what is recorded is not computed
});
