// How much of what can be learnt the baseline setup learns, and the same with the fix: measured against the known probability, by
// training both. Independent of what the diagnosis does. Legend: N sequences, T steps, C channels, F features.
import { readFileSync } from "node:fs";
import { instantiateKernel } from "../../../shared/engine.ts";
import { applyRecipe } from "../../../shared/recipe/apply.ts";
import { fitRecipe } from "../../../shared/recipe/fit.ts";
import type { Plan } from "../../../shared/recipe/recipe.ts";
import { type BaselineSetup, parseBaselineSetup } from "../../../trainer/diagnosis/setup.ts";
import { mean } from "../../../trainer/statistics/descriptive.ts";
import { logLossesOfLogits } from "../../../trainer/statistics/log-loss.ts";
import { recoveredInformation } from "../../../trainer/statistics/metrics.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { flattenNetwork, initialNetwork } from "../../../trainer/training/parameters.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";
import type { Planted } from "./planted.ts";

const module = new WebAssembly.Module(readFileSync(new URL("../../../shared/kernel/inference.wasm", import.meta.url)));
export const kernel = instantiateKernel(module);

const TRAIN = 0.7;
/** Whoever does not say for how long trained until ten epochs brought nothing, or this many. */
const EPOCHS = 60;
const PATIENCE = 10;
const STREAM = { split: 50, weights: 51, order: 1000 };

export interface Recovery {
  /** Shares of what can be learnt, 1 for all. */
  readonly baseline: number;
  readonly fixed: number;
  /** The share of what the fix recovers that is lost without it. */
  readonly lost: number;
}

/** Trains the baseline setup, and the same with the fix. Undefined where no fix is known. */
export function measureRecovery({ data, probability, baseline, fix }: Planted, seed: number): Recovery | undefined {
  if (fix === undefined) return undefined;
  const before = parseBaselineSetup(baseline);
  const after = parseBaselineSetup(fix.setup ?? baseline);
  const share = (plan: Plan, settings: BaselineSetup): number => recoveredShare(data, probability, plan, settings, seed);
  const without = share(levelsOf(data, before), before);
  const fixed = share(fix.plan ?? levelsOf(data, after), after);
  return { baseline: without, fixed, lost: 1 - without / fixed };
}

/** Every feature as it is, as the words of --tried read the rows. */
function levelsOf({ shape, features }: Planted["data"], { scaled, masked }: BaselineSetup): Plan {
  const channels = features.map((_, a) => ({ base: "feature", a, view: "level" }) as const);
  return { timesteps: shape.timesteps, features, padding: masked ? "any" : "none", channels, standardise: scaled };
}

function recoveredShare(data: Planted["data"], probability: Float64Array, plan: Plan, baseline: BaselineSetup, seed: number): number {
  const N = data.labels.length;
  const order = Int32Array.from({ length: N }, (_, n) => n);
  createRandom(seed, STREAM.split).shuffle(order);
  const train = order.slice(0, Math.round(TRAIN * N));
  const heldOut = order.slice(train.length);
  const channels = applyRecipe(fitRecipe(plan, data.values, train, kernel.log), data.values, kernel.log);
  const labels = Uint8Array.from(data.labels);
  const C = plan.channels.length;
  const { units, batch, optimizer, learningRate } = baseline;
  const stepper = createTrainingStep(
    { ...channels, labels },
    { channels: C, timesteps: plan.timesteps, units, maxBatch: batch, optimizer, threads: 1 },
  );
  try {
    stepper.setParameters(
      flattenNetwork(initialNetwork(C, units, mean(Array.from(train, (n) => labels[n])), createRandom(seed, STREAM.weights))),
    );
    let best = { epoch: 0, loss: Infinity, logits: stepper.logits(heldOut) };
    for (let epoch = 1; epoch <= (baseline.epochs ?? EPOCHS); epoch++) {
      createRandom(seed, STREAM.order + epoch).shuffle(train);
      for (let at = 0; at < train.length; at += batch) stepper.step(train.subarray(at, at + batch), learningRate);
      if (baseline.epochs !== undefined && epoch < baseline.epochs) continue;
      const logits = stepper.logits(heldOut);
      const loss = mean(logLossesOfLogits(labels, logits, heldOut));
      if (loss < best.loss || baseline.epochs !== undefined) best = { epoch, loss, logits };
      if (epoch - best.epoch >= PATIENCE) break;
    }
    const scores = Float64Array.from(best.logits, (logit) => 1 / (1 + Math.exp(-logit)));
    return recoveredInformation(
      Float64Array.from(heldOut, (n) => probability[n]),
      scores,
    );
  } finally {
    stepper.dispose();
  }
}
