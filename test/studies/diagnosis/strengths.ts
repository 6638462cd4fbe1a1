// How strong each planted cause is: found by bisection for each data set, until the baseline setup loses the wanted
// share of what the fix recovers. Only networks of ./recovery.ts are trained for it; no diagnosis is looked at.
import { readFileSync } from "node:fs";
import { type PlantName, plant } from "./planted.ts";
import { measureRecovery, type Recovery } from "./recovery.ts";

/** Shares of what the fix recovers that are to be lost without it. */
export const SHARES: readonly number[] = [0.1, 0.4, 0.8];

/** From a strength that loses less than a tenth to one that loses more than eight: logarithmic. */
export const RANGES: Partial<Record<PlantName, readonly [mildest: number, strongest: number]>> = {
  "features-unscaled: small": [3, 1e5],
  "features-unscaled: mixed": [3, 1e3],
  "movement-tiny": [2, 100],
  "difference-hidden": [2, 50],
  "padding-unmasked": [5, 90],
  "learning-rate-high": [0.01, 1],
  "learning-rate-low": [3e-4, 2e-6],
  undertrained: [24, 1],
  overfit: [5, 60],
};

/**
 * Strengths that are not found: how many times as far apart as they move sequences are, where all is lost; shares of conflicting
 * sequences; noise on a label, whose own classes are 1 apart; logits.
 */
const FIXED: Partial<Record<PlantName, readonly number[]>> = {
  "movement-tiny: raw": [50, 200, 1000],
  "label-conflict": SHARES,
  leak: [0.3, 0.2, 0.1],
  "drift-in-file": [2, 3, 4.5],
};

export interface Strength extends Partial<Recovery> {
  readonly strength: number;
}

const STEPS = 5;

/** Bisection for `share`; the strength that came nearest. Deterministic: the same for one seed on every host with one SIMD path. */
export function calibrate({ name, share, seed, stream }: Case): Strength {
  const range = RANGES[name];
  if (range === undefined) {
    const strength = FIXED[name]?.[SHARES.indexOf(share)] ?? 0;
    return { strength, ...measureRecovery(plant(name, strength, seed, stream), seed) };
  }
  let [low, high] = range.map(Math.log);
  let best: (Strength & Recovery) | undefined;
  for (let step = 0; step < STEPS; step++) {
    const strength = Number(Math.exp((low + high) / 2).toPrecision(3));
    const recovery = measureRecovery(plant(name, strength, seed, stream), seed)!;
    if (best === undefined || Math.abs(recovery.lost - share) < Math.abs(best.lost - share)) best = { strength, ...recovery };
    if (Math.abs(best.lost - share) < 0.25 * share) break;
    if (recovery.lost < share) low = (low + high) / 2;
    else high = (low + high) / 2;
  }
  return best!;
}

export interface Case {
  readonly name: PlantName;
  readonly share: number;
  readonly seed: number;
  readonly stream: number;
}

/** One data set for every cause that can be planted, three where its strength can be set. */
export function casesOf(seed: number): Case[] {
  return (Object.keys(STREAMS) as PlantName[]).flatMap((name) => {
    const shares = RANGES[name] || FIXED[name] ? SHARES : [SHARES[0]];
    return shares.map((share, i) => ({ name, share, seed, stream: STREAMS[name] + i }));
  });
}

/** A data set's stream of randomness: fixed here, so that a plant added later leaves the others as they are. */
const STREAMS: Readonly<Record<PlantName, number>> = {
  "features-unscaled: small": 100,
  "features-unscaled: mixed": 110,
  "movement-tiny": 120,
  "movement-tiny: raw": 130,
  "difference-hidden": 140,
  "padding-unmasked": 150,
  "learning-rate-high": 160,
  "learning-rate-low": 170,
  undertrained: 180,
  overfit: 190,
  "label-conflict": 200,
  leak: 210,
  "drift-in-file": 220,
  "no-signal": 230,
  "redundant-feature": 240,
  "constant-feature": 250,
  "non-finite": 260,
  "labels-invalid": 270,
  "one-class": 280,
  "too-few": 290,
};

export const FILE = new URL("../../fixtures/strengths.json", import.meta.url);
export const keyOf = ({ name, share, seed }: Case): string => `${name} ${share} ${seed}`;

/** Calibrated strengths by ../fixtures/strengths.json, and anew for what is not there. */
export function strengthsOf(cases: readonly Case[]): Map<Case, Strength> {
  const known: Record<string, Strength> = JSON.parse(readFileSync(FILE, "utf8"));
  return new Map(cases.map((each) => [each, known[keyOf(each)] ?? calibrate(each)]));
}

/** A fix that recovers less of what can be learnt proves nothing: such a case is not scored. */
const MIN_RECOVERED = 0.05;

export function isScored({ baseline, fixed }: Strength): boolean {
  return baseline === undefined || fixed === undefined || fixed - baseline >= MIN_RECOVERED;
}
