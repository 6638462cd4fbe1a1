// npm run quality [-- --only fx,order,… --n N --seeds 101,102 --learner auto|lstm|… --out DIR --verbose]: how good the models are, on data
// whose truth is known and on real prices. Seeds 1 to 3 are for reporting, 101 to 103 (the default) for tuning: never look at the former while
// anything is tuned. Data with gaps are run by name alone, order-30 and the like. With --out the synthetic data sets are written as .npz for peer.py instead of trained on.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { score } from "../../../shared/model.ts";
import { countStatics } from "../../../shared/recipe/inputs.ts";
import { dropLastFeature } from "../../../trainer/data/clock.ts";
import { writeWhole } from "../../../trainer/files/whole-files.ts";
import { createTrees } from "../../../trainer/learners/trees/trees.ts";
import type { TrainNote } from "../../../trainer/pipeline/note.ts";
import { describeNote } from "../../../trainer/pipeline/sentences.ts";
import { LEARNERS, type TrainDependencies, type Trained, trainModel } from "../../../trainer/pipeline/train.ts";
import type { LabelledDataset } from "../../../trainer/readers/dataset.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";
import { makeSp500 } from "../../../trainer/sample/sp500.ts";
import { mean } from "../../../trainer/statistics/descriptive.ts";
import { fitLogistic } from "../../../trainer/statistics/logistic.ts";
import { computeMetrics, recoveredInformation } from "../../../trainer/statistics/metrics.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";
import { calibrationSlopes } from "./calibration-slopes.ts";
import { fillByMean, removeNumbers } from "./gaps.ts";
import {
  bursts,
  counts,
  differenceHidden,
  differenceOnly,
  F,
  type Generated,
  heavyTails,
  lengthTells,
  mixedScales,
  orderOnly,
  owners,
  speeds,
  T,
} from "./generators.ts";
import { meanMovements } from "./movements.ts";
import { cutAtOrigins, labelDirection, logRange, ORIGINS } from "./prices.ts";

const SIZE = T * F;
/** As `quickstep train` has them. */
const DEFAULTS = { split: "auto", horizon: 1, recipe: "auto" } as const;
const REPORTED_SEEDS = [1, 2, 3];
/** Further sequences to measure on, of a seed that nobody trains with. */
const FRESH = 20_000;
const FRESH_SEED = 1_000_000;

const MADE: Record<string, { readonly n: number; readonly make: (n: number, seed: number) => Generated }> = {
  fx: { n: 100_000, make: generateFx },
  order: { n: 40_000, make: orderOnly },
  difference: { n: 40_000, make: differenceOnly },
  counts: { n: 40_000, make: counts },
  hidden: { n: 40_000, make: differenceHidden },
  scales: { n: 10_000, make: mixedScales },
  tails: { n: 10_000, make: heavyTails },
  length: { n: 10_000, make: lengthTells },
  bursts: { n: 100_000, make: bursts },
  clock: { n: 20_000, make: speeds },
  static: { n: 20_000, make: owners },
  ...withGaps({ order: orderOnly, difference: differenceOnly, counts, scales: mixedScales, tails: heavyTails }),
};

/** `order-30`: 30 % of the numbers missing at random; `order-30y`: so that the label shows; `-mean`: filled by the mean, as the peer does. */
function withGaps(makers: Record<string, (n: number, seed: number) => Generated>): typeof MADE {
  const made: typeof MADE = {};
  for (const [name, make] of Object.entries(makers))
    for (const percent of [10, 30, 50])
      for (const dependsOnLabel of [false, true]) {
        const remove = (n: number, seed: number): Generated =>
          removeNumbers(make(n, seed), { share: percent / 100, dependsOnLabel }, seed + 7);
        const title = `${name}-${percent}${dependsOnLabel ? "y" : ""}`;
        made[title] = { n: 20_000, make: remove };
        made[`${title}-mean`] = { n: 20_000, make: (n, seed) => fillByMean(remove(n, seed)) };
      }
  return made;
}

