// Synthetic data with a known truth: sequences like exchange rates, whose label depends on movements a network does not see in the raw
// numbers. Features 0 and 1 stand on a large offset and move by 1e-5 to 1e-3 a step; feature 2 has real zeros; feature 4 is
// feature 3 plus 0.00875 times feature 2. Legend: N sequences, T steps, F features.
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";

export interface FxSample {
  /** (N,10,5), zero rows in front */
  readonly values: Float64Array;
  /** (N) 0 or 1, drawn from `probability` */
  readonly labels: Uint8Array;
  /** (N) what nobody can beat */
  readonly probability: Float64Array;
  readonly features: readonly string[];
}

const T = 10;
const F = 5;

/** What one movement weighs, the latest first; older ones are forgotten. */
const WEIGHTS = [1, 0.8, 0.65, 0.5, 0.4];
/** A step of the two prices in calm and wild markets alike: half to twice this. */
const STEP = [5e-5, 2e-4];
/** Feature 1 pulls the other way. */
const DIRECTION = [1, -0.7];
/** Where feature 2 is zero, the step's movement counts half: what a linear model cannot see. Logistic regression on levels and deltas recovers 0.92. */
const QUIET = 0.5;
/** Found once over 4,000,000 sequences, to give a positive rate of 0.2505 and a mean entropy of 0.42 nats. */
const INTERCEPT = -1.535;
const SLOPE = 0.801;

/** N sequences: a third of all rows is padding, lengths are 1 to 10. Pure: the same seed gives the same bits on every host. */
export function generateFx(N: number, seed: number): FxSample {
  const random = createRandom(seed, STREAMS.generatedData);
  const values = new Float64Array(N * T * F);
  const labels = new Uint8Array(N);
  const probability = new Float64Array(N);
  for (let n = 0; n < N; n++) {
    const length = random.integer(3) === 0 ? T : 1 + random.integer(T - 1);
    const first = T - length;
    const spread = 0.5 + 1.5 * random.uniform();
    const price = [1.25 + 0.02 * random.normal(), 0.96 + 0.02 * random.normal()];
    const drift = [0.2 * random.normal(), 0.2 * random.normal()];
    let logit = INTERCEPT;
    for (let t = first; t < T; t++) {
      const at = (n * T + t) * F;
      const isQuiet = random.integer(3) === 0;
      const score = isQuiet ? 0 : (700 + random.integer(700)) / 350;
      const rate = (20_000 + random.integer(40_000)) / 40_000;
      values.set([0, 0, score, rate, rate + 0.00875 * score], at);
      for (let f = 0; f < 2; f++) {
        if (t > first) price[f] += STEP[f] * (spread * random.normal() + drift[f]);
        values[at + f] = Math.round(price[f] * 1e8) / 1e8;
        const weight = WEIGHTS[T - 1 - t] ?? 0;
        // The movement as anyone can see it: between two rows that are there, after rounding.
        if (t > first) logit += (SLOPE * weight * (isQuiet ? QUIET : 1) * DIRECTION[f] * (values[at + f] - values[at + f - F])) / STEP[f];
      }
    }
    probability[n] = sigmoid(logit);
    labels[n] = random.uniform() < probability[n] ? 1 : 0;
  }
  return { values, labels, probability, features: ["f0", "f1", "f2", "f3", "f4"] };
}

/** Math.exp differs between hosts in the last bit: here exp(x) is exp(x / 1024) by its series, squared ten times, right to 1e-12. */
function sigmoid(x: number): number {
  const y = -x / 1024;
  let power = 1;
  for (let k = 8; k > 0; k--) power = 1 + (power * y) / k;
  for (let k = 0; k < 10; k++) power *= power;
  return 1 / (1 + power);
}
