// What a diagnosis is, and its path: facts, is there anything to learn, what was tried, what cures it, and the proof.
// Knows no file and no terminal. Legend: N sequences, T steps, F features.
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { describeChannel } from "../../shared/recipe/channel.ts";
import { fitRecipe } from "../../shared/recipe/fit.ts";
import type { Log, Plan } from "../../shared/recipe/recipe.ts";
import type { Shape } from "../../shared/sequence.ts";
import { take } from "../data/sequences.ts";
import { usefulFeatures } from "../features/candidates.ts";
import { findOverlap, type Overlap } from "../split/overlap.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import type { CreateStepper } from "../training/stepper.ts";
import { prove } from "./ablations.ts";
import { createLab, type Setup } from "./experiments.ts";
import { studyData } from "./facts.ts";
import { drawSample, MAX_SEQUENCES } from "./folds.ts";
import { chosenByMost, closePairs, findHidden, listCandidates } from "./hidden.ts";
import { accuse } from "./hypotheses.ts";
import { studyLabels } from "./label-facts.ts";
import { listProbes } from "./probes.ts";
import type { Tried } from "./setup.ts";
import { findSignal, type Signal } from "./signal.ts";
import type { Tensors } from "./tensors.ts";
import { studyTestPart } from "./test-part.ts";
import { findUsable } from "./usable.ts";
import { conclude } from "./verdict.ts";

export const CAUSE_CODES = [
  "features-unscaled",
  "movement-tiny",
  "difference-hidden",
  "padding-unmasked",
  "learning-rate-high",
  "learning-rate-low",
  "no-signal",
  "label-conflict",
  "leak",
  "drift-in-file",
  "redundant-feature",
  "constant-feature",
  "non-finite",
  "labels-invalid",
  "one-class",
  "too-few",
  "overfit",
  "undertrained",
] as const;
export type CauseCode = (typeof CAUSE_CODES)[number];
export type Certainty = "proven" | "likely" | "fact";

export interface Cause {
  readonly code: CauseCode;
  /** One sentence with its numbers. */
  readonly evidence: string;
  readonly remedy: string;
  readonly certainty: Certainty;
  /** Nats of held-out log loss it moves: the larger of the two experiments where there were any, else an estimate from the data. */
  readonly gain?: number;
  /** Nats gained by adding its cure to what was tried, and lost by taking it out of the cured recipe. */
  readonly added?: number;
  readonly removed?: number;
}

/** What is diagnosed: as read leniently, so numbers may be non-finite and labels anything. */
export interface DiagnosisData {
  readonly source: string;
  /** (N,T,F) */
  readonly values: Float64Array;
  /** (N) as they stand in the file; null where there are none. */
  readonly labels: ArrayLike<number> | null;
  readonly shape: Shape;
  readonly features: readonly string[];
  readonly float32: boolean;
  readonly test: { readonly values: Float64Array; readonly labels: ArrayLike<number> } | null;
}

export interface DiagnosisOptions {
  readonly tried: Tried;
  readonly seed: number;
  /** Causes that something else accuses, such as the user's own curve: `undertrained`, `overfit`. */
  readonly suspects?: readonly CauseCode[];
}

export interface DiagnosisHost {
  readonly log: Log;
  readonly createStepper: CreateStepper;
  /** Gives the event loop a turn; may throw, to leave. */
  yieldToEventLoop(): Promise<void>;
  note?(text: string): void;
}

/** How a network was trained in the experiments. */
export interface Outcome {
  readonly plan: Plan;
  /** Mean held-out log loss in nats over all seeds. */
  readonly loss: number;
  readonly auc: number | null;
  /** Mean held-out log loss before training and at eight points along it. */
  readonly curve: readonly number[];
  /** Log loss on the sequences trained on, at the end. */
  readonly trainLoss: number;
  /** Change of the weights in one step near the end, as a share of their size: about 1e-3 where training goes well. */
  readonly updateRatio: number;
  /** Share of the gates i, f and o that stand below 0.05 or above 0.95 in the end. */
  readonly saturation: number;
}

export interface Diagnosis {
  readonly verdict: { readonly code: CauseCode | "healthy"; readonly text: string };
  /** The first holds the loss; facts that do not hold it come last. */
  readonly causes: readonly Cause[];
  readonly examples: number;
  readonly positiveRate: number | null;
  /** Entropy of the base rate, and accuracy of always answering the majority; null where labels cannot be used. */
  readonly baseRateLoss: number | null;
  readonly majorityAccuracy: number | null;
  readonly tried: (Outcome & { readonly settings: Tried }) | null;
  /** What cures it, null where nothing was trained. Where the verdict is `healthy` it is what was tried. */
  readonly cured: (Outcome & { readonly settings: Tried; readonly earlyStopping: boolean }) | null;
  /** Nats gained by curing one proven or likely cause after the other, the first first. */
  readonly joint: readonly { readonly code: CauseCode; readonly gain: number }[];
  /** What the networks' own numbers say; null where nothing was trained. */
  readonly tensors: { readonly tried: Tensors; readonly cured: Tensors } | null;
  /** Whether there is anything to learn; null where nothing was trained. */
  readonly signal: Signal | null;
  /** Sequences that separate training and held-out ones where neighbours share rows; 0 where the order means nothing. */
  readonly gap: number;
  /** Data facts that are no cause, one sentence each. */
  readonly notes: readonly string[];
}

/** Numbers in the table of all candidates: 80 MB as float32. */
const MAX_TABLE = 20_000_000;
/** Sequences that one run of an experiment sees: on few data, and on many. */
const BUDGET = [32_000, 100_000] as const;
const FEW = 8000;
/** Longer sequences cost more each, and as many more to learn: fewer are seen, so that an answer comes in time. */
const LONG = 128;

