// The learners of a stack for one view: which of its columns each looks at. Legend: V columns of the view.
import { asMember, type Predictor } from "../../shared/members.ts";
import { countWeights } from "../../shared/networks/count-weights.ts";
import type { LayeredNetwork } from "../../shared/networks/layers.ts";
import type { Network } from "../../shared/networks/lstm.ts";
import type { Channel } from "../../shared/recipe/channel.ts";
import { type Column, columnsOf, type TabularView } from "../../shared/recipe/tabular.ts";
import type { TreeEnsemble } from "../../shared/trees.ts";
import { isSame } from "../features/candidate-choice.ts";
import type { DistillationTarget } from "../features/distillation.ts";
import { forColumns } from "../features/view-plan.ts";
import type { View } from "../learners/learner.ts";
import { createLinearLearner, type LinearSettings } from "../learners/linear/linear.ts";
import { createLstmLearner } from "../learners/lstm/lstm-learner.ts";
import type { LstmSettings } from "../learners/lstm/settings.ts";
import { flatViewSettings, greedySettings, quantileViewSettings } from "../learners/trees/settings.ts";
import type { FurtherData } from "../training/stepper.ts";
import type { TrainDependencies } from "./contract.ts";
import { type CrossFitter, createCrossFitter, isNetwork, type LearnerName } from "./cross-fit.ts";

export interface StackLearnersInput {
  /** Of the sequences to learn from alone: bin edges and scales come from all of them. */
  readonly view: View;
  readonly tabular: TabularView;
  /** What the feature search found. */
  readonly channels: readonly Channel[];
  /** What the network may learn from. */
  readonly targets: readonly DistillationTarget[];
  /** As LstmLearnerOptions has it. */
  readonly further?: FurtherData;
  settingsFor(examples: number): LstmSettings;
  /** Training sequences of the first fold. */
  readonly examples: number;
  readonly wanted: readonly LearnerName[];
}

/** Learners by name, and what ends their threads. */
export interface StackLearners {
  readonly fitters: readonly CrossFitter[];
  dispose(): void;
}

/** Numbers in a linear model's table of columns, at most: sets of columns that make more are not tried beside the first. */
const MAX_LINEAR = 8_000_000;

/** Of a folds' average, as it is counted: an artifact takes a MiB at most, and networks and golden vectors need the rest. */
const MAX_BYTES = { trees: 450_000, "greedy trees": 150_000, "quantile trees": 300_000, networks: 1_000_000 } as const;

/** The first of the folds' networks that an artifact has room for, one in any case. */
function fitNetworks(networks: readonly (Network | LayeredNetwork)[]): readonly (Network | LayeredNetwork)[] {
  return networks.slice(0, Math.max(1, Math.floor(MAX_BYTES.networks / (4 * countWeights(networks[0])))));
}

/**
 * What an ensemble is counted as: 8 bytes a node, where a file has 3. Twice the rounds would fit, at 1.1 to 1.6 times the time of a sequence;
 * higher learning rates lower the log loss as much for nothing (measured: docs/experiments.md).
 */
function bytesOfEnsemble({ column, leaves, edges }: TreeEnsemble): number {
  return 8 * column.length + 4 * leaves.length + 8 * edges.length;
}

/** The learners of boosted trees, by the columns that they see. */
const TREES = [
  {
    isSeen: isFlat,
    learners: [
      { name: "trees", settings: flatViewSettings },
      { name: "greedy trees", settings: greedySettings },
    ],
  },
  { isSeen: isQuantile, learners: [{ name: "quantile trees", settings: quantileViewSettings }] },
] as const;

