// Synthetic data whose true probability is known, each of a shape on which trainers are known to fail. Pure: a seed gives the same
// numbers everywhere. The probability depends on nothing but the values as they are given, so that 1.00 can be reached. What
// logistic regression recovers is measured on standardised flattened rows, 10,000 to fit and 10,000 to test.
// Legend: N sequences, T steps, F features.
import { expandNames, type Input } from "../../../shared/recipe/inputs.ts";
import { createRandom, type Random } from "../../../trainer/statistics/random.ts";

export interface Generated {
  /** (N,10,5), zero rows in front where a sequence is shorter */
  readonly values: Float64Array;
  /** (N) 0 or 1, drawn from `probability` */
  readonly labels: Uint8Array;
  /** (N) what nobody can beat */
  readonly probability: Float64Array;
  readonly features: readonly string[];
  /** The last feature is the row's time, in seconds. */
  readonly clock?: true;
  /** What features come from that are categories, or the same in all rows of a sequence. */
  readonly inputs?: readonly Input[];
}

export const T = 10;
export const F = 5;

/** Writes one sequence into `rows` (T,F), which holds zeros, and returns its score; the logit is intercept + slope · score. */
type Shape = (rows: Float64Array, random: Random) => number;

/** Found once over 200,000 sequences, for a positive rate of 0.25 and a mean entropy of 0.42 nats. */
interface Line {
  readonly intercept: number;
  readonly slope: number;
}

function generate(N: number, seed: number, line: Line, features: readonly string[], shape: Shape): Generated {
  const random = createRandom(seed);
  const values = new Float64Array(N * T * F);
  const labels = new Uint8Array(N);
  const probability = new Float64Array(N);
  for (let n = 0; n < N; n++) {
    const score = shape(values.subarray(n * T * F, (n + 1) * T * F), random);
    probability[n] = 1 / (1 + Math.exp(-(line.intercept + line.slope * score)));
    labels[n] = random.uniform() < probability[n] ? 1 : 0;
  }
  return { values, labels, probability, features };
}

/** 4 to 10 rows, a third of the sequences full: the first row that is not padding. */
function firstRow(random: Random): number {
  return random.integer(3) === 0 ? 0 : random.integer(T - 3);
}

/**
 * Only the order of rows matters: features 0 and 1 have one peak each, and what counts is whether the second's comes one to three
 * rows after the first's. Any permutation of the rows leaves every statistic but that, and neither place tells much without the
 * other: logistic regression on the flattened rows recovers 0.17.
 */
export function orderOnly(N: number, seed: number): Generated {
  return generate(N, seed, { intercept: -2.21, slope: 2.72 }, ["call", "answer", "x", "y", "z"], (rows, random) => {
    const first = firstRow(random);
    const peak = [0, 1].map(() => first + random.integer(T - first));
    for (let t = first; t < T; t++)
      for (let f = 0; f < F; f++) rows[t * F + f] = t === peak[f] ? 4 + random.uniform() : (f < 2 ? 0.3 : 1) * random.normal();
    const lead = peak[1] - peak[0];
    return lead >= 1 && lead <= 3 ? 1 : 0;
  });
}

/**
 * Only the difference of two large features matters. Both walk together around 1000, by 1 a row and 30 between sequences; their
 * spread, of 1, is what counts, the latest most, and a third as much in rows where feature 2 is not positive. Scaled one by one,
 * the two are the same number to 3 %. Logistic regression, solved exactly, finds the difference but not the gate: 0.78.
 */
export function differenceOnly(N: number, seed: number): Generated {
  return generate(N, seed, { intercept: -1.556, slope: 2.713 }, ["near", "far", "gate", "y", "z"], (rows, random) =>
    walkTogether(rows, random, 1, (spread, gate) => spread * (gate > 0 ? 1 : 0.3)),
  );
}

/** The same made harder: a spread of 0.05, which float32 rounds to three digits, and it counts by how far it is from zero, on either side: 0. */
export function differenceHidden(N: number, seed: number): Generated {
  return generate(N, seed, { intercept: -3.284, slope: 2.655 }, ["near", "far", "w", "y", "z"], (rows, random) =>
    Math.abs(walkTogether(rows, random, 0.05, (spread) => spread)),
  );
}

