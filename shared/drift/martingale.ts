// A test for ever that new sequences are exchangeable with the reference: conformal martingales (Vovk, Nouretdinov and Gammerman 2003,
// "Testing exchangeability on-line"), one a quantity. Each new value gets its p-value among the reference and the stream so far; a bet
// with a Dirichlet prior on the bins of that p-value multiplies what was won. If nothing drifts, the chance ever to win 1/α is at most α
// (Ville's inequality). It needs sequences that do not depend on each other: a stream with autocorrelation .9 alarms falsely. Pure.
// Legend: S quantities, B bins, K restarts.
import { isWatched, type Observation, type Quantity, sizeOf } from "./watched.ts";

/** A false alarm in so many model lives: for ever, not for each sequence. */
export const ALPHA = 0.001;
/** A new bet starts every so many sequences: an old one has learnt what was, and takes long to learn what is. */
export const RESTART_EVERY = 500;
/** Bets that go on at once; the oldest stops where it stands, which no martingale minds. */
const MAX_RUNNING = 8;
/** How many sequences the bet's prior is worth: one a bin. */
const PRIOR = 10;
/** Far above every alarm, far below float64's end. */
const MAX_WEALTH = 1e100;

/** One bet on each quantity, from a restart on. Plain data. */
export interface Bet {
  /** From 1; its weight is 1/(k(k+1)), and all weights are 1 together. */
  readonly k: number;
  /** (S) what 1 became. */
  readonly wealth: number[];
  /** (S,B) what it saw. */
  readonly seen: number[][];
}

/** What a test knows. Plain data: it can be written down and taken up. */
export interface Martingale {
  /** Sequences taken. */
  taken: number;
  /** (S,B) of the stream */
  readonly stream: number[][];
  /** The oldest first. */
  readonly running: Bet[];
  /** (S) weighted wealth of bets that stopped. */
  readonly stopped: number[];
}

/** Before the first sequence. */
export function openMartingale(quantities: readonly Quantity[]): Martingale {
  return {
    taken: 0,
    stream: quantities.map(({ counts }) => new Array<number>(counts.length).fill(0)),
    running: [],
    stopped: quantities.map(() => 0),
  };
}

/** Bets on one sequence, which shares no row with one before it. */
export function bet(martingale: Martingale, quantities: readonly Quantity[], observation: Observation): void {
  const { running, stream, stopped } = martingale;
  if (martingale.taken % RESTART_EVERY === 0) {
    const k = martingale.taken / RESTART_EVERY + 1;
    running.push({ k, wealth: quantities.map(() => 1), seen: stream.map((bins) => bins.map(() => 0)) });
    if (running.length > MAX_RUNNING) {
      const oldest = running.shift()!;
      oldest.wealth.forEach((wealth, s) => {
        stopped[s] += wealth * weightOf(oldest);
      });
    }
  }
  observation.forEach(([bin], s) => {
    if (bin === undefined) return;
    const { counts } = quantities[s];
    const size = sizeOf(counts);
    // the share of the p-values between 0 and 1 that this bin has, the new value counted in as conformal p-values count it
    const share = (counts[bin] + stream[s][bin] + 1) / (size + sizeOf(stream[s]) + 1);
    for (const { wealth, seen } of running) {
      const before = seen[s];
      const prior = (counts[bin] + 0.5) / (size + counts.length / 2);
      const stake = (PRIOR * prior + before[bin]) / (PRIOR + sizeOf(before));
      wealth[s] = Math.min(MAX_WEALTH, (wealth[s] * stake) / share);
      before[bin]++;
    }
    stream[s][bin]++;
  });
  martingale.taken++;
}

/** (S) what 1 on each quantity became: the evidence against "nothing drifts"; 0 where it is not watched. */
export function wealthOf({ taken, running, stopped }: Martingale, quantities: readonly Quantity[]): number[] {
  const restarts = Math.ceil(taken / RESTART_EVERY);
  return quantities.map((quantity, s) =>
    isWatched(quantity) ? stopped[s] + 1 / (restarts + 1) + running.reduce((sum, one) => sum + one.wealth[s] * weightOf(one), 0) : 0,
  );
}

/** The mean over what is watched: a martingale itself, whatever ties the quantities together. */
export function evidenceOf(martingale: Martingale, quantities: readonly Quantity[]): number {
  const wealth = wealthOf(martingale, quantities);
  const watched = quantities.filter(isWatched).length;
  return watched === 0 ? 1 : wealth.reduce((sum, one) => sum + one, 0) / watched;
}

function weightOf({ k }: Bet): number {
  return 1 / (k * (k + 1));
}
