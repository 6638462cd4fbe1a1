// Whether boosted trees or a linear model on columns clearly do better than the best network of the experiments, on the same held-out
// sequences, and which few columns suffice. Legend: M sequences of the sample.
import type { Column } from "../../../shared/recipe/tabular.ts";
import type { Padding } from "../../../shared/sequence.ts";
import type { TreeEnsemble } from "../../../shared/trees.ts";
import { clusteredGain } from "../../statistics/paired.ts";
import { type FitsInput, fitLinear, fitTrees, meanOfNumbers, type OutOfFold, strengthAt } from "./fits.ts";
import { findTellers, MAX_PAIRED, type Reason, rankColumns, reasonOfOne, reasonOfTwo, type Tellers, weighSplits } from "./reason.ts";
import { type ColumnTable, type ColumnTableInput, tabulate } from "./table.ts";

/** What columns say that a network does not. */
export interface ColumnsFinding {
  readonly learner: "trees" | "linear";
  /** Held-out log losses: of the learner on all columns, and of the best network. */
  readonly loss: number;
  readonly networkLoss: number;
  /** Their mean difference, and its standard error over what shares rows. */
  readonly gain: number;
  readonly standardError: number;
  readonly reason: Reason;
  /** A few columns that nearly suffice, and the held-out log loss of the learner on them. */
  readonly columns: readonly number[];
  readonly columnsLoss: number;
  /** Rounds of the trees on these columns, or the penalty of the linear model on the mean log loss. */
  readonly rounds: number;
  readonly penalty: number;
  /** How zero rows are read. */
  readonly padding: Padding;
  readonly table: Pick<ColumnTable, "tabular" | "columns"> & { readonly names: readonly string[] };
}

export interface ColumnsStudyInput extends ColumnTableInput, Omit<FitsInput, "view"> {
  /** (M) held-out losses of the best network; NaN where a sequence was not held out. */
  readonly networkLosses: Float64Array;
  /** (M) what is not independent. */
  readonly blocks: Int32Array;
  readonly baseRateLoss: number;
}

/** Standard errors by which a learner must be better, and nats: less than a hundredth nobody notices. */
const CLEARLY = 3;
const MIN_GAIN = 0.01;
/** And the share of what there is to learn. */
const MIN_SHARE = 0.05;
/** Few columns suffice where they tell this share of what all tell. */
const ENOUGH = 0.9;
/** Numbers in the table: more sequences are left out evenly. */
const MAX_NUMBERS = 2_000_000;
/** Where few do not suffice: so many of them. */
const SIZES = [4, 8, 16];

/** Undefined where no learner does clearly better. */
export async function studyColumns(whole: ColumnsStudyInput): Promise<ColumnsFinding | undefined> {
  const input = thin(whole);
  if (input.moving.length === 0) return undefined;
  const table = tabulate(input);
  if (table.columns.length === 0) return undefined;
  const fits: FitsInput = { ...input, view: table.view };
  const wide = await fitTrees(fits);
  const tellers = tellersOf(fits, table.columns, wide.member, input.baseRateLoss);
  const trees = await fitPairToo(fits, wide, tellers, input.baseRateLoss);
  const linear = await fitLinear(fits);
  const learner = linear.loss <= trees.loss + MIN_GAIN / 2 ? "linear" : "trees";
  const best = learner === "linear" ? linear : trees;
  const compared = Array.from(best.losses.keys()).filter((n) => !Number.isNaN(best.losses[n] - input.networkLosses[n]));
  const of = (losses: Float64Array): Float64Array => Float64Array.from(compared, (n) => losses[n]);
  const blocks = compared.map((n) => input.blocks[n]);
  const { mean: gain, standardError } = clusteredGain(of(input.networkLosses), of(best.losses), blocks);
  const learnable = input.baseRateLoss - best.loss;
  if (!(gain > CLEARLY * standardError && gain >= Math.max(MIN_GAIN, MIN_SHARE * learnable))) return undefined;
  const asked = { fits, columns: table.columns, baseRateLoss: input.baseRateLoss, learnable };
  const few = learner === "linear" ? await findLinear(asked) : await findTrees(asked, tellers);
  return {
    learner,
    loss: best.loss,
    networkLoss: meanOfNumbers(input.networkLosses),
    gain,
    standardError,
    ...few,
    padding: input.plan.padding,
    table: { tabular: table.tabular, columns: table.columns, names: table.view.columnNames },
  };
}

type Few = Pick<ColumnsFinding, "reason" | "columns" | "columnsLoss" | "rounds" | "penalty">;

interface FewInput {
  readonly fits: FitsInput;
  /** Of the table. */
  readonly columns: readonly Column[];
  readonly baseRateLoss: number;
  /** Nats below the base rate that the learner reaches on all columns. */
  readonly learnable: number;
}

