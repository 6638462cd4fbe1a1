// The backward half of a feature search: channels whose lack does not show are removed, one by one, or in groups where there are many.
import type { Evaluation } from "./candidate-evaluation.ts";
import { scoreGain } from "./score-test.ts";
import { MAX_CHANNELS, reportProgress, type Search } from "./search-state.ts";

/** On data of many features: a half, or else a quarter, of the channels are removed, as long as one of these shares can go. */
const SHARES = [1 / 2, 1 / 4];

/** Removes channels whose lack does not show: on data of many features in groups first, until there are few. */
export async function removeChannels(search: Search, from: Evaluation): Promise<Evaluation> {
  if (!search.isWide || from.set.length <= MAX_CHANNELS) return removeSingles(search, from);
  const best = await removeGroups(search, from);
  if (best.set.length <= MAX_CHANNELS) return removeSingles(search, best);
  search.leftUntried.channels = best.set.length;
  return best;
}

/** Removes those that tell least by themselves, a share of all at a time: runs grow with the logarithm of the channels. */
async function removeGroups(search: Search, from: Evaluation): Promise<Evaluation> {
  const { evaluator, onStep } = search;
  const gainOf = (c: number): number => scoreGain(search.blocksOf(c), [], evaluator.testedLabels, evaluator.baseRate.probabilities).gain;
  const gains = new Map(from.set.map((c) => [c, gainOf(c)]));
  let best = from;
  for (let k = 0; k < SHARES.length && best.set.length > MAX_CHANNELS; ) {
    reportProgress(search, "removing", best.set.length, k / SHARES.length);
    const count = Math.ceil(best.set.length * SHARES[k]);
    const weakest = [...best.set].sort((a, b) => (gains.get(a) ?? 0) - (gains.get(b) ?? 0)).slice(0, count);
    const without = await evaluateWithout(search, best, weakest);
    if (without === undefined) {
      k++;
      continue;
    }
    onStep({ code: "channels-removed", count, before: best.loss, after: without.loss });
    best = without;
  }
  return best;
}

/** Removes each channel, the last first, whose lack does not show. */
async function removeSingles(search: Search, from: Evaluation): Promise<Evaluation> {
  const { all, onStep } = search;
  let best = from;
  for (const [i, c] of [...from.set].reverse().entries()) {
    if (best.set.length === 1) break;
    reportProgress(search, "removing", best.set.length, i / from.set.length);
    const without = await evaluateWithout(search, best, [c]);
    if (without === undefined) continue;
    onStep({ code: "channel-removed", channel: all[c], before: best.loss, after: without.loss });
    best = without;
  }
  return best;
}

/** Standard errors by which a lack that shows in a screening need not be looked at in a whole run. */
const CLEAR = 3;

/** `from` without `channels`, where their lack does not show. */
async function evaluateWithout({ evaluator }: Search, from: Evaluation, channels: readonly number[]): Promise<Evaluation | undefined> {
  const left = from.set.filter((c) => !channels.includes(c));
  const rival = await evaluator.screen(from.set, from.learner);
  const own = await evaluator.race(left, from.learner, rival);
  if (own === undefined || evaluator.isBetter(rival, own, CLEAR)) return undefined;
  const without = await evaluator.evaluate(left);
  return evaluator.isBetter(from, without) ? undefined : without;
}
