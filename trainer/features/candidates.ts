// The channels worth looking at for a data set, from facts about its features.
import type { Base, Channel, View } from "../../shared/recipe/channel.ts";
import { type FeatureFacts, featuresWithGaps } from "./facts.ts";

/** Below this ratio of largest to smallest, a logarithm is a straight line to within what a network cares about. */
const MIN_LOG_RANGE = 1.5;
/** Features whose typical values differ by more than this factor are not compared with each other. */
const SIMILAR = 4;
const MAX_PAIRS = 60;

/** Features that are not constant and not sums of others, and no time of a row. */
export function usefulFeatures({ constant, relations, mean, clock }: FeatureFacts): number[] {
  const redundant = relations.map(({ feature }) => feature);
  return Array.from(mean.keys()).filter((f) => !constant.includes(f) && !redundant.includes(f) && f !== clock);
}

/** Useful features that may be compared with each other, the most alike in magnitude first: no categories, and none that never moves. */
function similarPairs(facts: FeatureFacts): { readonly a: number; readonly b: number }[] {
  const useful = usefulFeatures(facts).filter((f) => !facts.statics.includes(f) && !facts.levels.includes(f));
  const typical = (f: number): number => Math.abs(facts.mean[f]) + facts.deviation[f];
  return useful
    .flatMap((a, i) => useful.slice(i + 1).map((b) => ({ a, b, unlike: Math.abs(Math.log(typical(a) / typical(b))) })))
    .filter(({ unlike }) => unlike <= Math.log(SIMILAR))
    .sort((p, q) => p.unlike - q.unlike);
}

/** Pairs of features of similar magnitude for which `listCandidates` has no room. */
export function countPairsLeftOut(facts: FeatureFacts): number {
  return Math.max(0, similarPairs(facts).length - MAX_PAIRS);
}

/** Every view of every useful feature, what is known of gaps and times, and differences and log ratios of the pairs that are most alike in magnitude. */
export function listCandidates(facts: FeatureFacts, timesteps: number): Channel[] {
  const { lowest, highest } = facts;
  const useful = usefulFeatures(facts);
  const moves = timesteps > 1; // with one row a sequence, a delta is never defined and every row is its own mean
  const views = (...always: View[]): View[] => (moves ? always : always.filter((view) => view === "level" || view === "log"));
  const channels = useful.flatMap((a): Channel[] => {
    const hasLog = lowest[a] > 0 && highest[a] / lowest[a] > MIN_LOG_RANGE;
    if (facts.statics.includes(a))
      return (hasLog ? (["level", "log"] as const) : (["level"] as const)).map((view) => ({ base: "feature", a, view }));
    const list = views("level", "delta", "centred", ...(hasLog ? (["log", "logDelta"] as const) : []), "absDelta", "logAbsDelta");
    return list.map((view) => ({ base: "feature", a, view }));
  });
  for (const { a, b } of similarPairs(facts).slice(0, MAX_PAIRS)) {
    const bases: Base[] = [{ base: "difference", a, b }];
    if (lowest[a] > 0 && lowest[b] > 0) bases.push({ base: "logRatio", a, b });
    for (const base of bases) for (const view of views("level", "delta")) channels.push({ ...base, view });
  }
  return [...channels, ...gapChannels(facts, timesteps), ...(moves ? clockChannels(facts) : [])];
}

/** Where rows have times: how long it was since the row before, and how far every useful feature moved a second. */
function clockChannels(facts: FeatureFacts): Channel[] {
  const { clock } = facts;
  if (clock === undefined) return [];
  return [
    { base: "feature", a: clock, view: "logAbsDelta" },
    ...usefulFeatures(facts)
      .filter((a) => !facts.statics.includes(a))
      .map((a): Channel => ({ base: "feature", a, view: "rate" })),
  ];
}

/**
 * Of every feature that lacks numbers, constant ones too: whether it is observed, and how long ago it was. Of useful ones and of pairs
 * also levels and deltas with nothing in place of what is missing, and of pairs levels with medians there: a value carried on looks like
 * one that came again.
 */
function gapChannels(facts: FeatureFacts, timesteps: number): Channel[] {
  const lacking = featuresWithGaps(facts);
  const bases = timesteps > 1 ? (["observed", "sinceObserved"] as const) : (["observed"] as const);
  const views = timesteps > 1 ? (["level", "delta"] as const) : (["level"] as const);
  const whereObserved = true as const;
  return [
    ...lacking.flatMap((a) => bases.map((base): Channel => ({ base, a, view: "level" }))),
    ...usefulFeatures(facts)
      .filter((a) => lacking.includes(a))
      .flatMap((a) => views.map((view): Channel => ({ base: "feature", a, view, whereObserved }))),
    ...similarPairs(facts)
      .slice(0, MAX_PAIRS)
      .filter(({ a, b }) => lacking.includes(a) || lacking.includes(b))
      .flatMap(({ a, b }): Channel[] => [
        { base: "difference", a, b, view: "level", whereObserved },
        { base: "difference", a, b, view: "level", medianFilled: true },
      ]),
  ];
}

/** Level and delta of every useful feature, in logarithms where they say more, and what is observed: what one would try by hand. */
export function plainChannels(facts: FeatureFacts, timesteps: number): Channel[] {
  const observed = featuresWithGaps(facts).map((a): Channel => ({ base: "observed", a, view: "level" }));
  const channels = usefulFeatures(facts).flatMap((a): Channel[] => {
    const hasLog = facts.lowest[a] > 0 && facts.highest[a] / facts.lowest[a] > MIN_LOG_RANGE;
    const views: View[] = hasLog ? ["log", "logDelta"] : ["level", "delta"];
    return (timesteps > 1 && !facts.statics.includes(a) ? views : views.slice(0, 1)).map((view) => ({ base: "feature", a, view }));
  });
  return [...channels, ...observed];
}
