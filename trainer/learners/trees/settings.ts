// Settings of boosted trees by the number of sequences, measured on real tasks (see docs/experiments.md).

/** Plain data. */
export interface BoostingSettings {
  /** Leaves of a tree at most; the leaf that gains most is split next. */
  readonly leaves: number;
  /** The part of the columns that a tree may look at, drawn anew for each. */
  readonly columnFraction: number;
  /** Training sequences in a leaf at least. */
  readonly minLeaf: number;
  /** Σ p(1 − p) in a leaf at least. */
  readonly minHessian: number;
  /** Added to Σ p(1 − p) of a leaf. */
  readonly l2: number;
  readonly learningRate: number;
  /** At most. */
  readonly rounds: number;
  /** Rounds without a better validation loss before boosting stops. */
  readonly patience: number;
  /** `random`: one random threshold a column and node (LightGBM's extra_trees); `best`: all of them. */
  readonly thresholds: "random" | "best";
}

/** Fewer sequences ask for tiny leaves and few columns. */
const SMALL = 900;
/** Up to so many, trees of few leaves may have small leaves. */
const MEDIUM = 1500;

const COMMON = { learningRate: 0.05, rounds: 1000, patience: 100, thresholds: "random" } as const;
const BIG = { ...COMMON, minHessian: 1e-3, l2: 1 } as const;
const TINY_LEAVES = { ...COMMON, minLeaf: 2, minHessian: 1e-4, l2: 0.1 } as const;

/**
 * For columns that hold levels, differences and statistics of every series: tiny leaves, few columns and random thresholds recover
 * what random forests win on small sets; on larger ones small or large trees win, by the data.
 */
export function flatViewSettings(examples: number): readonly BoostingSettings[] {
  if (examples <= SMALL) return [{ ...TINY_LEAVES, leaves: 8, columnFraction: 0.1 }];
  return [
    { ...BIG, leaves: 8, columnFraction: 0.3, minLeaf: examples <= MEDIUM ? 5 : 20 },
    { ...BIG, leaves: 31, columnFraction: 0.5, minLeaf: 20 },
  ];
}

/**
 * For the same columns where every split takes the best of all thresholds: few of such trees say what many with random ones say, and err
 * elsewhere. None for few sequences, where they learn chance.
 */
export function greedySettings(examples: number): readonly BoostingSettings[] {
  if (examples <= SMALL) return [];
  return [{ ...BIG, leaves: 8, columnFraction: 0.3, minLeaf: examples <= MEDIUM ? 5 : 20, thresholds: "best" }];
}

/** Twice the usual, and once more: each is a further fit. */
const MAX_LEARNING_RATE = 4 * COMMON.learningRate;

/** The same with twice the learning rate, which take about half of the rounds; none beyond MAX_LEARNING_RATE. */
export function fasterSettings(settings: BoostingSettings): BoostingSettings | undefined {
  const learningRate = 2 * settings.learningRate;
  return learningRate > MAX_LEARNING_RATE ? undefined : { ...settings, learningRate };
}

/** For columns that hold quantiles of intervals. */
export function quantileViewSettings(examples: number): readonly BoostingSettings[] {
  const large: BoostingSettings = { ...BIG, leaves: 31, columnFraction: 0.5, minLeaf: 20 };
  if (examples > SMALL) return [large];
  return [large, { ...TINY_LEAVES, leaves: 8, columnFraction: 0.1 }, { ...TINY_LEAVES, leaves: 8, columnFraction: 0.3, minLeaf: 5 }];
}