const { values: given } = parseArgs({
  options: {
    only: { type: "string" },
    n: { type: "string" },
    seeds: { type: "string", default: "101,102,103" },
    learner: { type: "string", default: "auto" },
    out: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});
const names = given.only?.split(",") ?? [...Object.keys(MADE).filter((name) => !name.includes("-")), "sp500", "direction"];
const unknown = names.find((name) => MADE[name] === undefined && name !== "sp500" && name !== "direction");
if (unknown !== undefined) throw new Error(`no data set ${unknown}: there are ${Object.keys(MADE).join(", ")}, sp500, direction`);
const seeds = given.seeds.split(",").map(Number);
const learner = LEARNERS.find((name) => name === given.learner);
if (learner === undefined) throw new Error(`no learner ${given.learner}: there are ${LEARNERS.join(", ")}`);
const isReport = seeds.every((seed) => REPORTED_SEEDS.includes(seed));

const module = new WebAssembly.Module(readFileSync(new URL("../../../shared/kernel/inference.wasm", import.meta.url)));
const dependencies: Omit<TrainDependencies, "onNote"> = {
  kernel: instantiateKernel(module),
  createEngine: (predictor) => createWasmEngine(module, predictor),
  createStepper: (data, options) => createTrainingStep(data, options),
  createTrees: (options) => createTrees(options),
  node: process.versions.node,
  onProgress: () => {},
  yieldToEventLoop: async () => {},
};

async function timedTraining(data: LabelledDataset, seed: number): Promise<Trained & { readonly seconds: number }> {
  const started = performance.now();
  const onNote = (note: TrainNote): void => {
    if (given.verbose) console.error(`  ${describeNote(note, data.features)}`);
  };
  const trained = await trainModel(data, { ...DEFAULTS, learner, seed }, { ...dependencies, onNote });
  const seconds = (performance.now() - started) / 1000;
  if (given.verbose)
    console.error(
      `  ${trained.channels.join(", ")}; best epoch ${trained.model.card.training.bestEpoch} of ${trained.model.card.training.epochs}`,
    );
  return { ...trained, seconds };
}

function asDataset(name: string, part: Pick<Generated, "values" | "labels" | "features"> & Partial<Generated>): LabelledDataset {
  const statics = countStatics(part.inputs ?? []);
  const shape = { timesteps: T, features: F, ...(part.clock && { clock: part.clock }), ...(statics > 0 && { statics }) };
  const facts = { source: name, name, sha256: "0".repeat(64), shape, float32: false, test: null };
  return { ...facts, ...part, probability: part.probability ?? null };
}

function print(cells: readonly (string | number)[]): void {
  const text = cells.map((cell) => (typeof cell === "number" ? cell.toFixed(4) : cell));
  console.log(text.map((cell, i) => (i === 0 ? cell.padEnd(26) : cell.padStart(12))).join(""));
}

/** `recovered` on the run's own test part, and the same on fresh sequences, which are more. */
async function measureMade(name: string): Promise<void> {
  const { n, make } = MADE[name];
  print([
    name,
    "recovered",
    "fresh",
    "plain slope",
    "at best",
    "Cox slope",
    "log loss",
    "base rate",
    "Bayes",
    "logistic",
    "epochs",
    "seconds",
  ]);
  const shares: number[] = [];
  for (const seed of seeds) {
    const data = asDataset(name, make(Number(given.n ?? n), seed));
    const { model, truth, seconds } = await timedTraining(data, seed);
    const { test, baselines } = model.card;
    const { recovered, bayesLogLoss } = truth!;
    shares.push(recovered);
    const logistic = baselines["logistic regression"].logLoss;
    const epochs = `${model.card.training.bestEpoch}/${model.card.training.epochs}`;
    const fresh = makeFresh(name, seed);
    const values = fresh.clock && !model.recipe.clock ? dropLastFeature(fresh.values, F) : fresh.values;
    const scored = score(model, dependencies.createEngine(model), dependencies.kernel.log, values).probabilities;
    const again = recoveredInformation(fresh.probability, scored);
    const { plain, calibrated, cox } = calibrationSlopes(fresh.probability, scored);
    print([
      `  seed ${seed}`,
      recovered,
      again,
      plain,
      calibrated,
      cox,
      test.logLoss,
      test.baseRateLogLoss,
      bayesLogLoss,
      logistic,
      epochs,
      seconds.toFixed(1),
    ]);
    if (name === "bursts") print(["  logistic on mean |Δ|", "", recoverByMovements(data, fresh)]);
  }
  print(["  minimum", Math.min(...shares)]);
}

function makeFresh(name: string, seed: number): Generated {
  return MADE[name].make(FRESH, FRESH_SEED + seed);
}

/** What a logistic regression on each feature's mean absolute movement recovers of `fresh`. */
function recoverByMovements(data: Pick<LabelledDataset, "values" | "labels">, fresh: Generated): number {
  const { predict } = fitLogistic(meanMovements(data.values), data.labels, { l2: 1 });
  return recoveredInformation(fresh.probability, predict(meanMovements(fresh.values)));
}

/** The model at every origin, beside the base rate and logistic regression on log range. */
async function measurePrices(name: "sp500" | "direction"): Promise<void> {
  const sample = makeSp500();
  const labels = name === "sp500" ? sample.labels : labelDirection(sample.values);
  const origins = isReport ? ORIGINS.reporting : ORIGINS.tuning;
  console.log(`${name}, ${origins.length - 1} rolling ${isReport ? "reporting" : "tuning"} origins`);
  print(["  origin", "log loss", "base rate", "own rate", "log range", "logistic", "verdict", "seconds"]);
  for (const seed of seeds) {
    const rows: number[][] = [];
    for (const [o, { before, test }] of cutAtOrigins(labels.length, origins).entries()) {
      const part = (indices: Int32Array) => ({
        values: Float64Array.from([...indices].flatMap((n) => Array.from(sample.values.subarray(n * SIZE, (n + 1) * SIZE)))),
        labels: Uint8Array.from(indices, (n) => labels[n]),
        features: sample.features,
        probability: null,
      });
      const [past, future] = [part(before), part(test)];
      const { model, verdict, seconds } = await timedTraining(
        { ...asDataset(name, { ...past, probability: undefined }), test: future },
        seed,
      );
      const baseline = fitLogistic(logRange(past.values), past.labels, { l2: 1 }).predict(logRange(future.values));
      const { test: own, baselines } = model.card;
      const losses = [own.logLoss, baselines["base rate"].logLoss, own.baseRateLogLoss, computeMetrics(future.labels, baseline).logLoss];
      losses.push(baselines["logistic regression"].logLoss);
      rows.push(losses);
      print([`  seed ${seed}, ${before.length}+${test.length} (${o + 1})`, ...losses, ` ${verdict.code}`, seconds.toFixed(1)]);
    }
    const means = rows[0].map((_, i) => mean(rows.map((row) => row[i])));
    print([`  seed ${seed}, mean`, ...means]);
    const excess = rows.map((row) => row[0] - row[1]);
    print([`  over the base rate`, ...excess.map((x) => x.toFixed(4)), ` mean ${(means[0] - means[1]).toFixed(4)}`]);
  }
}

async function writeMade(folder: string): Promise<void> {
  for (const name of names.filter((name) => MADE[name] !== undefined))
    for (const seed of seeds) {
      const N = Number(given.n ?? MADE[name].n);
      const { values, labels, probability } = MADE[name].make(N, seed);
      const fresh = makeFresh(name, seed);
      const bytes = await encodeNpz({
        X: { data: values, shape: [N, T, F] },
        y: { data: labels, shape: [N] },
        probability: { data: probability, shape: [N] },
        fresh: { data: fresh.values, shape: [FRESH, T, F] },
        freshProbability: { data: fresh.probability, shape: [FRESH] },
      });
      writeWhole(join(folder, `${name}-${seed}.npz`), bytes);
    }
}

if (given.out !== undefined) await writeMade(given.out);
else {
  console.log(`seeds ${seeds.join(", ")}: ${isReport ? "for reporting; tune nothing by these" : "for tuning"}`);
  for (const name of names) {
    if (name === "sp500" || name === "direction") await measurePrices(name);
    else await measureMade(name);
  }
}
