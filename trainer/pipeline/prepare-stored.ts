// First step of a stack's training run where sequences are in a file, since there are very many: those that every learner sees, or that are
// held out or tested, are read; the rest stays where it is, for networks to learn from. Every sequence is looked at once for the split.
// Legend: N usable sequences, by position in the plan's order; K of them that are read.
import { DataError } from "../../shared/errors.ts";
import type { Padding } from "../../shared/sequence.ts";
import type { Labelled } from "../data/sequences.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import type { StoredSequences } from "../readers/stored-sequences.ts";
import { digestSequences } from "../split/digests.ts";
import { type Fold, type FoldPlan, planFolds } from "../split/folds.ts";
import { renumber } from "../split/groups.ts";
import { type Labels, takeLabels } from "../statistics/labels.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import type { TrainOptions } from "./contract.ts";
import { dealFolds } from "./deal-folds.ts";
import type { TrainNote } from "./note.ts";
import { STILL } from "./prepare.ts";
import { takeSample } from "./sample.ts";

/** What is not read of sequences to learn from, and what was made of all of them. */
export interface Aside {
  /** The held-out part, by positions among those that were read, and the sample to learn from. */
  readonly dealt: readonly Fold[];
  /** Sequences that could be learnt from: the sample and the rest. */
  readonly sequences: number;
  /** (M) labels of the rest; `read` gives (n,T,F) those at `indices`. */
  readonly labels: Labels;
  read(indices: Int32Array): Float64Array;
  /** (N) of all sequences: equal ones have the same number below `distinct`, and each has its label. */
  readonly equals: { readonly ids: Int32Array; readonly count: number; readonly labels: Labels };
}

export interface PreparedStored {
  /** (K) those that were read, in the plan's order. */
  readonly usable: Labelled;
  /** Of these; the gap and the reason are those of all. */
  readonly plan: FoldPlan;
  readonly aside?: Aside;
  /** Sequences without a valid row. */
  readonly leftOut: number;
  /** Features that lack a number in some sequence. */
  readonly gaps: readonly number[];
}

/** Who is tested, of so many usable sequences; throws where there are too few. */
type Share = (labels: Labels) => number;

interface StoredDependencies {
  onNote(note: TrainNote): void;
  readonly chooseTestShare: Share;
  /** As takeSample takes it (tests). */
  readonly maxSample?: number;
}

/** Splits all sequences and reads those that are needed. Throws DataError, FitError, UsageError as prepareFolds does. */
export function prepareStored(
  data: LabelledDataset & { readonly stored: StoredSequences },
  padding: Padding,
  { seed, split: method, horizon }: TrainOptions,
  { onNote, chooseTestShare, maxSample }: StoredDependencies,
): PreparedStored {
  const { stored, shape, source } = data;
  const { numbers, overlap, content, hasGaps, moves } = digestSequences(stored.blocks(), stored.count, shape, padding);
  const leftOut = stored.count - numbers.length;
  if (numbers.length === 0) throw new DataError(source, `all ${stored.count} sequences are nothing but padding`);
  if (leftOut > 0) onNote({ code: "left-out", source, sequences: leftOut });
  const labels = takeLabels(data.labels, numbers);
  const testShare = chooseTestShare(labels);
  if (!moves.includes(1) && !hasGaps.includes(1)) throw new DataError(source, STILL);
  const plan = planFolds({
    values: new Float64Array(0),
    digests: { overlap, content },
    labels,
    groups: data.groups && numbers.map((n) => data.groups![n]),
    orderedBy: data.orderedBy,
    shape,
    padding,
    method,
    horizon,
    testShare,
    createRandom: () => createRandom(seed, STREAMS.split),
  });
  onNote({ code: "split", split: plan });
  const place = plan.order.map((n) => numbers[n]); // by position: where it stands in the file
  const gaps = Array.from(hasGaps.keys()).filter((f) => hasGaps[f] === 1);
  return { ...readNeeded(data, plan, place, maxSample), leftOut, gaps };
}

/** The sequences that are held out, tested or in the sample, the plan of these, and what is beside them. */
function readNeeded(
  { stored, labels, probability, groups }: LabelledDataset & { readonly stored: StoredSequences },
  plan: FoldPlan,
  place: Int32Array,
  maxSample: number | undefined,
): Pick<PreparedStored, "usable" | "plan" | "aside"> {
  const dealt = dealFolds(plan, new Int32Array(0), plan.train);
  const { folds, sample, rest } = takeSample(dealt, plan.train, maxSample);
  const kept = Int32Array.from([...sample, ...plan.test]).sort();
  const own = kept.map((n) => place[n]);
  const usable: Labelled = {
    values: stored.read(own),
    labels: takeLabels(labels, own),
    probability: probability && Float64Array.from(own, (n) => probability[n]),
    groups: groups && own.map((n) => groups[n]),
  };
  const local = localOf(kept, plan.order.length);
  const read = { usable, plan: keepOf(plan, kept, local) };
  if (rest.length === 0) return read;
  const restPlace = rest.map((n) => place[n]);
  const aside: Aside = {
    dealt: folds.map(({ train, heldOut }) => ({ train: train.map(local), heldOut: heldOut.map(local) })),
    sequences: dealt[0].train.length,
    labels: takeLabels(labels, restPlace),
    read: (indices) => stored.read(indices.map((m) => restPlace[m])),
    equals: { ids: plan.overlap.copy, count: plan.overlap.distinct, labels: takeLabels(labels, place) },
  };
  return { ...read, aside };
}

/** (N) → its position among `kept`, −1 where it is none of them. */
function localOf(kept: Int32Array, N: number): (position: number) => number {
  const local = new Int32Array(N).fill(-1);
  kept.forEach((n, k) => {
    local[n] = k;
  });
  return (n) => local[n];
}

/** The plan by positions among `kept`, which holds all of its test part; what is dealt is dealt as the whole plan does. */
function keepOf(plan: FoldPlan, kept: Int32Array, local: (position: number) => number): FoldPlan {
  const isKept = (n: number): boolean => local(n) >= 0;
  const { copy, component, offset } = plan.overlap;
  const { deal } = plan; // all that is held on to of the whole plan
  const [copies, components] = [copy, component].map((ids) => renumber(kept.map((n) => ids[n])));
  const count = (ids: Int32Array): number => ids.reduce((max, id) => Math.max(max, id), -1) + 1;
  return {
    ...plan,
    order: kept.map((n) => plan.order[n]),
    train: plan.train.filter(isKept).map(local),
    test: plan.test.map(local),
    cluster: kept.map((n) => plan.cluster[n]),
    crossesParts: Math.round((plan.crossesParts * kept.length) / plan.order.length), // as a share of those that are kept
    overlap: {
      ...plan.overlap,
      copy: copies,
      distinct: count(copies),
      component: components,
      components: count(components),
      offset: kept.map((n) => offset[n]),
    },
    deal: (positions, shares) =>
      deal(
        positions.map((k) => kept[k]),
        shares,
      ).map(({ train, heldOut }) => ({ train: train.map(local), heldOut: heldOut.map(local) })),
  };
}
