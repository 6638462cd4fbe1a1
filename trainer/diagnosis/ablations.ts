// The experiments: every accused cause added to what was tried and taken out of the cured recipe, on the same held-out sequences.
// Legend: M sequences.

import { mean } from "../statistics/descriptive.ts";
import { logLossOf } from "../statistics/log-loss.ts";
import type { Random } from "../statistics/random.ts";
import type { CauseCode } from "./diagnose.ts";
import type { Lab, Run, Setup } from "./experiments.ts";
import type { Accusation } from "./hypotheses.ts";
import { type Comparison, comparePairs, holm, type Losses } from "./paired-bootstrap.ts";

export interface Tested {
  readonly accusation: Accusation;
  /** Tried − tried with the cure; cured without it − cured. */
  readonly added: Comparison;
  readonly removed: Comparison;
  readonly isProven: boolean;
  readonly isLikely: boolean;
  /** Nats by which causes are ranked. */
  readonly worth: number;
}
export interface Measured {
  readonly setup: Setup;
  readonly run: Run;
}

export interface Proof {
  readonly tried: Measured;
  readonly cured: Measured;
  /** Whether the cured recipe is better than what was tried, beyond chance and by enough to care. */
  readonly isCure: boolean;
  /** Base rate − tried, base rate − cured, tried − cured. */
  readonly gains: { readonly tried: Comparison; readonly cured: Comparison; readonly gap: Comparison };
  readonly baseRateLoss: number;
  /** Those that are proven or likely, the most telling first. */
  readonly tested: readonly Tested[];
  /** What is gained by curing the tested causes one after the other, the first first; the last is all. */
  readonly joint: readonly { readonly code: CauseCode; readonly gain: number }[];
}

export interface ProveInput {
  readonly lab: Lab;
  readonly tried: Setup;
  readonly accusations: readonly Accusation[];
  /** (M) */
  readonly labels: Uint8Array;
  readonly rate: number;
  readonly blocks: Int32Array;
  readonly random: Random;
  say(text: string): void;
}

const LEVEL = 0.05;
/** Whether there is anything to cure, which is asked only where something is accused, and whether anything was learnt at all. */
const GAP_LEVEL = 0.1;
const LEARNT_LEVEL = 0.002;
/** What moves the loss by less than this share of what can be recovered is no cause. */
export const MATERIAL = 0.05;
/** A cure that is worth less than this when everything else is cured is left out of the recipe. */
const NEGLIGIBLE = 0.01;

/** The cure of what is hidden brings its own scale: where scaling everything does about as well, it is the more telling name. */
const TELLING = 1.1;
const HIDDEN: readonly CauseCode[] = ["movement-tiny", "difference-hidden"];

export async function prove(input: ProveInput): Promise<Proof> {
  const { lab, accusations, labels, rate, say } = input;
  const compare = (pairs: readonly (readonly [Losses, Losses])[]): Comparison[] => comparePairs(pairs, input.blocks, input.random);
  const measure = async (setup: Setup): Promise<Measured> => ({ setup, run: await lab.run(setup) });
  const tried = await measure(input.tried);
  const losses = Float64Array.from(labels, (label) => logLossOf(label, rate));
  const base = { losses, seeds: tried.run.seeds.map(() => losses) };
  const all = accusations.reduce((setup, { add }) => add(setup), input.tried);
  let cured = await measure(all);
  if (all.view.movement || all.view.difference) {
    // Levels may do harm: where they wander off, a network that leans on them does not know what comes.
    const without = await measure({ ...all, view: { ...all.view, levels: false } });
    if (without.run.loss < cured.run.loss) cured = without;
  }
  say(`held-out log loss: tried ${tried.run.loss.toFixed(4)}, with every accused cause cured ${cured.run.loss.toFixed(4)}`);
  const summarise = (): Comparison[] =>
    compare([
      [base, tried.run],
      [base, cured.run],
      [tried.run, cured.run],
    ]);
  let [ofTried, ofCured, gap] = summarise();
  const isLearnt = ofCured.mean > 0 && ofCured.p <= LEARNT_LEVEL;
  const isCure = isLearnt && gap.mean >= MATERIAL * ofCured.mean && gap.p <= GAP_LEVEL;
  const baseRateLoss = mean(losses);
  if (!isCure)
    return {
      tried,
      cured: isLearnt && gap.mean < 0 ? tried : cured,
      isCure,
      gains: { tried: ofTried, cured: ofCured, gap },
      baseRateLoss,
      tested: [],
      joint: [],
    };

  const measured: { accusation: Accusation; added: Run; removed: Run }[] = [];
  for (const accusation of accusations) {
    const [added, removed] = [await lab.run(accusation.add(tried.setup)), await lab.run(accusation.remove(cured.setup))];
    measured.push({ accusation, added, removed });
    say(`${accusation.code}: tried with its cure ${added.loss.toFixed(4)}, cured without it ${removed.loss.toFixed(4)}`);
  }
  const comparisons = compare(
    measured.flatMap(({ added, removed }) => [
      [tried.run, added],
      [removed, cured.run],
    ]),
  );
  const stands = holm(
    comparisons.map(({ p }) => p),
    LEVEL,
  );
  const tested = measured.map(({ accusation }, k): Tested => {
    // A cured recipe trained on and on overfits as well: only what was tried can show that it did.
    const pair = accusation.code === "overfit" ? [2 * k] : [2 * k, 2 * k + 1];
    const moves = (i: number): boolean => comparisons[i].mean >= MATERIAL * gap.mean && comparisons[i].seeds.every((gain) => gain > 0);
    return {
      accusation,
      added: comparisons[2 * k],
      removed: comparisons[2 * k + 1],
      isProven: pair.some((i) => moves(i) && stands[i]),
      isLikely: pair.some(moves),
      worth: Math.max(...pair.map((i) => comparisons[i].mean)) * (HIDDEN.includes(accusation.code) ? TELLING : 1),
    };
  });
  // The recipe that is handed over holds only what it needs; each step down is measured.
  for (const { accusation } of [...tested].sort((a, b) => a.removed.mean - b.removed.mean)) {
    if (!HIDDEN.includes(accusation.code)) continue;
    const without = await measure(accusation.remove(cured.setup));
    if (without.run.loss <= cured.run.loss + NEGLIGIBLE * gap.mean) cured = without;
  }
  [ofTried, ofCured, gap] = summarise();
  const joint: { code: CauseCode; gain: number }[] = [];
  let setup = tried.setup;
  const named = tested.filter(({ isProven, isLikely }) => isProven || isLikely).sort((a, b) => b.worth - a.worth);
  for (const { accusation } of named) {
    setup = accusation.add(setup);
    joint.push({ code: accusation.code, gain: tried.run.loss - (await lab.run(setup)).loss });
  }
  return { tried, cured, isCure, gains: { tried: ofTried, cured: ofCured, gap }, baseRateLoss, tested: named, joint };
}
