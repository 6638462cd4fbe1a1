// npm run quality [-- --only fx,order,… --n N --seeds 101,102 --out DIR --verbose]: how good the models are, on data whose truth is
// known and on real prices. Seeds 1 to 3 are for reporting, 101 to 103 (the default) for tuning: never look at the former while
// anything is tuned. With --out the made data sets are written as .npz for peer.py instead of trained on.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { score } from "../../../shared/model.ts";
import { writeWhole } from "../../../trainer/files/whole-files.ts";
import { describeNote } from "../../../trainer/pipeline/sentences.ts";
import { type TrainDependencies, type Trained, trainModel } from "../../../trainer/pipeline/train.ts";
import type { LabelledDataset } from "../../../trainer/readers/dataset.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";
import { makeSp500 } from "../../../trainer/sample/sp500.ts";
import { fitLogistic } from "../../../trainer/statistics/logistic.ts";
import { computeMetrics, recoveredInformation } from "../../../trainer/statistics/metrics.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";
import {
  counts,
  differenceHidden,
  differenceOnly,
  F,
  type Generated,
  heavyTails,
  lengthTells,
  mixedScales,
  orderOnly,
  T,
} from "./generators.ts";
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
};

const { values: given } = parseArgs({
  options: {
    only: { type: "string" },
    n: { type: "string" },
    seeds: { type: "string", default: "101,102,103" },
    out: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});
const names = given.only?.split(",") ?? [...Object.keys(MADE), "sp500", "direction"];
const unknown = names.find((name) => MADE[name] === undefined && name !== "sp500" && name !== "direction");
if (unknown !== undefined) throw new Error(`no data set ${unknown}: there are ${Object.keys(MADE).join(", ")}, sp500, direction`);
const seeds = given.seeds.split(",").map(Number);
const isReport = seeds.every((seed) => REPORTED_SEEDS.includes(seed));

const module = new WebAssembly.Module(readFileSync(new URL("../../../shared/kernel/inference.wasm", import.meta.url)));
const dependencies: TrainDependencies = {
  kernel: instantiateKernel(module),
  createEngine: (network, calibration) => createWasmEngine(module, network, calibration),
  createStepper: (data, options) => createTrainingStep(data, options),
  node: process.versions.node,
  onNote: (note) => given.verbose && console.error(`  ${describeNote(note, [])}`),
  onProgress: () => {},
  yieldToEventLoop: async () => {},
};

async function timedTraining(data: LabelledDataset, seed: number): Promise<Trained & { readonly seconds: number }> {
  const started = performance.now();
  const trained = await trainModel(data, { ...DEFAULTS, seed }, dependencies);
  const seconds = (performance.now() - started) / 1000;
  if (given.verbose)
    console.error(`  ${trained.channels.join(", ")}; best epoch ${trained.fit.bestEpoch} of ${trained.fit.history.length}`);
  return { ...trained, seconds };
}

function asDataset(name: string, part: Pick<Generated, "values" | "labels" | "features"> & Partial<Generated>): LabelledDataset {
  const shape = { timesteps: T, features: F };
  const facts = { source: name, name, sha256: "0".repeat(64), shape, float32: false, test: null };
  return { ...facts, ...part, probability: part.probability ?? null };
}

function print(cells: readonly (string | number)[]): void {
  const text = cells.map((cell) => (typeof cell === "number" ? cell.toFixed(4) : cell));
  console.log(text.map((cell, i) => (i === 0 ? cell.padEnd(26) : cell.padStart(12))).join(""));
}

interface Slopes {
  /** Of the least-squares line of logit p on logit q. */
  readonly plain: number;
  /** Of the line that minimises the cross-entropy (Cox 1958, the calibration slope): 1 where no correction of slope and intercept would help. */
  readonly cox: number;
  /**
   * The first again, with the mean of p among its neighbours for q, so for probabilities that nobody could calibrate better. Above 1
   * where q knows less than p does: honest averages of far-out p are less far out.
   */
  readonly calibrated: number;
}

/** Neighbours in q that share a mean. */
const NEIGHBOURS = 100;

/** All are 1 where q = p. */
function calibrationSlopes(p: ArrayLike<number>, q: ArrayLike<number>): Slopes {
  const logit = (x: number): number => Math.log(Math.max(2 ** -30, x) / Math.max(2 ** -30, 1 - x));
  const y = Array.from(p, logit);
  /** Newton's step from a line, with weights and residuals of its own. */
  const step = (
    x: readonly number[],
    weight: (z: number) => number,
    residual: (z: number, i: number) => number,
    line: readonly [number, number],
  ) => {
    let [a, b, aa, ab, bb] = [0, 0, 0, 0, 0];
    x.forEach((value, i) => {
      const z = line[0] * value + line[1];
      const w = weight(z);
      const e = residual(z, i);
      a += e * value;
      b += e;
      aa += w * value * value;
      ab += w * value;
      bb += w;
    });
    const determinant = aa * bb - ab * ab;
    return [line[0] + (bb * a - ab * b) / determinant, line[1] + (aa * b - ab * a) / determinant] as const;
  };
  const plainSlope = (x: readonly number[]): number => {
    const [slope] = step(
      x,
      () => 1,
      (z, i) => y[i] - z,
      [1, 0],
    );
    return slope;
  };
  const x = Array.from(q, logit);
  const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
  let line: readonly [number, number] = [1, 0];
  for (let k = 0; k < 10; k++)
    line = step(
      x,
      (z) => sigmoid(z) * (1 - sigmoid(z)),
      (z, i) => p[i] - sigmoid(z),
      line,
    );
  const order = x.map((_, i) => i).sort((i, j) => x[i] - x[j]);
  const averaged: number[] = new Array(x.length);
  for (let from = 0; from < order.length; from += NEIGHBOURS) {
    const group = order.slice(from, from + NEIGHBOURS);
    const mean = group.reduce((sum, i) => sum + p[i], 0) / group.length;
    for (const i of group) averaged[i] = logit(mean);
  }
  return { plain: plainSlope(x), cox: line[0], calibrated: plainSlope(averaged) };
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
    const { model, truth, fit, seconds } = await timedTraining(data, seed);
    const { test, baselines } = model.card;
    const { recovered, bayesLogLoss } = truth!;
    shares.push(recovered);
    const logistic = baselines["logistic regression"].logLoss;
    const epochs = `${fit.bestEpoch}/${fit.history.length}`;
    const fresh = make(FRESH, FRESH_SEED + seed);
    const scored = score(
      model,
      dependencies.createEngine(model.network, model.calibration),
      dependencies.kernel.log,
      fresh.values,
    ).probabilities;
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
  }
  print(["  minimum", Math.min(...shares)]);
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
      const figures = [own.logLoss, baselines["base rate"].logLoss, own.baseRateLogLoss, computeMetrics(future.labels, baseline).logLoss];
      figures.push(baselines["logistic regression"].logLoss);
      rows.push(figures);
      print([`  seed ${seed}, ${before.length}+${test.length} (${o + 1})`, ...figures, ` ${verdict.code}`, seconds.toFixed(1)]);
    }
    const mean = rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);
    print([`  seed ${seed}, mean`, ...mean]);
    const excess = rows.map((row) => row[0] - row[1]);
    print([`  over the base rate`, ...excess.map((x) => x.toFixed(4)), ` mean ${(mean[0] - mean[1]).toFixed(4)}`]);
  }
}

async function writeMade(folder: string): Promise<void> {
  for (const name of names.filter((name) => MADE[name] !== undefined))
    for (const seed of seeds) {
      const N = Number(given.n ?? MADE[name].n);
      const { values, labels, probability } = MADE[name].make(N, seed);
      const bytes = await encodeNpz({
        X: { data: values, shape: [N, T, F] },
        y: { data: labels, shape: [N] },
        probability: { data: probability, shape: [N] },
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
