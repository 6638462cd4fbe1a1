// Sequences beside a sample, for networks to learn from. Of windows only those whose neighbours in the sample are both learnt from, so that
// they share no row with a sequence that is held out which these do not share. Legend: N sequences, M further ones, T steps, C channels.
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { type Log, type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import { type Labelled, lengthsOf, take } from "../data/sequences.ts";
import type { Timeline } from "../readers/batch.ts";
import type { LabelledWindows } from "../readers/dataset.ts";
import { freeNow } from "../readers/free-now.ts";
import { ascending } from "../split/chronology.ts";
import type { Fold } from "../split/folds.ts";
import { type Labels, takeLabels } from "../statistics/labels.ts";
import type { FurtherData } from "../training/stepper.ts";
import type { TrainDependencies } from "./contract.ts";
import type { FoldedData } from "./prepare-folds.ts";
import type { Aside } from "./prepare-stored.ts";

/** Where the sequences of a sample lie, by position. */
export interface SampleParts {
  readonly timeline: Timeline;
  /** Positions to learn from. */
  readonly train: Int32Array;
  /** Positions are in the order of time: nothing else may lie between two neighbours, of whatever series. */
  readonly isByTime: boolean;
}

/** Sequences that are computed at once. */
const BLOCK = 4096;
/** Bytes of the channels of further sequences, at most: with the rest of a network's training they stay below WebAssembly's 4 GiB. */
const MAX_CHANNEL_BYTES = 1.5 * 2 ** 30;

/**
 * What networks learn from beside the sample, where there is one held-out part: the `rest`, and the windows of `data` between two that are
 * learnt from, which the fold as it was `dealt` has.
 */
export function openFurther(
  { data, usable, plan, aside }: FoldedData,
  { dealt, rest }: { readonly dealt: readonly Fold[]; readonly rest: Int32Array },
  recipe: Recipe,
  { kernel, onNote }: TrainDependencies,
): FurtherData | undefined {
  if (dealt.length > 1) return undefined;
  const own = takeFurther(aside ?? ofPositions(usable, rest), recipe, kernel.log);
  const { timeline } = usable;
  const windows =
    data.further &&
    timeline &&
    findFurther(data.further, { timeline, train: dealt[0].train, isByTime: plan.by === "time" }, recipe, kernel.log);
  const of = rest.length + (aside?.labels.length ?? 0) + (data.further?.first.length ?? 0);
  const further = joinFurther(own, windows);
  if (of > 0) onNote({ code: "further", sequences: further?.count ?? 0, of });
  return further;
}

/**
 * The further windows to learn from, of those of `windows`, as `recipe` sees them; undefined where there are none. Of more than fit into
 * the kernel's memory an even share is taken.
 */
export function findFurther(windows: LabelledWindows, parts: SampleParts, recipe: Recipe, log: Log): FurtherData | undefined {
  const { timesteps: T, channels } = recipe;
  const between = thin(listBetween(windows, parts), Math.floor(MAX_CHANNEL_BYTES / (4 * T * channels.length)));
  const kept = dropEmpty(windows, between, recipe);
  if (kept.length === 0) return undefined;
  const first = kept.map((m) => windows.first[m]);
  return computeBlocks(takeLabels(windows.labels, kept), recipe, log, (from, to) => windows.read(first.subarray(from, to)));
}

/** Whole sequences that may be learnt from beside a sample: their labels (M), and (n,T,F) those at `indices`. */
type Others = Pick<Aside, "labels" | "read">;

/** The sequences of `usable` at `positions`. */
function ofPositions({ values, labels }: Labelled, positions: Int32Array): Others {
  const size = values.length / labels.length;
  return {
    labels: takeLabels(labels, positions),
    read: (indices) => {
      const at = indices.map((m) => positions[m]);
      return take(values, at, size);
    },
  };
}

/** The others as further ones; undefined where there are none. Of more than fit into the kernel's memory an even share is taken. */
function takeFurther({ labels, read }: Others, recipe: Recipe, log: Log): FurtherData | undefined {
  const { timesteps: T, channels } = recipe;
  const kept = thin(ascending(labels.length), Math.floor(MAX_CHANNEL_BYTES / (4 * T * channels.length)));
  if (kept.length === 0) return undefined;
  return computeBlocks(takeLabels(labels, kept), recipe, log, (from, to) => read(kept.subarray(from, to)));
}

/** Further sequences by their `labels` (M), of which `read` gives the raw ones from one to before another. */
function computeBlocks(labels: Labels, recipe: Recipe, log: Log, read: (from: number, to: number) => Float64Array): FurtherData {
  const size = recipe.timesteps * recipe.channels.length;
  return {
    count: labels.length,
    labels,
    fill(values, lengths) {
      for (let from = 0; from < labels.length; from += BLOCK) {
        const raw = read(from, Math.min(labels.length, from + BLOCK));
        const block = applyRecipe(recipe, raw, log);
        values.set(block.channels, from * size);
        lengths.set(block.lengths, from);
        freeNow(raw, block.channels);
      }
    },
  };
}

/** Further sequences of both, those of `a` first. */
export function joinFurther(a: FurtherData | undefined, b: FurtherData | undefined): FurtherData | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const count = a.count + b.count;
  const labels = new Float32Array(count);
  labels.set(a.labels);
  labels.set(b.labels, a.count);
  return {
    count,
    labels,
    fill(values, lengths) {
      const size = values.length / count;
      a.fill(values.subarray(0, a.count * size), lengths.subarray(0, a.count));
      b.fill(values.subarray(a.count * size), lengths.subarray(a.count));
    },
  };
}

/** (M or fewer) which windows lie between two that are learnt from. */
export function listBetween({ first, seriesFirst }: LabelledWindows, { timeline, train, isByTime }: SampleParts): Int32Array {
  const { series, start } = timeline;
  const N = series.length;
  const isTrain = new Uint8Array(N);
  for (const n of train) isTrain[n] = 1;
  const others = new Int32Array(N + 1); // positions below that are not learnt from
  for (let n = 0; n < N; n++) others[n + 1] = others[n] + 1 - isTrain[n];
  const rowOf = (n: number): number => seriesFirst[series[n]] + start[n];
  const order = ascending(N).sort((a, b) => rowOf(a) - rowOf(b));
  const isOpen = (a: number, b: number): boolean =>
    series[a] === series[b] && isTrain[a] + isTrain[b] === 2 && (!isByTime || others[Math.max(a, b)] === others[Math.min(a, b)]);
  let next = 0; // the first of `order` that begins behind the window
  return ascending(first.length).filter((m) => {
    while (next < N && rowOf(order[next]) <= first[m]) next++;
    return next > 0 && next < N && isOpen(order[next - 1], order[next]);
  });
}

/** At most `count` of `indices`, evenly spread. */
function thin(indices: Int32Array, count: number): Int32Array {
  const step = Math.ceil(indices.length / count);
  return step <= 1 ? indices : indices.filter((_, i) => i % step === 0);
}

/** Those of `indices` that have a valid row. */
function dropEmpty(windows: LabelledWindows, indices: Int32Array, recipe: Recipe): Int32Array {
  const lengths = new Int32Array(indices.length);
  for (let from = 0; from < indices.length; from += BLOCK) {
    const block = indices.subarray(from, from + BLOCK).map((m) => windows.first[m]);
    lengths.set(lengthsOf(windows.read(block), shapeOf(recipe), recipe.padding), from);
  }
  return indices.filter((_, i) => lengths[i] > 0);
}
