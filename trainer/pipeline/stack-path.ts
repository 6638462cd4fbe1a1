// The whole path from sequences to a stack of learners: channels, view, folds, members, stack, calibration. Nested cross-validation walks
// it again and again. Judges nothing. Legend: N sequences to learn from, V columns, H held out in some fold.
import type { Predictor } from "../../shared/members.ts";
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { describeChannel } from "../../shared/recipe/channel.ts";
import { computeColumns } from "../../shared/recipe/columns.ts";
import { fitRecipe, fitView } from "../../shared/recipe/fit.ts";
import { type Plan, type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import { describeColumns, type TabularView } from "../../shared/recipe/tabular.ts";
import { openSeriesColumns } from "../../shared/series-columns.ts";
import { compactMembers } from "../artifact/compaction.ts";
import { type Labelled, positiveRate, requireBothClasses, selectSequences } from "../data/sequences.ts";
import { studyFeatures } from "../features/facts.ts";
import { planView } from "../features/view-plan.ts";
import { type ChannelView, selectView, type View } from "../learners/learner.ts";
import { chooseSettings, type LstmSettings } from "../learners/lstm/settings.ts";
import type { Fold } from "../split/folds.ts";
import { fitCalibration } from "../statistics/calibration.ts";
import { type Labels, takeLabels } from "../statistics/labels.ts";
import { shrinkCalibration } from "../statistics/shrinkage.ts";
import type { Journal } from "../training/journal.ts";
import type { FurtherData } from "../training/stepper.ts";
import type { TrainDependencies, TrainOptions } from "./contract.ts";
import { type CrossFitted, isNetwork, LEARNER_NAMES, type LearnerName, listHeldOut } from "./cross-fit.ts";
import { dealFolds } from "./deal-folds.ts";
import { openFurther } from "./further.ts";
import { type Joined, joinMembers } from "./join.ts";
import { type Kept, measureKept } from "./kept.ts";
import type { TrainNote } from "./note.ts";
import { choosePrecision } from "./precision.ts";
import type { FoldedData } from "./prepare-folds.ts";
import { planChannels, type Represented } from "./represent.ts";
import { takeSample } from "./sample.ts";
import { createStackLearners } from "./stack-learners.ts";
import type { Warning } from "./warning.ts";

/** What the path comes to. */
export interface StackFit {
  /** What scores. */
  readonly recipe: Recipe;
  readonly view?: TabularView;
  readonly predictor: Predictor;
  readonly positiveRate: number;
  /** The sequences learnt from, and what learners see of them. */
  readonly learnt: Labelled;
  readonly seen: View;
  /** (H) positions among `learnt`, fold after fold, and what the stack says of each out of its fold, calibrated: logits. */
  readonly heldOut: Int32Array;
  readonly outOfFold: Float64Array;
  readonly folds: number;
  readonly kept: Kept;
  readonly joined: Joined;
  readonly fitted: readonly CrossFitted[];
  /** What a network for so many sequences takes where no option says otherwise. */
  readonly usual: Pick<LstmSettings, "units" | "epochs">;
  /** Sequences beside those of `learnt` from which networks learnt. */
  readonly further: number;
  readonly warnings: readonly Warning[];
}

/** The share of what the feature search may see by which it judges, where there is one held-out part. */
const SEARCH_SHARE = 0.1;

/**
 * Walks the path on the sequences `train` of `folded`; `journal` keeps the search and the fits. Throws as represent and learners do, and
 * DataError where a fold lacks a class.
 */
export async function fitStackPath(
  folded: FoldedData,
  train: Int32Array,
  options: TrainOptions,
  dependencies: TrainDependencies,
  journal: Journal,
): Promise<StackFit> {
  const { data, usable, plan, validation, aside } = folded;
  const { labels } = usable;
  const dealt = aside?.dealt ?? dealFolds(plan, validation, train);
  const { folds, sample, rest } = takeSample(dealt, train);
  const sequences = aside?.sequences ?? dealt[0].train.length;
  if (rest.length > 0 || aside) dependencies.onNote({ code: "sampled", sequences, taken: folds[0].train.length });
  requireClasses(folds, labels, data.source);
  const planned = await searchOnce(folded, folds, options, dependencies, journal);
  const learnt = selectSequences(usable, sample, data.shape);
  const { recipe, tabular, channels } = computeChannels(planned.plan, learnt, dependencies);
  dependencies.onNote({ code: "channels", channels: planned.plan.channels });
  const local = toLocal(folds, sample);
  const wanted = listWanted(options);
  const learnsFromLabels = wanted.some(isNetwork) && planned.targets.some(({ teacher }) => teacher === "none");
  const further = learnsFromLabels ? openFurther(folded, { dealt, rest }, recipe, dependencies) : undefined;
  const input = { folded, learnt, tabular, folds: local, planned, journal, further };
  // networks look at no column, and what they take is free again before there are columns: the two are most of a run's memory
  const blind: View = { ...channels, columns: new Float64Array(0), columnNames: [] };
  const networks = await crossFitAll({ ...input, seen: blind, wanted: wanted.filter(isNetwork) }, options, dependencies);
  data.further?.free();
  const seen = addColumns(channels, { recipe, tabular, learnt }, dependencies);
  const others = await crossFitAll({ ...input, seen, wanted: wanted.filter((name) => !isNetwork(name)) }, options, dependencies);
  const fitted = [...others, ...networks];
  const heldOut = listHeldOut(local);
  const heldOutLabels = takeLabels(learnt.labels, heldOut);
  const cluster = heldOut.map((n) => plan.cluster[sample[n]]);
  const joined = joinMembers({ fitted, labels: heldOutLabels, cluster, folds: local, isByTime: plan.by === "time" });
  const kept = measureKept(joined.logits, heldOutLabels, cluster, plan.by === "time" ? local : []);
  const calibration = shrinkCalibration(fitCalibration(joined.logits, heldOutLabels), kept.share, kept.baseRate);
  const unseen = selectView(seen, heldOut);
  const asFitted = { members: joined.members, stack: joined.stack, calibration };
  const { predictor, facts } = choosePrecision(asFitted, unseen, heldOutLabels, options.precision, dependencies);
  if (facts) dependencies.onNote({ code: "precision", ...facts });
  const { view, members } = compactMembers(tabular, predictor.members);
  return {
    recipe,
    ...(view && { view }),
    predictor: { ...predictor, members },
    positiveRate: positiveRate(labels, train, aside?.labels),
    learnt,
    seen,
    heldOut,
    outOfFold: joined.logits.map((z) => calibration.slope * z + calibration.intercept),
    folds: folds.length,
    kept,
    joined,
    fitted,
    usual: chooseSettings(local[0].train.length, options.layers),
    further: further?.count ?? 0,
    warnings: planned.warnings,
  };
}

/** Throws DataError where a fold has one class to learn from. */
function requireClasses(folds: readonly Fold[], labels: Labels, source: string): void {
  const parts = Object.fromEntries(folds.map((fold, k) => [`training (fold ${k + 1} of ${folds.length})`, fold.train]));
  requireBothClasses(parts, labels, source);
}

type Planned = Awaited<ReturnType<typeof planChannels>>;

/** The feature search, or what it came to in the run that is taken up, with what it noted. */
async function searchOnce(
  folded: FoldedData,
  folds: readonly Fold[],
  options: TrainOptions,
  dependencies: TrainDependencies,
  journal: Journal,
): Promise<Planned> {
  const { by, overlap, gap } = folded.plan;
  const notes: TrainNote[] = [];
  const onNote = (note: TrainNote): void => {
    notes.push(note);
    dependencies.onNote(note);
  };
  const said = await journal.once("search", async () => {
    const planned = await planChannels({ ...folded, by, overlap, gap, ...searchParts(folded, folds) }, options, {
      ...dependencies,
      onNote,
    });
    return { planned, notes };
  });
  if (said.notes !== notes) for (const note of said.notes) dependencies.onNote(note);
  return said.planned;
}

/** What the feature search trains on and judges by: never the last fold, on which the LSTM has to earn its place. */
function searchParts({ plan }: FoldedData, folds: readonly Fold[]): { train: Int32Array; validation: Int32Array } {
  const last = folds[folds.length - 1];
  if (folds.length === 1) {
    const [, inner] = plan.deal(last.train, [1 - SEARCH_SHARE, SEARCH_SHARE]);
    return { train: inner.train, validation: inner.heldOut };
  }
  const { train, heldOut } = folds[folds.length - 2];
  const isOpen = new Set(last.train);
  return { train: train.filter((n) => isOpen.has(n)), validation: heldOut.filter((n) => isOpen.has(n)) };
}

/** Folds as positions among `train`. */
function toLocal(folds: readonly Fold[], train: Int32Array): Fold[] {
  const place = new Map(Array.from(train, (n, i) => [n, i]));
  const local = (positions: Int32Array): Int32Array => positions.map((n) => place.get(n)!);
  return folds.map((fold) => ({ train: local(fold.train), heldOut: local(fold.heldOut) }));
}

/** The recipe and the tabular view, fitted on all sequences to learn from, and what networks see of these. */
function computeChannels(plan: Plan, learnt: Labelled, { kernel }: TrainDependencies) {
  const { values } = learnt;
  const { timesteps, features, padding, inputs } = plan;
  const shape = shapeOf(plan);
  const all = Int32Array.from(learnt.labels.keys());
  const recipe = fitRecipe(plan, values, all, kernel.log);
  const { constant, lowest, clock, statics } = studyFeatures(values, shape, all, padding, inputs);
  const moving = Array.from(features.keys()).filter((f) => !constant.includes(f) && f !== clock);
  const positive = moving.filter((f) => lowest[f] > 0);
  const tabular = fitView(planView({ timesteps, moving, positive, statics, channels: plan.channels }), recipe, values, all, kernel.log);
  const { channels, lengths } = applyRecipe(recipe, values, kernel.log);
  const names = plan.channels.map((channel) => describeChannel(channel, features));
  const view: ChannelView = { channels, lengths, timesteps, names };
  return { recipe, tabular, channels: view };
}

/** What all learners see of the sequences to learn from. */
function addColumns(
  channels: ChannelView,
  { recipe, tabular, learnt }: { readonly recipe: Recipe; readonly tabular: TabularView; readonly learnt: Labelled },
  { kernel }: TrainDependencies,
): View {
  const columns = computeColumns(tabular, recipe, learnt.values, kernel.log, openSeriesColumns(kernel));
  return { ...channels, columns, columnNames: describeColumns(tabular, recipe.features) };
}

interface CrossFitAllInput {
  readonly folded: FoldedData;
  readonly learnt: Labelled;
  readonly seen: View;
  readonly tabular: TabularView;
  /** Among `learnt`. */
  readonly folds: readonly Fold[];
  readonly planned: Pick<Represented, "plan" | "targets">;
  readonly journal: Journal;
  readonly further?: FurtherData;
  readonly wanted: readonly LearnerName[];
}

async function crossFitAll(
  { folded, learnt, seen, tabular, folds, planned, journal, further, wanted }: CrossFitAllInput,
  options: TrainOptions,
  dependencies: TrainDependencies,
): Promise<CrossFitted[]> {
  const { seed, units, epochs, batch, layers } = options;
  const settingsFor = (examples: number) => {
    const usual = chooseSettings(examples, layers);
    return { ...usual, units: units ?? usual.units, epochs: epochs ?? usual.epochs, batch: batch ?? usual.batch };
  };
  const learners = createStackLearners(
    {
      view: seen,
      tabular,
      channels: planned.plan.channels,
      targets: planned.targets,
      examples: folds[0].train.length,
      further,
      settingsFor,
      wanted,
    },
    dependencies,
  );
  try {
    const input = { view: seen, labels: learnt.labels, folds, gap: folded.plan.gap, seed, onFold: dependencies.onFold };
    const fitted: CrossFitted[] = [];
    for (const { name, crossFit } of learners.fitters)
      fitted.push(await journal.once(name, (inner) => crossFit({ ...input, journal: inner })));
    return fitted;
  } finally {
    learners.dispose();
  }
}

/** Who is asked by `--learner`: of all learners one network, that of `--layers` where they are given. */
function listWanted({ learner = "auto", layers }: TrainOptions): readonly LearnerName[] {
  return learner === "auto" ? LEARNER_NAMES.filter((name) => name !== (layers ? "lstm" : "layers")) : ALONE[learner];
}

const ALONE: Readonly<Record<Exclude<NonNullable<TrainOptions["learner"]>, "auto">, readonly LearnerName[]>> = {
  lstm: ["lstm"],
  layers: ["layers"],
  trees: ["trees", "greedy trees", "quantile trees"],
  linear: ["linear"],
};
