// The feature search where numbers are missing, on networks that know what the test wants.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { instantiateKernel } from "../../../shared/engine.ts";
import { applyRecipe } from "../../../shared/recipe/apply.ts";
import type { Channel } from "../../../shared/recipe/channel.ts";
import { fitRecipe } from "../../../shared/recipe/fit.ts";
import { studyFeatures } from "../../../trainer/features/facts.ts";
import { searchChannels } from "../../../trainer/features/search.ts";
import type { SearchStep } from "../../../trainer/features/search-state.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import type { CreateStepper } from "../../../trainer/training/stepper.ts";

const [N, T, F] = [600, 4, 2];
const SHAPE = { timesteps: T, features: F };
const FEATURES = ["a", "b"];
const { log } = instantiateKernel(new WebAssembly.Module(readFileSync(new URL("../../../shared/kernel/inference.wasm", import.meta.url))));
const ORDER = Int32Array.from({ length: N }, (_, n) => n);
const [TRAIN, VALIDATION] = [ORDER.subarray(0, 500), ORDER.subarray(500)];

/** The label tells of a − b in the last row; `share` of the numbers are missing. */
function makeData(share: number): { values: Float64Array; labels: Uint8Array } {
  const random = createRandom(47);
  const values = Float64Array.from({ length: N * T * F }, () => 3 + random.normal());
  const labels = Uint8Array.from(ORDER, (n) => Number(values[(n + 1) * T * F - 2] - values[(n + 1) * T * F - 1] + random.normal() > 0));
  return { values: values.map((x) => (random.uniform() < share ? Number.NaN : x)), labels };
}

const levelOf = (a: number): Channel => ({ base: "feature", a, view: "level", whereObserved: true });

/** Steps and channels of a search whose network is so certain: of both levels where observed, of a difference `alone`, and 1.5 of it beside others. */
async function searchWith(share: number, observed: number, alone = 1.5): Promise<{ steps: SearchStep[]; channels: readonly Channel[] }> {
  const { values, labels } = makeData(share);
  const gaps = share > 0 ? [0, 1] : undefined;
  const difference: Channel = { base: "difference", a: 0, b: 1, view: "level", ...(gaps && { medianFilled: true as const }) };
  const known = gaps ? [difference, levelOf(0), levelOf(1)] : [difference];
  const plan = { timesteps: T, features: FEATURES, padding: "leading", gaps, channels: known, standardise: true } as const;
  const reference = applyRecipe(fitRecipe(plan, values, TRAIN, log), values, log).channels;
  const createKnowing: CreateStepper = (data, { channels: C }) => {
    const isThere = (k: number): boolean =>
      Array.from({ length: C }, (_, c) => c).some((c) =>
        ORDER.every((n) => data.channels[n * T * C + c] === reference[n * T * known.length + k]),
      );
    const certainty = C === 2 && isThere(1) && isThere(2) ? observed : isThere(0) ? (C === 1 ? alone : 1.5) : 0;
    return {
      simdPath: "stub",
      step: () => Math.LN2,
      logits: (indices) => Float32Array.from(indices, (n) => (labels[n] === 1 ? certainty : -certainty)),
      getParameters: () => new Float32Array(0),
      setParameters: () => {},
      getOptimizer: () => ({ steps: 0, moments: new Float32Array(0) }),
      setOptimizer: () => {},
      dispose: () => {},
    };
  };
  const steps: SearchStep[] = [];
  const { channels } = await searchChannels(
    {
      padding: "leading",
      gap: 0,
      areStrangers: true,
      log,
      seed: 1,
      yieldToEventLoop: async () => {},
      values,
      labels,
      shape: SHAPE,
      features: FEATURES,
      ...(gaps && { gaps }),
      train: TRAIN,
      validation: VALIDATION,
      createStepper: createKnowing,
    },
    studyFeatures(values, SHAPE, TRAIN, "leading"),
    { onStep: (step) => steps.push(step) },
  );
  return { steps, channels };
}

test.each([
  ["as well as on two channels", 1.5, 1],
  ["better than on the difference alone", 3, 1.5],
])("levels where observed take the place of a difference that hides its gaps, where a network does %s", async (_, observed, alone) => {
  const { steps, channels } = await searchWith(0.3, observed, alone);
  expect(steps.map(({ code }) => code)).toContain("observed-levels-instead");
  expect(channels).toEqual([levelOf(0), levelOf(1)]);
});

test.each([
  ["worse", 1.2, 1],
  ["no better, with more channels,", 1.5, 1.5],
])("the difference stays where a network does %s on levels where observed", async (_, observed, alone) => {
  expect((await searchWith(0.3, observed, alone)).steps.map(({ code }) => code)).not.toContain("observed-levels-instead");
});

test("on complete data there are no such levels to try", async () => {
  const { steps, channels } = await searchWith(0, 3);
  expect(steps.map(({ code }) => code)).not.toContain("observed-levels-instead");
  expect(channels).toEqual([{ base: "difference", a: 0, b: 1, view: "level" }]);
});
