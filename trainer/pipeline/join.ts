// Who speaks in a model, and how much: learners after all folds → a stack, by rule. Knows out-of-fold logits, no member's inside.
// Legend: H held-out sequences, M members.

import type { Member, Stack } from "../../shared/members.ts";
import type { Fold } from "../split/folds.ts";
import { mean } from "../statistics/descriptive.ts";
import { type Labels, takeLabels } from "../statistics/labels.ts";
import { logLossOfLogit } from "../statistics/log-loss.ts";
import { stretchedGain } from "../statistics/paired.ts";
import { fitStack, stackLogits } from "../statistics/stack.ts";
import { type CrossFitted, isNetwork, type LearnerName } from "./cross-fit.ts";

/** What a learner is worth. */
export interface LearnerWorth {
  readonly name: LearnerName;
  /** Mean out-of-fold log loss alone. */
  readonly logLoss: number;
  /** In the stack; 0 where it was left out. */
  readonly weight: number;
}

export interface Joined {
  /** Those that speak; the stack's weights are in their order. */
  readonly members: readonly Member[];
  readonly stack: Stack;
  /** (H) out-of-fold logits of the stack. */
  readonly logits: Float64Array;
  /** Mean log loss of these. */
  readonly logLoss: number;
  /** All that were fitted. */
  readonly learners: readonly LearnerWorth[];
  /** Of the network, where it had to earn its place: what it gains beside the others out of folds. */
  readonly gate?: Gate;
}

/** What the network gains beside the others out of folds, in nats; how many of its standard errors were asked for; and whether it joins. */
export interface Gate {
  readonly gain: number;
  readonly standardError: number;
  readonly asked: number;
  readonly joins: boolean;
  /** Which network; left out: the lstm. */
  readonly learner?: "layers";
}

export interface JoinInput {
  readonly fitted: readonly CrossFitted[];
  /** (H) labels and clusters of the held-out sequences, fold after fold. */
  readonly labels: Labels;
  readonly cluster: Int32Array;
  readonly folds: readonly Pick<Fold, "heldOut">[];
  /** Folds are stretches of time: what comes later may not be like what was held out. */
  readonly isByTime: boolean;
}

/**
 * Standard errors by which the network must better the stack without it. By time two: ungated, it hurts where data drift (LEARNERS: +.015 nats),
 * which no held-out stretch foretells. Else what is held out is like what comes. Where that is many, a weight for a member that adds nothing
 * costs next to nothing, 1/2H nats, and a member left out costs what it adds, so that any gain is enough (measured: docs/experiments.md).
 */
const ASKED = { byTime: 2, few: 1, many: 0 } as const;
/** Clusters of held-out sequences from which they are many: 1/2H is 0.0002 nats. */
const MANY = 3000;

/** A weight that people read as 0.00: its member would take a share of the artifact and of every score, and change no logit by 0.05. */
const MIN_WEIGHT = 0.005;

/**
 * Stacks learners: linear and trees always, the network only where stacks with it better stacks of the others by more than the clustered
 * standard errors that are asked, each judged on a fold that it was not fitted on, and better them on the last fold alone, too, which the
 * feature search has not seen. Whoever gets no weight, or less than MIN_WEIGHT, is left out.
 */
export function joinMembers(input: JoinInput): Joined {
  const { fitted, labels } = input;
  const others = fitted.filter(({ name }) => !isNetwork(name));
  const gate = others.length > 0 && others.length < fitted.length ? testGate(input, others) : undefined;
  const joined = gate?.joins === false ? others : fitted;
  const logitsOf = (from: readonly CrossFitted[]): Float64Array[] => from.map(({ outOfFold }) => outOfFold);
  const fit = fitStack(logitsOf(joined), labels);
  const { intercept } = fit;
  const weights = fit.weights.map((weight) => (weight < MIN_WEIGHT ? 0 : weight));
  const speaking = joined.filter((_, m) => weights[m] > 0);
  const kept = speaking.length > 0 ? speaking : joined.slice(0, 1); // a stack of nobody is its intercept, said by one that has no weight
  const stack = { weights: kept.map((own) => weights[joined.indexOf(own)]), intercept };
  const logits = stackLogits(stack, logitsOf(kept));
  return {
    members: kept.map(({ member }) => member),
    stack,
    logits,
    logLoss: mean(lossesOf(labels, logits)),
    learners: fitted.map((own) => ({ name: own.name, logLoss: own.loss, weight: weights[joined.indexOf(own)] ?? 0 })),
    ...(gate && { gate }),
  };
}

/** A stretch of the held-out sequences on which stacks are judged that are fitted on the others. */
type Stretch = readonly [from: number, to: number];

/** The folds; of one held-out part, which the feature search has not seen at all, each half. */
function gateStretches(folds: JoinInput["folds"]): readonly Stretch[] {
  const sizes = folds.map(({ heldOut }) => heldOut.length);
  if (sizes.length === 1) sizes.splice(0, 1, Math.floor(sizes[0] / 2), Math.ceil(sizes[0] / 2));
  let from = 0;
  return sizes.map((size): Stretch => [from, (from += size)]);
}

/**
 * All folds tell more than the last alone (measured on labels that 500 sequences hold, with and without drift: the last fold let an LSTM
 * in that cost 3 % of the log loss, and kept out those that gained); the last must not object, since the search chose channels on the others.
 */
function testGate({ fitted, labels, cluster, folds, isByTime }: JoinInput, others: readonly CrossFitted[]): Gate {
  const stretches = gateStretches(folds);
  const [without, withIt] = [others, fitted].map((from) => judgeStacks(from, labels, stretches));
  const sizes = isByTime ? folds.map(({ heldOut }) => heldOut.length) : [];
  const { mean: gain, standardError } = stretchedGain(without, withIt, cluster, sizes);
  const [unseen] = folds.length === 1 ? [0] : stretches[stretches.length - 1];
  const objects = mean(withIt.subarray(unseen)) >= mean(without.subarray(unseen));
  const asked = isByTime ? ASKED.byTime : new Set(cluster).size < MANY ? ASKED.few : ASKED.many;
  const isOfLayers = fitted.some(({ name }) => name === "layers");
  return { gain, standardError, asked, joins: gain > asked * standardError && !objects, ...(isOfLayers && { learner: "layers" }) };
}

/** (H) losses on each stretch of a stack that is fitted on the others. */
function judgeStacks(from: readonly CrossFitted[], labels: Labels, stretches: readonly Stretch[]): Float64Array {
  const positions = Int32Array.from(labels.keys());
  const losses = new Float64Array(labels.length);
  for (const [start, end] of stretches) {
    const outside = positions.filter((i) => i < start || i >= end);
    const stack = fitStack(
      from.map(({ outOfFold }) => Float64Array.from(outside, (i) => outOfFold[i])),
      takeLabels(labels, outside),
    );
    const logits = stackLogits(
      stack,
      from.map(({ outOfFold }) => outOfFold.subarray(start, end)),
    );
    losses.set(lossesOf(labels.subarray(start, end), logits), start);
  }
  return losses;
}

function lossesOf(labels: Labels, logits: Float64Array): Float64Array {
  return logits.map((z, i) => logLossOfLogit(labels[i], z));
}
