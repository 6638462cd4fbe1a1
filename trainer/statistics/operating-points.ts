// Where a probability becomes a label: thresholds by name, chosen on validation and never on test, and what each is worth.
// Every threshold but `default` and `lowest-cost` is a score that occurred, so that ties fall on one side of it together.
import { DEFAULT_POINT, type Estimate, type OperatingPoint } from "../../shared/model.ts";
import { wilson } from "./intervals.ts";
import { type Confusion, confusionAt, confusionAtEachScore, rank, type ThresholdConfusion } from "./ranking.ts";

export interface Costs {
  /** Of a 0 taken for a 1, and of a 1 taken for a 0; correct labels cost nothing. */
  readonly falsePositive: number;
  readonly falseNegative: number;
}

export interface OperatingPointOptions {
  /** Precisions and recalls to be reached, each above 0 and below 1. Default 0.9 of both. */
  readonly precisions?: readonly number[];
  readonly recalls?: readonly number[];
  readonly costs?: Costs;
  /** Hears which of them no threshold attains. */
  onUnattained?(unattained: Unattained): void;
}

/** A precision or recall whose lower bound no threshold brings to `target`; `figure` is the one at the `threshold` that comes closest. */
export interface Unattained {
  readonly code: "precision-unattained" | "recall-unattained";
  readonly target: number;
  readonly threshold: number;
  readonly figure: Estimate;
}

/**
 * The operating points that labels (N, both 0 and 1 among them) and probabilities (N) give, with their metrics on the same
 * sequences, which lean to the good side: measureOperatingPoints gives them on others.
 *
 * | name | threshold |
 * |---|---|
 * | `default` | 0.5 |
 * | `best-f1`, `balanced-accuracy` | where F1, the mean of recall and specificity, is largest |
 * | `precision>=p` | the lowest whose precision has a lower 95 % bound of p: as many positives found as p allows |
 * | `recall>=r` | the highest whose recall has a lower 95 % bound of r: as precise as r allows |
 * | `lowest-cost` | where a mistake costs as much on either side; only where costs are given |
 */
export function chooseOperatingPoints(
  labels: ArrayLike<number>,
  probabilities: Float32Array,
  options: OperatingPointOptions = {},
): OperatingPoint[] {
  const { precisions = [0.9], recalls = [0.9], costs, onUnattained = () => {} } = options;
  const candidates = confusionAtEachScore(rank(labels, probabilities)); // the highest threshold first
  const points: OperatingPoint[] = [
    { name: DEFAULT_POINT, threshold: 0.5 },
    { name: "best-f1", threshold: best(candidates, (c) => f1Of(c).value).threshold },
    { name: "balanced-accuracy", threshold: best(candidates, (c) => balancedAccuracyOf(c).value).threshold },
  ];
  for (const target of precisions) {
    // The lowest threshold of those that attain it finds the most positives.
    const found = candidates.findLast((c) => precisionOf(c).low >= target);
    if (found !== undefined) points.push({ name: `precision>=${target}`, threshold: found.threshold });
    else {
      const closest = best(candidates, (c) => precisionOf(c).low);
      onUnattained({ code: "precision-unattained", target, threshold: closest.threshold, figure: precisionOf(closest) });
    }
  }
  for (const target of recalls) {
    const found = candidates.find((c) => recallOf(c).low >= target); // the highest threshold: the fewest false alarms
    if (found !== undefined) points.push({ name: `recall>=${target}`, threshold: found.threshold });
    else {
      const closest = candidates[candidates.length - 1];
      onUnattained({ code: "recall-unattained", target, threshold: closest.threshold, figure: recallOf(closest) });
    }
  }
  // Elkan 2001: for honest probabilities the best threshold follows from the costs alone, and no sampling noise enters it.
  if (costs !== undefined)
    points.push({ name: "lowest-cost", threshold: costs.falsePositive / (costs.falsePositive + costs.falseNegative) });
  return measureOperatingPoints(points, labels, probabilities, costs);
}

/**
 * The same points with their metrics, each with its 95 % interval, on labels (N, 0 to 1) and probabilities (N) such as those of the
 * test part. Metrics without a denominator are left out, and the cost where no costs are given.
 */
