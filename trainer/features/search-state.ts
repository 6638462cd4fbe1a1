// What the steps of a feature search share: its candidates and their evaluator, how wide the data are, and where the search stands.
// On data of many features the search leaves work undone, so that its time grows no faster than the features; it says what.
import { type Channel, tellsOfGaps } from "../../shared/recipe/channel.ts";
import { isSame } from "./candidate-choice.ts";
import { type CandidateEvaluator, createCandidateEvaluator, type EvaluationInput } from "./candidate-evaluation.ts";
import { countPairsLeftOut, listCandidates, plainChannels } from "./candidates.ts";
import type { FeatureFacts } from "./facts.ts";
import { blocksOf } from "./score-test.ts";

/** What a step of the search gained or lost: held-out log losses. */
export type SearchStep =
  | { readonly code: "channel-added" | "channel-removed"; readonly channel: Channel; readonly before: number; readonly after: number }
  /** Levels where observed, or levels and deltas of all features, take the place of what was found or join it; a teacher's probabilities that of labels. */
  | { readonly code: WholesaleStep | "teacher-pays"; readonly before: number; readonly after: number }
  /** Those that tell least by themselves, together. */
  | { readonly code: "channels-removed"; readonly count: number; readonly before: number; readonly after: number }
  /** Nothing betters the base rate: levels and deltas of all features stand in. */
  | { readonly code: "nothing-found" }
  | ({ readonly code: "left-untried" } & LeftUntried);

/** A whole other set takes the place of what was found, or joins it. */
export type WholesaleStep = "observed-levels-instead" | "plain-channels-instead" | "plain-channels-added";

/** What a search on many features had no time for. */
export interface LeftUntried {
  /** Pairs of features of similar magnitude that were not compared. */
  readonly pairs: number;
  /** Views of features and of pairs that were not candidates, since all candidates of all sequences must fit into memory. */
  readonly views: number;
  /** Candidates that were tested alone, but not beside the channels found first. */
  readonly candidates: number;
  /** Channels that were removed in groups at most, not one by one. */
  readonly channels: number;
}

/** Where a search stands. */
export interface SearchProgress {
  readonly stage: "adding" | "comparing" | "removing" | "teachers";
  /** Channels found so far. */
  readonly channels: number;
  /** How much is done, 0 to 1: an estimate on the low side. */
  readonly share: number;
}

/** Channels found one by one, at most. */
export const MAX_CHANNELS = 10;
/** Levels and deltas up to which every candidate is tested in every round, and every channel's lack shows by a run of its own. */
const MAX_NARROW = 20;
/** With more, so many candidates go on to the second round: those that tell most by themselves. */
export const SHORTLIST = 100;
/** With more, candidates times steps of a sequence, so that the table of all candidates holds a thousand sequences of each part. */
const MAX_NUMBERS = 20_000;
/** What all steps of a search need. */
export interface Search {
  readonly evaluator: CandidateEvaluator;
  /** (K) candidates, and the plain channels that are none of them. */
  readonly all: readonly Channel[];
  /** Positions in `all` of levels and deltas of all features. */
  readonly plain: readonly number[];
  /** Whether there are so many features that not everything can be tried. */
  readonly isWide: boolean;
  /** Grows while the search goes on. */
  readonly leftUntried: { -readonly [K in keyof LeftUntried]: LeftUntried[K] };
  /** The blocks of candidate `c` of the tested sequences, for score tests. */
  blocksOf(c: number): Float64Array;
  onStep(step: SearchStep): void;
  onProgress(progress: SearchProgress): void;
}

/** Who hears of a search while it goes on. */
export interface SearchListeners {
  onStep?(step: SearchStep): void;
  onProgress?(progress: SearchProgress): void;
}

/** A search among the candidates that `facts` of the training part suggest. */
export function openSearch(
  input: EvaluationInput,
  facts: FeatureFacts,
  { onStep = () => {}, onProgress = () => {} }: SearchListeners,
): Search {
  const T = input.shape.timesteps;
  const plain = plainChannels(facts, T);
  const isWide = plain.filter((channel) => !tellsOfGaps(channel)).length > MAX_NARROW;
  const listed = listCandidates(facts, T);
  const candidates = isWide ? limitCandidates(listed, plain, Math.max(plain.length, Math.floor(MAX_NUMBERS / T))) : listed;
  const all = [...candidates, ...plain.filter((channel) => !candidates.some((known) => isSame(known, channel)))];
  const evaluator = createCandidateEvaluator(input, all);
  const blocks = isWide ? undefined : all.map((_, c) => blocksOf(evaluator.tested, T, c));
  return {
    evaluator,
    all,
    plain: plain.map((channel) => all.findIndex((known) => isSame(known, channel))),
    isWide,
    leftUntried: { pairs: countPairsLeftOut(facts), views: listed.length - candidates.length, candidates: 0, channels: 0 },
    blocksOf: (c) => blocks?.[c] ?? blocksOf(evaluator.tested, T, c), // of many they would take more memory than time
    onStep,
    onProgress,
  };
}

/** At most `max` of `candidates`, in their order: levels and deltas of all features in any case, then the first of the others. */
function limitCandidates(candidates: readonly Channel[], plain: readonly Channel[], max: number): readonly Channel[] {
  if (candidates.length <= max) return candidates;
  let room = max - plain.length;
  return candidates.filter((channel) => plain.some((known) => isSame(known, channel)) || room-- > 0);
}

/** Shares of a search's time, at most, after which it adds, and removes, no more channels. */
const ADDING = 0.7;
const REMOVING = 0.9;

/** `part` of this round is done; whatever may follow counts as if it does. */
export function reportProgress({ onProgress, all }: Search, stage: SearchProgress["stage"], channels: number, part: number): void {
  const rounds = Math.min(MAX_CHANNELS, all.length);
  const share = {
    adding: (ADDING * (channels + part)) / rounds,
    comparing: ADDING,
    removing: ADDING + (REMOVING - ADDING) * part,
    teachers: REMOVING,
  };
  onProgress({ stage, channels, share: share[stage] });
}
