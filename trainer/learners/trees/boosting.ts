// Gradient boosting on the logistic loss (Friedman 2001), round after round: gradients, a tree on some of the columns, its leaves added
// to the logits. Held-out rows say when to stop. Legend: N sequences, W columns that trees look at.
import { FitError, LimitError } from "../../../shared/errors.ts";
import type { TreeEnsemble } from "../../../shared/trees.ts";
import type { Labels } from "../../statistics/labels.ts";
import { createRandom, type Random } from "../../statistics/random.ts";
import { STREAMS } from "../../statistics/random-streams.ts";
import type { Path, Rows } from "../learner.ts";
import { type BinEdges, MISSING_BIN } from "./edges.ts";
import { joinTrees } from "./ensemble.ts";
import { type BoostingKernel, GRADIENTS, VALIDATE } from "./kernel.ts";
import { CHUNK, MAX_ROWS, round16 } from "./memory-map.ts";
import type { BoostingSettings } from "./settings.ts";
import { growTree, type NodeSums, type Selection, type Tree } from "./tree.ts";

/** Sequences in bins. */
export interface BinnedView {
  readonly edges: BinEdges;
  /** (W) which of the view's columns trees look at: those that have an edge, ascending. From here on a column is a place among them. */
  readonly columns: Int32Array;
  /** (W,N) */
  readonly bins: Uint8Array;
  /** N */
  readonly sequences: number;
}

export interface BoostInput {
  readonly view: BinnedView;
  /** (N) */
  readonly labels: Labels;
  readonly rows: Rows;
  readonly settings: BoostingSettings;
  readonly seed: number;
  readonly yieldToEventLoop: () => Promise<void>;
}

/** A whole path: trees, their summed losses, and the logit before the first. */
export interface Boosted {
  readonly trees: readonly Tree[];
  readonly losses: readonly number[];
  readonly base: number;
}

/**
 * Boosts on `rows.train` until `rows.validation` has not been better for `settings.patience` rounds; without validation rows, all
 * rounds. The path's losses are those of the float64 logits that treesLogit gives. Throws FitError where training rows lack a class.
 */
export async function boost(kernel: BoostingKernel, input: BoostInput): Promise<Boosted> {
  const { rows, settings, seed, view, yieldToEventLoop } = input;
  const base = kernel.log(oddsOf(input));
  load(kernel, input, base);
  const random = createRandom(seed, STREAMS.boosting);
  const { length: W } = view.columns;
  const selectedCount = Math.min(W, Math.max(1, Math.round(settings.columnFraction * W)));
  const select = createSelector(kernel, view, selectedCount);
  const trees: Tree[] = [];
  const losses: number[] = [];
  let selection: Selection | undefined;
  for (let round = 0, best = 0; round < settings.rounds && (round - best < settings.patience || rows.validation.length === 0); round++) {
    const isNewSelection = selection === undefined || selectedCount < W;
    if (isNewSelection) selection = select(random);
    const sums = computeGradients(kernel, rows.train.length);
    const key = [draw32(random), draw32(random)] as const;
    const tree = growTree(kernel, { rows: rows.train.length, sums, selection: selection!, isNewSelection, settings, key });
    trees.push(tree);
    place(kernel, tree);
    losses.push(validate(kernel, rows.validation.length));
    if (losses[round] < losses[best]) best = round;
    await yieldToEventLoop();
  }
  return { trees, losses, base };
}

/** The path of what was boosted on a view, as learners give it. */
export function toPath({ trees, losses, base }: Boosted, { edges, columns }: BinnedView): Path<TreeEnsemble> {
  return { losses: Float64Array.from(losses), at: (step) => joinTrees(edges, columns, trees.slice(0, step + 1), base) };
}

const draw32 = (random: Random): number => random.integer(2 ** 32);

/** Positive over negative training rows. */
function oddsOf({ labels, rows: { train } }: BoostInput): number {
  if (train.length > MAX_ROWS) {
    const hint = "take fewer sequences, or train without trees";
    throw new LimitError([], `boosted trees take ${MAX_ROWS} training sequences at most, got ${train.length}: ${hint}`, MAX_ROWS);
  }
  const positive = train.reduce((sum, n) => sum + labels[n], 0);
  if (positive > 0 && positive < train.length) return positive / (train.length - positive);
  const missing = positive === 0 ? 1 : 0;
  throw new FitError(
    `boosted trees need both classes among the training sequences, got none with label ${missing} among ${train.length}: ` +
      "take fewer folds, or another way of splitting",
  );
}