/** Never throws for data that are merely bad: what is wrong with them is the answer. */
export async function diagnose(data: DiagnosisData, options: DiagnosisOptions, host: DiagnosisHost): Promise<Diagnosis> {
  const { shape, features: names } = data;
  const { tried, seed } = options;
  const { usable, causes: blocking, notes, canWork } = findUsable(data);
  const { values, labels } = usable;
  if (!canWork) return conclude({ blocking, facts: studyTestPart(data), notes, labels, gap: 0, tested: null });
  const say = (text: string): void => host.note?.(text);

  const facts = studyData(values, labels, shape, names);
  const overlap = findOverlap(values, shape, facts.reading);
  const labelFacts = studyLabels(values, labels, shape, names, facts.reading, overlap);
  notes.push(...facts.notes);
  const candidates = listCandidates(facts, shape.timesteps);
  const most = Math.min(MAX_SEQUENCES, Math.floor(MAX_TABLE / (shape.timesteps * candidates.channels.length)));
  const sample = drawSample(overlap, labels, shape.timesteps, most, createRandom(seed, STREAMS.diagnosisSample));
  const { order, gap, folds, blocks } = sample;
  if (order.length < labels.length) notes.push(`looked at ${order.length} of ${labels.length} sequences, drawn by seed ${seed}`);
  if (facts.features.constant.length === shape.features)
    return conclude({
      blocking: [...blocking, ...facts.causes],
      facts: [...labelFacts, ...studyTestPart(data)],
      notes,
      labels,
      gap,
      tested: null,
    });
  if (folds.length === 0)
    return conclude({
      blocking: [...blocking, describeUncuttable(overlap)],
      facts: [...labelFacts, ...studyTestPart(data), ...facts.causes],
      notes,
      labels,
      gap,
      tested: null,
    });
  const own = take(values, order, shape.timesteps * shape.features);
  const y = Uint8Array.from(order, (n) => labels[n]);
  const rate = y.reduce((sum, label) => sum + label, 0) / y.length;
  const plan: Plan = {
    timesteps: shape.timesteps,
    features: names,
    padding: facts.reading,
    channels: candidates.channels,
    standardise: true,
  };
  const everyone = Int32Array.from(y.keys());
  const recipe = fitRecipe(plan, own, everyone, host.log);
  const table = applyRecipe(recipe, own, host.log);
  await host.yieldToEventLoop();

  const signal = findSignal(
    listProbes(table, candidates.channels.length, shape.timesteps, y),
    y,
    gap,
    createRandom(seed, STREAMS.diagnosisSignal),
  );
  say(
    `signal: AUC ${signal.auc.toFixed(3)} by ${signal.probe}, p = ${signal.p.toFixed(3)} (${signal.smallest.toFixed(3)} would be found with 80 % power)`,
  );
  await host.yieldToEventLoop();
  const pairs = closePairs(candidates, recipe.scale, facts);
  const differences = folds.map(({ train }) => findHidden(candidates, pairs, table, y, train));
  const movements = Array.from({ length: candidates.movements }, (_, i) => candidates.levels + i);
  const chosen = { movement: movements, difference: chosenByMost(differences) };
  const name = (c: number): string => describeChannel(candidates.channels[c], names);
  const { tried: triedSetup, accusations } = accuse({
    tried,
    examples: labels.length,
    names,
    facts,
    movement: chosen.movement.map(name),
    difference: chosen.difference.map(name),
    budget: BUDGET[order.length > FEW ? 1 : 0] * Math.min(1, (LONG / shape.timesteps) ** 2),
    suspects: options.suspects ?? [],
  });
  say(`accused: ${accusations.map(({ code }) => code).join(", ") || "nothing"}`);
  const lab = createLab({
    values: own,
    labels: y,
    shape,
    features: names,
    folds,
    channels: candidates.channels,
    movement: movements,
    difference: differences,
    seed,
    host,
  });
  const proof = await prove({
    lab,
    tried: triedSetup,
    accusations,
    labels: y,
    rate,
    blocks,
    random: createRandom(seed, STREAMS.diagnosisBootstrap),
    say,
  });
  const levels = usefulFeatures(facts.features);
  const planOf = ({ view }: Setup, isCure: boolean): Plan => {
    const added = [...(view.movement ? chosen.movement : []), ...(view.difference ? chosen.difference : [])];
    const kept = !isCure ? [...names.keys()] : view.levels || added.length === 0 ? levels : [];
    const channels = [...kept, ...added].map((c) => candidates.channels[c]);
    return { timesteps: shape.timesteps, features: names, padding: view.padding, channels, standardise: view.scaled };
  };
  return conclude({
    blocking,
    facts: [...labelFacts, ...studyTestPart(data), ...facts.causes],
    notes,
    labels,
    gap,
    tested: {
      settings: tried,
      signal,
      proof,
      triedPlan: planOf(proof.tried.setup, false),
      curedPlan: planOf(proof.cured.setup, proof.isCure),
      sampled: y,
      tensors: { tried: lab.examine(proof.tried.setup), cured: lab.examine(proof.cured.setup) },
    },
  });
}

function describeUncuttable({ components }: Overlap): Cause {
  return {
    code: "too-few",
    certainty: "fact",
    evidence: `the sequences share rows in ${components} ${components === 1 ? "series" : "families"}, and no part of them held out leaves both labels on either side`,
    remedy: "bring sequences of more, or longer, series",
  };
}
