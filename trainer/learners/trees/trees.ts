// Boosted trees as a learner: histogram bins, leaf-wise trees, a learnt direction for missing values (after LightGBM, Ke et al. 2017).
// Legend: N sequences, V columns.
import { type TreeEnsemble, treesLogit } from "../../../shared/trees.ts";
import type { FitRecord } from "../../training/journal.ts";
import type { Learner, Path, View } from "../learner.ts";
import { type BinnedView, type Boosted, type BoostInput, boost, toPath } from "./boosting.ts";
import { binColumns, findBinEdges } from "./edges.ts";
import { averageEnsembles } from "./ensemble.ts";
import { type BoostingKernel, createBoostingKernel, type KernelOptions } from "./kernel.ts";
import { type BoostingSettings, fasterSettings } from "./settings.ts";

export interface TreesOptions extends KernelOptions {
  /** Which of the view's columns trees may look at, ascending. Default: all. */
  readonly columns?: Int32Array;
  /** By the number of training sequences, as settings.ts has them. */
  readonly settings: (examples: number) => readonly BoostingSettings[];
  /** Called after each round; throws to leave. */
  readonly yieldToEventLoop?: () => Promise<void>;
}

/** Makes a learner on a kernel that runs as the command was asked to. */
export type CreateTrees = (options: Omit<TreesOptions, keyof KernelOptions>) => TreesLearner;

/** Its threads end with `dispose`. */
export type TreesLearner = Learner<TreeEnsemble, BoostingSettings> & { dispose(): void };

/**
 * A learner over one view at a time: bins and threads are kept from one fit to the next. One table of edges is cut from all sequences
 * of the view, no label used, so that the members of all folds can be averaged. Fits follow each other, whoever asks. `fit` throws FitError where training rows lack a class, and LimitError where memory does not suffice.
 */
export function createTrees(options: TreesOptions): TreesLearner {
  const { settings, yieldToEventLoop = async () => {} } = options;
  let binned: { readonly columns: Float64Array; readonly view: BinnedView } | undefined;
  let kernel: BoostingKernel | undefined;
  let last: Promise<unknown> = Promise.resolve();

  function bin({ columns, columnNames, lengths }: View): BinnedView {
    if (binned?.columns === columns) return binned.view;
    const wanted = options.columns ?? Int32Array.from(columnNames, (_, v) => v);
    const edges = findBinEdges(columns, columnNames.length, wanted);
    const cut = wanted.filter((v) => edges.edgeStart[v + 1] > edges.edgeStart[v]);
    const view = { edges, columns: cut, bins: binColumns(edges, columns, cut), sequences: lengths.length };
    binned = { columns, view };
    return view;
  }

  function openKernel({ sequences, columns }: BinnedView, { leaves, thresholds }: BoostingSettings): BoostingKernel {
    const shape = { rows: sequences, validationRows: sequences, columns: columns.length };
    const needs = { ...shape, leaves: Math.max(31, leaves), hasHistograms: thresholds === "best" };
    const suits = kernel && Object.entries(needs).every(([key, value]) => kernel!.shape[key as keyof typeof needs] === value);
    if (kernel && suits) return kernel;
    kernel?.dispose();
    kernel = createBoostingKernel(needs, options);
    return kernel;
  }

  async function run(view: View, input: Omit<BoostInput, "view" | "yieldToEventLoop">, record?: FitRecord): Promise<Path<TreeEnsemble>> {
    const own = bin(view);
    const known = record?.from as Boosted | undefined;
    const boosted = known ?? (await boost(openKernel(own, input.settings), { ...input, view: own, yieldToEventLoop }));
    if (known === undefined) record?.save(boosted);
    return toPath(boosted, own);
  }

  return {
    settings,
    fit(view, labels, rows, settings, seed, record) {
      const fit = last.catch(() => {}).then(() => run(view, { labels, rows, settings, seed }, record));
      last = fit;
      return fit;
    },
    logits(member, { columns, columnNames }, indices) {
      const V = columnNames.length;
      return Float64Array.from(indices, (n) => treesLogit(member, columns.subarray(n * V, (n + 1) * V)));
    },
    average: averageEnsembles,
    faster: fasterSettings,
    dispose: () => kernel?.dispose(),
  };
}