/** Makes the learners that are `wanted`, in the order of the names. */
export function createStackLearners(input: StackLearnersInput, dependencies: TrainDependencies): StackLearners {
  const { view, tabular, channels, targets, settingsFor, examples, further, wanted } = input;
  const { createStepper, createEngine, createTrees, yieldToEventLoop } = dependencies;
  const columns = columnsOf(tabular);
  const sequences = view.lengths.length;
  const isWanted = (name: LearnerName): boolean => wanted.includes(name);
  const fitters: CrossFitter[] = [];
  const disposables: { dispose(): void }[] = [];
  if (isWanted("linear")) {
    const learner = createLinearLearner(limitVariants(listVariants(columns, tabular, channels), sequences));
    fitters.push(createCrossFitter("linear", learner, { toMember: (classifier) => ({ kind: "linear", classifier }) }));
  }
  for (const { isSeen, learners } of TREES) {
    const own = positionsOf(columns, (column) => isSeen(column) && !isLogarithm(column, tabular));
    const asked = learners.filter(({ name, settings }) => isWanted(name) && settings(examples).length > 0);
    if (asked.length === 0 || !own.some((v) => varies(view.columns, columns.length, v))) continue;
    // one for all of these columns: bins are cut once
    const trees = createTrees({ columns: Int32Array.from(own), settings: asked[0].settings, yieldToEventLoop });
    disposables.push(trees);
    for (const { name, settings } of asked) {
      const size = { max: MAX_BYTES[name], bytesOf: bytesOfEnsemble };
      fitters.push(createCrossFitter(name, { ...trees, settings }, { toMember: (ensemble) => ({ kind: "trees", ensemble }), size }));
    }
  }
  for (const name of wanted.filter(isNetwork)) {
    const engineOf = (predictor: Predictor) => createEngine(predictor);
    const learner = createLstmLearner({ targets, settingsFor, further }, { createStepper, createEngine: engineOf, yieldToEventLoop });
    fitters.push(createCrossFitter(name, learner, { toMember: (networks) => asMember(fitNetworks(networks)) }));
  }
  return {
    fitters,
    dispose() {
      for (const disposable of disposables) disposable.dispose();
    },
  };
}

/** Whether column `v` of V has two values, or one and a missing one. */
function varies(columns: Float64Array, V: number, v: number): boolean {
  for (let i = v + V; i < columns.length; i += V) if (!Object.is(columns[i], columns[v])) return true;
  return false;
}

function positionsOf(columns: readonly Column[], isTaken: (column: Column) => boolean): number[] {
  return columns.flatMap((column, v) => (isTaken(column) ? [v] : []));
}

function isFlat({ kind }: Column): boolean {
  return kind !== "quantile";
}

function isQuantile(column: Column): boolean {
  return column.kind === "quantile" || column.kind === "length" || (column.kind === "level" && column.isConstant === true);
}

/** Of a logarithm beside its level: the order of values is the level's, so that trees see nothing new in most of them. */
function isLogarithm(column: Column, { series }: TabularView): boolean {
  return column.kind !== "length" && series[column.series].view === "log" && series[column.series].base === "feature";
}

/** Sets of columns for a linear model: the steps of what the search found; levels, their logarithms where there are any, or both; all of them, or statistics and the last row alone. */
function listVariants(columns: readonly Column[], tabular: TabularView, channels: readonly Channel[]): LinearSettings[] {
  const { series } = tabular;
  const hasLogarithm = series.map(
    ({ base, a }) => base === "feature" && series.some((own) => own.base === "feature" && own.view === "log" && own.a === a),
  );
  const isLevelOfLog = (column: Column): boolean =>
    column.kind !== "length" && hasLogarithm[column.series] && series[column.series].view === "level";
  const isSummary = (column: Column): boolean =>
    column.kind === "statistic" || column.kind === "length" || (column.kind === "level" && column.part === 0);
  const scales: readonly [name: string, isTaken: (column: Column) => boolean][] = [
    ["levels", (column) => !isLogarithm(column, tabular)],
    ["logarithms", (column) => !isLevelOfLog(column)],
    ["levels and logarithms", () => true],
  ];
  const isFound = (column: Column): boolean =>
    (column.kind === "level" || column.kind === "length") &&
    (column.kind === "length" || channels.some((channel) => isSame(forColumns(channel), series[column.series])));
  const found = { name: "channels", columns: positionsOf(columns, isFound) };
  const all = scales.slice(0, hasLogarithm.includes(true) ? scales.length : 1).flatMap(([name, isTaken]) => [
    { name, columns: positionsOf(columns, (column) => isFlat(column) && isTaken(column)) },
    { name: `${name}, statistics`, columns: positionsOf(columns, (column) => isSummary(column) && isTaken(column)) },
  ]);
  return [found, ...all];
}

/** Those that are small enough; the smallest in any case. */
function limitVariants(variants: readonly LinearSettings[], sequences: number): readonly LinearSettings[] {
  const fitting = variants.filter(({ columns }) => columns.length * sequences <= MAX_LINEAR);
  return fitting.length > 0 ? fitting : [variants.reduce((a, b) => (b.columns.length < a.columns.length ? b : a))];
}
