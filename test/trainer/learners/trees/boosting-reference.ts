// Boosting as it is defined, slow and obvious, on binned columns: the oracle of the kernel. Sums are of whole numbers, as the kernel's.
// Legend: N sequences, W columns.
import type { BinnedView } from "../../../../trainer/learners/trees/boosting.ts";
import type { BoostingSettings } from "../../../../trainer/learners/trees/settings.ts";
import { createRandom } from "../../../../trainer/statistics/random.ts";
import { STREAMS } from "../../../../trainer/statistics/random-streams.ts";

const UNIT = 2 ** 22;
const MISSING = 255;

interface Node {
  rows: number[];
  asked: number;
  split?: { gain: number; column: number; edge: number; missingLeft: boolean; isLearnt: boolean };
  children?: [Node, Node];
}

/** One node of a tree in preorder: a split with its gain (`isLearnt`: values were missing there), or a leaf with its value (before float32). */
export type ReferenceNode =
  | { column: number; edge: number; missingLeft: boolean; isLearnt: boolean; gain: number; rows: number }
  | { value: number; rows: number };

/** Trees of so many rounds, grown on `train`. */
export function boostSlowly(view: BinnedView, labels: Uint8Array, train: Int32Array, settings: BoostingSettings, seed: number) {
  const { edgeStart } = view.edges;
  const edgesOf = (w: number): number => edgeStart[view.columns[w] + 1] - edgeStart[view.columns[w]];
  const binOf = (w: number, n: number): number => view.bins[w * view.sequences + n];
  const count = Math.max(1, Math.round(settings.columnFraction * view.columns.length));
  const order = Int32Array.from(view.columns, (_, w) => w);
  const random = createRandom(seed, STREAMS.boosting);
  const hasMissing = (w: number): boolean => view.bins.subarray(w * view.sequences, (w + 1) * view.sequences).includes(MISSING);
  const positive = train.reduce((sum, n) => sum + labels[n], 0);
  const logits = new Float64Array(view.sequences).fill(Math.log(positive / (train.length - positive)));
  const trees: ReferenceNode[][] = [];

  for (let round = 0; round < settings.rounds; round++) {
    if (count < order.length) random.shuffle(order);
    const columns = Array.from(order.slice(0, count)).sort((a, b) => Number(hasMissing(a)) - Number(hasMissing(b)) || a - b);
    const [low, high] = [random.integer(2 ** 32), random.integer(2 ** 32)];
    const g = logits.map((z, n) => Math.round((sigmoid(z) - labels[n]) * UNIT));
    const h = logits.map((z) => Math.max(1, Math.round(sigmoid(z) * (1 - sigmoid(z)) * UNIT)));
    const sum = (of: Float64Array, rows: readonly number[]): number => rows.reduce((total, n) => total + of[n], 0);
    const score = (rows: readonly number[]): number => sum(g, rows) ** 2 / (sum(h, rows) + settings.l2 * UNIT);

    const findSplit = (node: Node): void => {
      const own = score(node.rows);
      const key = (BigInt(high) << 32n) | BigInt((low + node.asked) % 2 ** 32);
      for (const [slot, column] of columns.entries()) {
        const isMissing = (n: number): boolean => binOf(column, n) === MISSING;
        const drawn = Number((draw(key, slot) * BigInt(edgesOf(column))) >> 32n);
        const edges = settings.thresholds === "random" ? [drawn] : Array.from({ length: edgesOf(column) }, (_, e) => e);
        for (const edge of edges) {
          const present = node.rows.filter((n) => !isMissing(n) && binOf(column, n) <= edge);
          const directions = node.rows.some(isMissing) ? [false, true] : [2 * present.length >= node.rows.length];
          for (const missingLeft of directions) {
            const left = node.rows.filter((n) => (isMissing(n) ? missingLeft : binOf(column, n) <= edge));
            const right = node.rows.filter((n) => (isMissing(n) ? !missingLeft : binOf(column, n) > edge));
            if (Math.min(left.length, right.length) < settings.minLeaf) continue;
            if (Math.min(sum(h, left), sum(h, right)) < settings.minHessian * UNIT) continue;
            const gain = (score(left) + score(right) - own) / UNIT;
            if (gain > Math.max(node.split?.gain ?? 0, 1e-9))
              node.split = { gain, column, edge, missingLeft, isLearnt: directions.length > 1 };
          }
        }
      }
    };

    const root: Node = { rows: Array.from(train), asked: 0 };
    let asked = 1;
    findSplit(root);
    const leaves = [root];
    while (leaves.length < settings.leaves) {
      const best = leaves.reduce((a, b) => ((b.split?.gain ?? 0) > (a.split?.gain ?? 0) ? b : a));
      if (best.split === undefined) break;
      const { column, edge, missingLeft } = best.split;
      const isLeft = (n: number): boolean => (binOf(column, n) === MISSING ? missingLeft : binOf(column, n) <= edge);
      const left: Node = { rows: best.rows.filter(isLeft), asked: 0 };
      const right: Node = { rows: best.rows.filter((n) => !isLeft(n)), asked: 0 };
      // the child with fewer rows is asked first
      for (const child of left.rows.length <= right.rows.length ? [left, right] : [right, left]) child.asked = asked++;
      for (const child of [left, right]) findSplit(child);
      best.children = [left, right];
      leaves.splice(leaves.indexOf(best), 1, left);
      leaves.push(right);
    }

    const tree: ReferenceNode[] = [];
    const visit = ({ rows, split, children }: Node): void => {
      if (children !== undefined) {
        tree.push({ ...split!, rows: rows.length });
        for (const child of children) visit(child);
        return;
      }
      const value = (-settings.learningRate * sum(g, rows)) / (sum(h, rows) + settings.l2 * UNIT);
      for (const n of rows) logits[n] += Math.fround(value);
      tree.push({ value, rows: rows.length });
    };
    visit(root);
    trees.push(tree);
  }
  return { trees, logits };
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** 32 bits of splitmix64's finisher. */
function draw(key: bigint, n: number): bigint {
  const mask = (z: bigint): bigint => BigInt.asUintN(64, z);
  let z = mask(key + BigInt(n + 1) * 0x9e3779b97f4a7c15n);
  z = mask((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = mask((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return (z ^ (z >> 31n)) >> 32n;
}