/** Fills `rows`; returns the weighted mean of what `scoreOf` makes of each row's spread, in units of `size`, and its feature 2. */
function walkTogether(rows: Float64Array, random: Random, size: number, scoreOf: (spread: number, gate: number) => number): number {
  let level = 1000 + 30 * random.normal();
  let spread = size * random.normal();
  let score = 0;
  for (let t = firstRow(random); t < T; t++) {
    level += random.normal();
    spread = 0.8 * spread + 0.6 * size * random.normal();
    const near = Math.round(level * 1e6) / 1e6;
    const far = Math.round((level + spread) * 1e6) / 1e6;
    const gate = random.normal();
    rows.set([near, far, gate, 5 + random.normal(), random.uniform()], t * F);
    score = 0.5 * score + 0.5 * scoreOf((far - near) / size, gate);
  }
  return score;
}

/**
 * Counts of five kinds of events a day over ten days, where a day without any is an all-zero row and means something: what counts
 * is for how many days nothing has happened, and the share of clicks that became carts. Read as padding, the silent days are gone,
 * and with them a fifth of what can be learnt. Every sequence has one event at least. Logistic regression: 0.63.
 */
export function counts(N: number, seed: number): Generated {
  return generate(N, seed, { intercept: 0.013, slope: 1.257 }, ["views", "clicks", "carts", "orders", "calls"], (rows, random) => {
    const rate = 1 + 11 * random.uniform() ** 2; // views on a lively day
    const toSilent = 0.1 + 0.3 * random.uniform();
    const toLively = 0.2 + 0.5 * random.uniform();
    const interest = random.uniform();
    do {
      rows.fill(0);
      let isLively = random.uniform() < toLively / (toSilent + toLively);
      for (let t = 0; t < T; t++) {
        if (isLively) {
          const views = poisson(rate, random);
          const clicks = binomial(views, 0.5, random);
          const carts = binomial(clicks, interest, random);
          rows.set([views, clicks, carts, binomial(carts, 0.5, random), poisson(0.2, random)], t * F);
        }
        isLively = random.uniform() < (isLively ? 1 - toSilent : toLively);
      }
    } while (rows.every((x) => x === 0));
    let [silent, clicks, carts] = [0, 0, 0];
    for (let t = 0; t < T; t++) {
      silent = rows.subarray(t * F, (t + 1) * F).every((x) => x === 0) ? silent + 1 : 0;
      clicks += rows[t * F + 1];
      carts += rows[t * F + 2];
    }
    return 0.3 * silent - (4 * carts) / (2 + clicks);
  });
}

/** Knuth: how many uniforms multiply to above e^−mean. For means of some tens. */
function poisson(mean: number, random: Random): number {
  let count = 0;
  for (let product = random.uniform(), floor = Math.exp(-mean); product > floor; product *= random.uniform()) count++;
  return count;
}

function binomial(n: number, p: number, random: Random): number {
  let count = 0;
  for (let i = 0; i < n; i++) if (random.uniform() < p) count++;
  return count;
}

/**
 * Features at scales 1e-6 and 1e9 together: a level of 3e-6 ± 1e-6 and a turnover that walks around 1e9 by 1e6 a row. What counts
 * is the turnover's movement where the small feature is above its middle, against it where it is below: a product of both.
 */
export function mixedScales(N: number, seed: number): Generated {
  return generate(N, seed, { intercept: -1.565, slope: 1.639 }, ["tiny", "huge", "x", "y", "z"], (rows, random) => {
    const first = firstRow(random);
    let huge = 1e9 * (1 + 0.05 * random.normal());
    let score = 0;
    for (let t = first; t < T; t++) {
      const tiny = 1e-6 * (3 + Math.max(-2.9, Math.min(3, random.normal())));
      const movement = 1e6 * random.normal();
      const before = huge;
      huge = Math.round(huge + movement);
      rows.set([tiny, huge, random.normal(), random.normal(), random.normal()], t * F);
      if (t > first) score = 0.6 * score + ((huge - before) / 1e6) * (tiny > 3e-6 ? 1 : -0.5);
    }
    return score;
  });
}

/**
 * Heavy tails: every number is Student's t with two or three degrees of freedom, without or hardly with a variance. What counts is
 * the sum of two features' bounded sizes, x/√(1+x²), the latest most: the far ones count no more than the near.
 */
export function heavyTails(N: number, seed: number): Generated {
  return generate(N, seed, { intercept: -1.568, slope: 1.42 }, ["a", "b", "x", "y", "z"], (rows, random) => {
    const first = firstRow(random);
    let score = 0;
    for (let t = first; t < T; t++) {
      for (let f = 0; f < F; f++) rows[t * F + f] = studentT(f % 2 === 0 ? 2 : 3, random);
      score = 0.7 * score + bounded(rows[t * F]) - bounded(rows[t * F + 1]) * (rows[t * F + 2] > 0 ? 1 : 0.2);
    }
    return score;
  });
}