export function measureOperatingPoints(
  points: readonly OperatingPoint[],
  labels: ArrayLike<number>,
  probabilities: Float32Array,
  costs?: Costs,
): OperatingPoint[] {
  return points.map(({ name, threshold }) => {
    const confusion = confusionAt(threshold, labels, probabilities);
    const { truePositives, falsePositives, falseNegatives, trueNegatives } = confusion;
    const hasPositives = truePositives + falseNegatives > 0;
    return {
      name,
      threshold,
      figures: {
        ...(truePositives + falsePositives > 0 && { precision: precisionOf(confusion) }),
        ...(hasPositives && { recall: recallOf(confusion), f1: f1Of(confusion) }),
        ...(hasPositives && falsePositives + trueNegatives > 0 && { balancedAccuracy: balancedAccuracyOf(confusion) }),
        ...(costs !== undefined && { cost: costOf(confusion, costs) }),
      },
    };
  });
}

/** A point whose promise these sequences do not keep: by more than chance where even the upper 95 % bound is below the target. */
export interface Missed {
  readonly name: string;
  readonly figure: "precision" | "recall";
  readonly target: number;
  readonly estimate: Estimate;
  readonly isBeyondChance: boolean;
}

/** Points named for a precision or recall that is lower on the sequences that they were measured on. */
export function findMissed(points: readonly OperatingPoint[]): Missed[] {
  return points.flatMap(({ name, figures }) => {
    const [, figure, target] = /^(precision|recall)>=(.+)$/.exec(name) ?? [];
    const estimate = figures?.[figure as Missed["figure"]];
    if (estimate === undefined || estimate.value >= Number(target)) return [];
    return [{ name, figure: figure as Missed["figure"], target: Number(target), estimate, isBeyondChance: estimate.high < Number(target) }];
  });
}

/** One or two sentences; `where` says on what the points were measured. */
export function describeMissed({ name, figure, target, estimate, isBeyondChance }: Missed, where: string): string {
  const fact = `${name}: ${figure} is ${estimate.value.toFixed(3)} ${where}, below ${target}`;
  return isBeyondChance
    ? `${fact} by more than chance. These sequences are unlike those that the threshold was chosen on: quickstep calibrate chooses it on newer ones.`
    : `${fact}, which may be chance.`;
}

/** The first of the highest: of thresholds as good as each other, the highest. */
function best(candidates: readonly ThresholdConfusion[], metric: (at: ThresholdConfusion) => number): ThresholdConfusion {
  return candidates.reduce((champion, candidate) => (metric(candidate) > metric(champion) ? candidate : champion));
}

function precisionOf({ truePositives, falsePositives }: Confusion): Estimate {
  return wilson(truePositives, truePositives + falsePositives);
}

function recallOf({ truePositives, falseNegatives }: Confusion): Estimate {
  return wilson(truePositives, truePositives + falseNegatives);
}

/** F1 = 2J/(1 + J) of Jaccard's J = TP/(TP + FP + FN), which is a proportion and has a proportion's interval. */
function f1Of({ truePositives, falsePositives, falseNegatives }: Confusion): Estimate {
  const { value, low, high } = wilson(truePositives, truePositives + falsePositives + falseNegatives);
  const f1 = (jaccard: number): number => (2 * jaccard) / (1 + jaccard);
  return { value: f1(value), low: f1(low), high: f1(high) };
}

function balancedAccuracyOf({ truePositives, falsePositives, falseNegatives, trueNegatives }: Confusion): Estimate {
  const sensitivity = wilson(truePositives, truePositives + falseNegatives);
  const specificity = wilson(trueNegatives, trueNegatives + falsePositives);
  return addWeighted(0.5, sensitivity, 0.5, specificity);
}

/** A sequence's mean cost. Its two rates exclude each other, so that taking them for independent errs on the wide side. */
function costOf({ truePositives, falsePositives, falseNegatives, trueNegatives }: Confusion, costs: Costs): Estimate {
  const N = truePositives + falsePositives + falseNegatives + trueNegatives;
  return addWeighted(costs.falsePositive, wilson(falsePositives, N), costs.falseNegative, wilson(falseNegatives, N));
}

/** a·x + b·y of independent estimates (Zou & Donner 2008, which for a difference is Newcombe's method 10). */
function addWeighted(a: number, x: Estimate, b: number, y: Estimate): Estimate {
  const value = a * x.value + b * y.value;
  return {
    value,
    low: value - Math.hypot(a * (x.value - x.low), b * (y.value - y.low)),
    high: value + Math.hypot(a * (x.high - x.value), b * (y.high - y.value)),
  };
}