/** Puts rows, labels and settings into the kernel's memory; every logit starts with `base`. */
function load(kernel: BoostingKernel, { view, labels, rows, settings }: BoostInput, base: number): void {
  const { buffer, fields, set } = kernel;
  const { train, validation } = rows;
  const isRandom = settings.thresholds === "random" ? 1 : 0;
  set({ rows: train.length, pitch: round16(train.length), isRandom, minLeaf: settings.minLeaf });
  set({ validationRows: validation.length, validationPitch: round16(validation.length) });
  gather(view, train, new Uint8Array(buffer, fields.columns), round16(train.length));
  gather(view, validation, new Uint8Array(buffer, fields.validationColumns), round16(validation.length));
  const at = (n: number): number => labels[n];
  new Float32Array(buffer, fields.labels, train.length).set(Float32Array.from(train, at));
  new Float32Array(buffer, fields.validationLabels, validation.length).set(Float32Array.from(validation, at));
  new Float64Array(buffer, fields.scores, train.length).fill(base);
  new Float64Array(buffer, fields.validationScores, validation.length).fill(base);
  new Float64Array(buffer, fields.limits, 2).set([settings.l2, settings.minHessian]);
  // before the first tree all rows are in one leaf that adds nothing
  kernel.resetOrder(train.length);
  new Int32Array(buffer, fields.leafEnds, 1)[0] = train.length;
  new Float32Array(buffer, fields.leafValues, 1)[0] = 0;
}

/** (W,pitch) bins of some sequences, column after column. */
function gather({ bins, sequences, columns }: BinnedView, indices: Int32Array, to: Uint8Array, pitch: number): void {
  for (let w = 0; w < columns.length; w++) {
    const from = bins.subarray(w * sequences, (w + 1) * sequences);
    for (let row = 0, at = w * pitch; row < indices.length; row++, at++) to[at] = from[indices[row]];
  }
}

/** Draws the columns of a tree without replacement, and says so in the kernel's memory. */
function createSelector(kernel: BoostingKernel, { edges: { edgeStart }, columns, bins, sequences }: BinnedView, count: number) {
  const { buffer, fields } = kernel;
  const hasMissing = Uint8Array.from(columns, (_, w) => (bins.subarray(w * sequences, (w + 1) * sequences).includes(MISSING_BIN) ? 1 : 0));
  const edgeCounts = Int32Array.from(columns, (v) => edgeStart[v + 1] - edgeStart[v]);
  const order = Int32Array.from(columns, (_, w) => w);
  const blocks = Math.ceil(count / 16);
  return (random: Random): Selection => {
    if (count < order.length) random.shuffle(order);
    // columns with missing values cost twice, with all of their block: they stand together
    const chosen = order.slice(0, count).sort((a, b) => hasMissing[a] - hasMissing[b] || a - b);
    new Int32Array(buffer, fields.selected, count).set(chosen);
    new Int32Array(buffer, fields.edgeCounts, count).set(chosen.map((w) => edgeCounts[w]));
    const flags = new Int32Array(buffer, fields.hasMissing, blocks).fill(0);
    chosen.forEach((w, slot) => {
      flags[slot >> 4] |= hasMissing[w];
    });
    kernel.set({ selectedCount: count, blocks });
    return { columns: chosen, blocks };
  };
}

/** Adds the last tree to the training rows' logits; Σ gradients and Σ hessians of all rows, whole numbers. */
function computeGradients(kernel: BoostingKernel, rows: number): NodeSums {
  const chunks = Math.ceil(rows / CHUNK);
  kernel.run(GRADIENTS, chunks, rows);
  const sums = new Float64Array(kernel.buffer, kernel.fields.chunkSums, 2 * chunks);
  let gradients = 0;
  let hessians = 0;
  for (let chunk = 0; chunk < chunks; chunk++) {
    gradients += sums[2 * chunk];
    hessians += sums[2 * chunk + 1];
  }
  return { gradients, hessians };
}

/** Puts a tree where GRADIENTS and VALIDATE look for it. */
function place({ buffer, fields }: BoostingKernel, { column, edge, next, leaves, ends }: Tree): void {
  new Uint16Array(buffer, fields.treeColumn, column.length).set(column);
  new Uint16Array(buffer, fields.treeEdge, edge.length).set(edge);
  new Uint32Array(buffer, fields.treeNext, next.length).set(next);
  new Float32Array(buffer, fields.treeLeaves, leaves.length).set(leaves);
  new Int32Array(buffer, fields.leafEnds, ends.length).set(ends);
  new Float32Array(buffer, fields.leafValues, leaves.length).set(leaves);
}

/** Adds the last tree to the validation rows' logits; their summed loss, chunk after chunk. */
function validate(kernel: BoostingKernel, rows: number): number {
  const chunks = Math.ceil(rows / CHUNK);
  kernel.run(VALIDATE, chunks, rows);
  const sums = new Float64Array(kernel.buffer, kernel.fields.chunkSums, 2 * chunks);
  let loss = 0;
  for (let chunk = 0; chunk < chunks; chunk++) loss += sums[2 * chunk];
  return loss;
}