/** Of the columns that trees use, and of last rows, which they may miss where two tell only together. */
function tellersOf(fits: FitsInput, columns: readonly Column[], member: TreeEnsemble, baseRateLoss: number): Tellers {
  const ranked = rankColumns(weighSplits(member, fits.view));
  const last = [...columns.keys()].filter((v) => {
    const column = columns[v];
    return column.kind === "level" && column.part === 0 && !ranked.slice(0, MAX_PAIRED / 2).includes(v);
  });
  const first = [...ranked.slice(0, MAX_PAIRED / 2), ...last.slice(0, MAX_PAIRED / 2)];
  return findTellers(fits, columns, [...new Set([...first, ...ranked])], baseRateLoss);
}

/** The better of trees on all columns and of trees on the pair, where two columns in bins tell more than the former. */
async function fitPairToo(
  fits: FitsInput,
  wide: OutOfFold<TreeEnsemble>,
  { pair, pairGain }: Tellers,
  baseRateLoss: number,
): Promise<OutOfFold<TreeEnsemble>> {
  if (pair === undefined || pairGain <= baseRateLoss - wide.loss) return wide;
  const own = await fitTrees(fits, pair);
  return own.loss < wide.loss ? own : wide;
}

/** The first of one column, two, or more that suffices. */
async function findTrees({ fits, baseRateLoss, learnable }: FewInput, tellers: Tellers): Promise<Few> {
  const { ranked } = tellers;
  const sets: (readonly number[])[] = [[tellers.one], ...(tellers.pair ? [tellers.pair] : []), ...SIZES.map((n) => ranked.slice(0, n))];
  for (const [i, columns] of sets.entries()) {
    const fit = await fitTrees(fits, columns);
    if (baseRateLoss - fit.loss < ENOUGH * learnable && i < sets.length - 1) continue;
    const reason =
      columns.length === 1
        ? reasonOfOne(fits, columns[0], baseRateLoss - fit.loss, baseRateLoss)
        : ((columns.length === 2 ? reasonOfTwo(fits, tellers) : undefined) ?? ({ kind: "many", columns } as const));
    return { reason, columns, columnsLoss: fit.loss, rounds: fit.step + 1, penalty: 0 };
  }
  throw new RangeError("the last set of columns is always taken");
}

/** The fewest of the columns that no others add up to; where these do not suffice, of all. */
async function findLinear({ fits, columns: all, baseRateLoss, learnable }: FewInput): Promise<Few> {
  const independent = [...all.keys()].filter((v) => isIndependent(all[v]));
  const rankings = [await rankByWeight(fits, independent), await rankByWeight(fits, [...all.keys()])];
  const sets = rankings.flatMap((ranked) => [1, 2, ...SIZES].filter((size) => size <= ranked.length).map((size) => ranked.slice(0, size)));
  sets.push(rankings[1]);
  for (const [i, columns] of sets.entries()) {
    const fit = await fitLinear(fits, columns);
    if (baseRateLoss - fit.loss < ENOUGH * learnable && i < sets.length - 1) continue;
    const shown = columns.slice(0, SIZES[0]);
    const rises = shown.map((v) => fit.member.weights[fit.member.columns.indexOf(v)] > 0);
    return { reason: { kind: "linear", columns: shown, rises }, columns, columnsLoss: fit.loss, rounds: 0, penalty: strengthAt(fit.step) };
  }
  throw new RangeError("the last set of columns is always taken");
}

async function rankByWeight(fits: FitsInput, wanted: readonly number[]): Promise<number[]> {
  const { member } = await fitLinear(fits, wanted);
  const weights = new Float64Array(fits.view.columnNames.length);
  member.columns.forEach((v, w) => {
    weights[v] = Math.abs(member.weights[w]);
  });
  return rankColumns(weights);
}

/** Changes, means and slopes are sums of levels. */
function isIndependent(column: Column): boolean {
  if (column.kind === "statistic")
    return column.statistic !== "mean" && column.statistic !== "lastMinusFirst" && column.statistic !== "slope";
  return column.kind === "level" || column.kind === "length";
}

/** Every so-manieth sequence, so that the table of all columns is not too large. */
function thin(input: ColumnsStudyInput): ColumnsStudyInput {
  const { values, labels, folds, networkLosses, blocks, plan, moving } = input;
  const size = plan.timesteps * plan.features.length;
  const columns = moving.length * (2 * Math.min(plan.timesteps, 24) + 6); // about
  const stride = Math.max(1, Math.ceil((labels.length * columns) / MAX_NUMBERS));
  const distinct = folds.filter(({ heldOut }, k) => folds.findIndex((other) => other.heldOut[0] === heldOut[0]) === k);
  if (stride === 1) return { ...input, folds: distinct };
  const kept = Int32Array.from(labels.keys()).filter((n) => n % stride === 0);
  const local = (positions: Int32Array): Int32Array => positions.filter((n) => n % stride === 0).map((n) => n / stride);
  const taken = new Float64Array(kept.length * size);
  kept.forEach((n, i) => {
    taken.set(values.subarray(n * size, (n + 1) * size), i * size);
  });
  return {
    ...input,
    values: taken,
    labels: labels.filter((_, n) => n % stride === 0),
    networkLosses: networkLosses.filter((_, n) => n % stride === 0),
    blocks: blocks.filter((_, n) => n % stride === 0),
    folds: distinct.map(({ train, heldOut }) => ({ train: local(train), heldOut: local(heldOut) })),
  };
}
