// A watch over one model's sequences: the test where the reference allows one, population stability always. Plain data in, plain data
// out. Pure.
import type { Log } from "../recipe/recipe.ts";
import { ALPHA, bet, evidenceOf, type Martingale, openMartingale, wealthOf } from "./martingale.ts";
import { isWatched, type Observation, sizeOf, type Watched } from "./watched.ts";

/** Fewer sequences say nothing of shares. */
export const MIN_STABILITY = 100;

/** What is written down of a watch. */
export interface Watch extends Martingale {
  /** After so many sequences the alarm came; null: none. It stays. */
  alarm: number | null;
}

/** One quantity as people see it. */
export interface QuantityDrift {
  readonly name: string;
  /** (B−1) as Quantity.edges. */
  readonly edges: readonly number[];
  /** (B) shares of the reference and of what came. */
  readonly reference: readonly number[];
  readonly observed: readonly number[];
  /** The population stability index, Σ (p − q) ln(p/q): a convention says below .1 is stable and above .25 is not. Null below MIN_STABILITY values. */
  readonly stability: number | null;
  /** What a bet of 1 on this quantity's drift became; null where only shares can be compared. */
  readonly evidence: number | null;
}

export interface DriftReport {
  readonly basis: Watched["basis"];
  readonly sequences: number;
  /** Whether the test has alarmed, and after how many sequences; null where there is no test. */
  readonly alarm: boolean | null;
  readonly alarmAfter: number | null;
  /** Mean of the quantities' evidence; the alarm is at `alarmAt`. */
  readonly evidence: number | null;
  readonly alarmAt: number;
  /** What has evidence, or else the least stable, first. */
  readonly quantities: readonly QuantityDrift[];
}

/** Before the first sequence. */
export function openWatch({ quantities }: Watched): Watch {
  return { ...openMartingale(quantities), alarm: null };
}

/** Takes one sequence. Returns whether the alarm came with it. */
export function take(watch: Watch, { basis, quantities }: Watched, observation: Observation): boolean {
  if (basis !== "sequences") {
    observation.forEach((bins, s) => {
      for (const bin of bins) watch.stream[s][bin]++;
    });
    watch.taken++;
    return false;
  }
  bet(watch, quantities, observation);
  if (watch.alarm !== null || evidenceOf(watch, quantities) < 1 / ALPHA) return false;
  watch.alarm = watch.taken;
  return true;
}

/** What is known of drift by now. `log`: the kernel's. */
export function reportDrift(watch: Watch, { basis, quantities }: Watched, log: Log): DriftReport {
  const hasTest = basis === "sequences";
  const wealth = wealthOf(watch, quantities);
  const reported = quantities.flatMap((quantity, s): QuantityDrift[] => {
    if (!isWatched(quantity)) return [];
    const { name, edges, counts } = quantity;
    return [
      {
        name,
        edges: Array.from(edges),
        reference: sharesOf(counts),
        observed: sharesOf(watch.stream[s]),
        stability: watch.taken < MIN_STABILITY ? null : stabilityOf(counts, watch.stream[s], log),
        evidence: hasTest ? wealth[s] : null,
      },
    ];
  });
  return {
    basis,
    sequences: watch.taken,
    alarm: hasTest ? watch.alarm !== null : null,
    alarmAfter: watch.alarm,
    evidence: hasTest ? evidenceOf(watch, quantities) : null,
    alarmAt: 1 / ALPHA,
    quantities: reported.sort((a, b) => (b.evidence ?? 0) - (a.evidence ?? 0) || (b.stability ?? 0) - (a.stability ?? 0)),
  };
}

/** Half a value more in each bin, so that an empty one has a logarithm. */
function stabilityOf(reference: ArrayLike<number>, observed: ArrayLike<number>, log: Log): number {
  const [all, came] = [sizeOf(reference), sizeOf(observed)];
  const B = reference.length;
  let sum = 0;
  for (let b = 0; b < B; b++) {
    const p = (observed[b] + 0.5) / (came + B / 2);
    const q = (reference[b] + 0.5) / (all + B / 2);
    sum += (p - q) * log(p / q);
  }
  return sum;
}

function sharesOf(counts: ArrayLike<number>): number[] {
  const size = Math.max(1, sizeOf(counts));
  return Array.from(counts, (count) => count / size);
}