function bounded(x: number): number {
  return x / Math.sqrt(1 + x * x);
}

function studentT(degrees: number, random: Random): number {
  let square = 0;
  for (let i = 0; i < degrees; i++) square += random.normal() ** 2;
  return random.normal() / Math.sqrt(square / degrees);
}

/** Length gives the label away: nothing but the number of rows counts. What a trainer should say aloud. */
export function lengthTells(N: number, seed: number): Generated {
  return generate(N, seed, { intercept: -1.615, slope: 1.069 }, ["a", "b", "c", "d", "e"], (rows, random) => {
    const length = 1 + random.integer(T);
    for (let i = (T - length) * F; i < T * F; i++) rows[i] = 3 + random.normal();
    return (length - 5.5) / 2;
  });
}

/**
 * Rare bursts: prices on a large offset that hardly move, but for a few sequences in which one feature moves far for some rows, in
 * either direction. 1.3 % are positive; what counts is the logarithm of the mean absolute movement, the latest most.
 */
export function bursts(N: number, seed: number): Generated {
  return generate(N, seed, { intercept: -4.85, slope: 1.9 }, ["mid", "x", "y", "z", "w"], (rows, random) => {
    const first = firstRow(random);
    const level = [0, 1, 2, 3, 4].map(() => 1.25 + 0.1 * random.normal());
    const size = 1e-5 * Math.exp(0.3 * random.normal());
    const from = random.uniform() < 0.3 ? first + random.integer(T - first) : T;
    const factor = Math.exp(1.2 * Math.abs(random.normal()));
    let moved = size;
    for (let t = first; t < T; t++) {
      for (let f = 0; f < F; f++) {
        const step = size * random.normal() * (f === 0 && t >= from && t < from + 3 ? factor : 1);
        level[f] += step;
        if (f === 0) moved = 0.7 * moved + 0.3 * Math.abs(step);
      }
      rows.set(level, t * F);
    }
    return Math.log(moved / 1e-5);
  });
}

/**
 * Only speed matters: rows follow each other after a time that is lognormal over two decades, and the level moves by its speed times
 * that. A movement by itself says little of the speed.
 */
export function speeds(N: number, seed: number): Generated {
  const made = generate(N, seed, { intercept: -1.56, slope: 2.3 }, ["level", "x", "y", "z", "time"], (rows, random) => {
    const first = firstRow(random);
    let time = 1_700_000_000 + random.integer(10_000_000);
    let level = 100 + 10 * random.normal();
    let speed = random.normal();
    let score = 0;
    for (let t = first; t < T; t++) {
      if (t > first) {
        const seconds = Math.round(6e4 * Math.exp(1.15 * random.normal())) / 1000;
        time += seconds;
        speed = 0.8 * speed + 0.6 * random.normal();
        level += (speed * seconds) / 600;
        score = 0.6 * score + 0.4 * speed;
      }
      rows.set([level, random.normal(), random.normal(), random.normal(), time], t * F);
    }
    return score;
  });
  return { ...made, clock: true };
}

/** Of `owners`: a category and a number that are given once a sequence. */
const OWNERS: readonly Input[] = [
  { name: "level" },
  { name: "x" },
  { name: "kind", levels: ["long", "short"], static: true },
  { name: "age", static: true },
];

/**
 * What a sequence's trend means depends on who it is of: its sign on a category, its weight on a number, which are the same in all its
 * rows. None of the three says anything by itself.
 */
export function owners(N: number, seed: number): Generated {
  const made = generate(N, seed, { intercept: -1.53, slope: 4.2 }, expandNames(OWNERS), (rows, random) => {
    const first = firstRow(random);
    const isLong = random.uniform() < 0.5;
    const age = 20 + 50 * random.uniform();
    let level = random.normal();
    let score = 0;
    for (let t = first; t < T; t++) {
      const step = random.normal();
      level += step;
      if (t > first) score = 0.6 * score + 0.4 * step;
      rows.set([level, random.normal(), isLong ? 1 : 0, isLong ? 0 : 1, age], t * F);
    }
    return (score * (isLong ? 1 : -1) * (age - 10)) / 50;
  });
  return { ...made, inputs: OWNERS };
}
