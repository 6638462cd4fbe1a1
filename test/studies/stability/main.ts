// npm run stability [-- --what slopes,seeds,blind --only fx,counts --n 500 --seeds 20 --from 1]: whether the probabilities of `train` mean
// what they say, whether the seed decides, and whether labels that nothing tells are left alone. Data whose truth is known.
import { parseArgs } from "node:util";
import { generateFx } from "../../../trainer/sample/fx.ts";
import { mean, meanWithError } from "../../../trainer/statistics/descriptive.ts";
import { crossEntropy } from "../../../trainer/statistics/log-loss.ts";
import { calibrationSlopes, labelSlope } from "../quality/calibration-slopes.ts";
import { counts, differenceOnly, type Generated, lengthTells } from "../quality/generators.ts";
import { adjustedMean } from "./adjusted-mean.ts";
import { blindDrift, blindLabels } from "./blind.ts";
import { trainAndScore } from "./runs.ts";

type Make = (n: number, seed: number) => Generated;

/** Shapes of which 500 sequences teach something. */
const TOLD: Readonly<Record<string, Make>> = { fx: generateFx, difference: differenceOnly, counts, length: lengthTells };
/** Further sequences to measure on, of seeds that nobody trains with. */
const FRESH = 20_000;
const FRESH_SEED = 1_000_000;

const { values: given } = parseArgs({
  options: {
    what: { type: "string", default: "slopes,seeds,blind" },
    only: { type: "string", default: Object.keys(TOLD).join(",") },
    n: { type: "string", default: "500" },
    seeds: { type: "string", default: "20" },
    from: { type: "string", default: "1" },
  },
});
const N = Number(given.n);
const seeds = Array.from({ length: Number(given.seeds) }, (_, i) => Number(given.from) + i);
const wanted = given.only.split(",");
const unknown = wanted.find((name) => TOLD[name] === undefined);
if (unknown !== undefined) throw new Error(`no shape ${unknown}: there are ${Object.keys(TOLD).join(", ")}`);

/** The calibration slope of a model of each seed's data: its mean, how far the seeds stray, and what is left once their labels' chance is known. */
async function measureSlopes(name: string): Promise<void> {
  const slopes: number[] = [];
  const luck: number[] = [];
  for (const seed of seeds) {
    const made = TOLD[name](N, seed);
    const fresh = TOLD[name](FRESH, FRESH_SEED + seed);
    const scored = await trainAndScore(made, fresh, seed);
    slopes.push(calibrationSlopes(fresh.probability, scored).cox);
    luck.push(labelSlope(made.probability, made.labels) - 1);
    follow("slope", name, seed, slopes, `labels ${(1 + luck[luck.length - 1]).toFixed(4)}`);
  }
  const { mean: average, standardError } = meanWithError(slopes);
  const adjusted = seeds.length > 2 ? adjustedMean(slopes, luck) : undefined;
  print("slope", name, [
    `mean ${average.toFixed(3)} ± ${standardError.toFixed(3)}`,
    `${Math.min(...slopes).toFixed(3)} to ${Math.max(...slopes).toFixed(3)}`,
    ...[0.05, 0.1, 0.25].map((far) => `${slopes.filter((slope) => Math.abs(slope - 1) > far).length} beyond ±${far}`),
    ...(adjusted
      ? [`labels ${(1 + mean(luck)).toFixed(3)}, at labels of slope 1 ${adjusted.mean.toFixed(3)} ± ${adjusted.standardError.toFixed(3)}`]
      : []),
  ]);
}

/** The log loss of models of the same data, of seeds of their own. */
async function measureSeeds(name: string): Promise<void> {
  const made = TOLD[name](N, FRESH_SEED - 1);
  const fresh = TOLD[name](FRESH, FRESH_SEED);
  const losses: number[] = [];
  for (const seed of seeds) {
    losses.push(meanCrossEntropy(fresh.probability, await trainAndScore(made, fresh, seed)));
    follow("seed", name, seed, losses);
  }
  const { mean: average, standardError } = meanWithError(losses);
  print("seed", name, [
    `log loss ${average.toFixed(4)}`,
    `standard deviation ${(standardError * Math.sqrt(losses.length)).toFixed(4)}`,
    `${Math.min(...losses).toFixed(4)} to ${Math.max(...losses).toFixed(4)}`,
  ]);
}

/** What a model of labels that nothing tells loses against the training part's base rate, on what comes after it. */
async function measureBlind(name: string, make: Make, split: "auto" | "time"): Promise<void> {
  const excess: number[] = [];
  for (const seed of seeds) {
    const all = make(2 * N, seed);
    const [made, fresh] = [0, 1].map((half) => halfOf(all, half));
    const rate = mean(made.labels);
    const scored = await trainAndScore(made, fresh, seed, split);
    excess.push(
      meanCrossEntropy(fresh.probability, scored) -
        meanCrossEntropy(
          fresh.probability,
          scored.map(() => rate),
        ),
    );
    follow("blind", name, seed, excess);
  }
  const { mean: average, standardError } = meanWithError(excess);
  print("blind", name, [
    `over the base rate ${average.toFixed(4)} ± ${standardError.toFixed(4)}`,
    `${Math.min(...excess).toFixed(4)} to ${Math.max(...excess).toFixed(4)}`,
    `${excess.filter((nats) => nats > 0.01).length} beyond 0.01`,
  ]);
}

/** The first or the second half of the sequences. */
function halfOf({ values, labels, probability, features }: Generated, half: number): Generated {
  const part = <A extends Float64Array | Uint8Array>(array: A): A =>
    array.slice((half * array.length) / 2, ((half + 1) * array.length) / 2) as A;
  return { values: part(values), labels: part(labels), probability: part(probability), features };
}

function meanCrossEntropy(p: Float64Array, q: ArrayLike<number>): number {
  return p.reduce((sum, own, n) => sum + crossEntropy(own, q[n]), 0) / p.length;
}

/** Says on stderr how far a long study is. */
function follow(what: string, name: string, seed: number, values: readonly number[], ...beside: readonly string[]): void {
  console.error([`${what} ${name}, N ${N}, seed ${seed}: ${values[values.length - 1].toFixed(4)}`, ...beside].join(", "));
}

function print(what: string, name: string, cells: readonly string[]): void {
  console.log(`${what.padEnd(6)} ${name.padEnd(11)} N ${String(N).padEnd(6)} ${seeds.length} seeds: ${cells.join("; ")}`);
}

for (const what of given.what.split(",")) {
  if (what === "slopes") for (const name of wanted) await measureSlopes(name);
  else if (what === "seeds") for (const name of wanted) await measureSeeds(name);
  else if (what === "blind") {
    await measureBlind("labels", blindLabels, "auto");
    await measureBlind("drift", blindDrift, "time");
  } else throw new Error(`--what is ${what}, expected slopes, seeds or blind`);
}
