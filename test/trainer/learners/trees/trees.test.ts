// Boosted trees against their slow definition and against LightGBM, on any number of threads, and on data that are unkind.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createWasmEngine } from "../../../../shared/engine.ts";
import { LEAF, MISSING_LEFT, type TreeEnsemble, treesLogit } from "../../../../shared/trees.ts";
import type { Rows, View } from "../../../../trainer/learners/learner.ts";
import { binColumns, findBinEdges } from "../../../../trainer/learners/trees/edges.ts";
import type { BoostingSettings } from "../../../../trainer/learners/trees/settings.ts";
import type { TreesOptions } from "../../../../trainer/learners/trees/trees.ts";
import { kernel } from "../../../fixtures/kernel.ts";
import { boostSlowly } from "./boosting-reference.ts";
import { drawTable, learnerOf, range, SETTINGS, splitRows, tableView } from "./tables.ts";

async function boostOn(view: View, labels: Uint8Array, rows: Rows, settings: BoostingSettings, options: Partial<TreesOptions> = {}) {
  const learner = learnerOf(options);
  const path = await learner.fit(view, labels, rows, settings, 1);
  learner.dispose();
  return path;
}

const binnedView = ({ columns, columnNames, lengths }: View) => {
  const edges = findBinEdges(columns, columnNames.length, range(columnNames.length));
  const cut = range(columnNames.length).filter((v) => edges.edgeStart[v + 1] > edges.edgeStart[v]);
  return { edges, columns: cut, bins: binColumns(edges, columns, cut), sequences: lengths.length };
};

/** Nodes of the reference as an ensemble has them. */
function flatten(trees: ReturnType<typeof boostSlowly>["trees"]) {
  const nodes = trees.flat();
  return {
    column: nodes.map((node) => ("value" in node ? LEAF : node.column)),
    edge: nodes.map((node) => ("value" in node ? 0 : node.edge + (node.missingLeft ? MISSING_LEFT : 0))),
    leaves: nodes.flatMap((node) => ("value" in node ? Math.fround(node.value) : [])),
  };
}

const nodesOf = ({ column, edge, leaves }: TreeEnsemble) => ({
  column: Array.from(column),
  edge: Array.from(edge),
  leaves: Array.from(leaves),
});

test.each([
  ["random thresholds, missing values", { thresholds: "random" }, 0.2],
  ["random thresholds, nothing missing", { thresholds: "random", minLeaf: 1, l2: 0.1 }, 0],
  ["random thresholds, all columns", { thresholds: "random", columnFraction: 1, leaves: 31, minLeaf: 2 }, 0.1],
  ["best thresholds, missing values", { thresholds: "best", columnFraction: 0.3 }, 0.2],
  ["best thresholds, large hessians", { thresholds: "best", columnFraction: 0.3, leaves: 12, minHessian: 2 }, 0],
] as const)("the kernel grows exactly the trees of the definition: %s", async (_, own, missing) => {
  const settings = { ...SETTINGS, rounds: 4, ...own };
  const { view, labels } = drawTable(240, 20, missing, 7);
  const rows = splitRows(240);
  const path = await boostOn(view, labels, rows, settings);
  const reference = boostSlowly(binnedView(view), labels, rows.train, settings, 1);
  expect(nodesOf(path.at(3))).toEqual(flatten(reference.trees));
  expect(path.at(3).column.filter((v) => v !== LEAF).length).toBeGreaterThan(15);
});

/** What a few hundred rows cannot show: lanes that are emptied into wide sums, several chunks, columns of many blocks. */
test("the kernel grows exactly the trees of the definition on more rows than a lane can count", async () => {
  const settings = { ...SETTINGS, rounds: 2, leaves: 4 };
  const { view, labels } = drawTable(3000, 40, 0.05, 8);
  const rows = splitRows(3000);
  const path = await boostOn(view, labels, rows, settings);
  expect(nodesOf(path.at(1))).toEqual(flatten(boostSlowly(binnedView(view), labels, rows.train, settings, 1).trees));
});

test.each(["random", "best"] as const)("losses are those of the member's logits, bit for bit: %s thresholds", async (thresholds) => {
  const { view, labels } = drawTable(1000, 20, 0.1, 9);
  const rows = splitRows(1000);
  const path = await boostOn(view, labels, rows, { ...SETTINGS, thresholds });
  for (const step of [0, 5, path.losses.length - 1]) {
    const member = path.at(step);
    expect(member.roots.length).toBe(step + 1);
    const loss = rows.validation.reduce((sum, n) => {
      const z = treesLogit(member, view.columns.subarray(n * 20, (n + 1) * 20));
      return sum + Math.max(z, 0) - labels[n] * z + Math.log1p(Math.exp(-Math.abs(z)));
    }, 0);
    expect(loss).toBeCloseTo(path.losses[step], 10); // exp and log1p of the host and of the kernel
  }
  expect(path.at(1000)).toEqual(path.at(path.losses.length - 1));
});

interface LightGbmCase {
  readonly settings: {
    readonly num_leaves: number;
    readonly min_data_in_leaf: number;
    readonly lambda_l2: number;
    readonly min_sum_hessian_in_leaf: number;
  };
  readonly columns: number;
  readonly x: readonly (number | null)[];
  readonly y: readonly number[];
  readonly trees: readonly (readonly [number, boolean, number, number] | readonly [number, number])[][];
  readonly logits: readonly number[];
}

const CASES: LightGbmCase[] = JSON.parse(readFileSync(new URL("../../../fixtures/boosting.json", import.meta.url), "utf8"));

test.each(CASES.map((one, n) => [n, one] as const))("splits, gains, directions and logits are LightGBM's: set %i", async (_, own) => {
  const view = tableView(
    Float64Array.from(own.x, (value) => value ?? Number.NaN),
    own.columns,
  );
  const labels = Uint8Array.from(own.y);
  const rows = { train: range(labels.length), validation: new Int32Array(), gap: 0 };
  const settings: BoostingSettings = {
    leaves: own.settings.num_leaves,
    columnFraction: 1,
    minLeaf: own.settings.min_data_in_leaf,
    minHessian: own.settings.min_sum_hessian_in_leaf,
    l2: own.settings.lambda_l2,
    learningRate: 0.5,
    rounds: own.trees.length,
    patience: 1,
    thresholds: "best",
  };
  const binned = binnedView(view);
  const { trees } = boostSlowly(binned, labels, rows.train, settings, 1);
  const path = await boostOn(view, labels, rows, settings);
  const member = path.at(own.trees.length - 1);
  expect(nodesOf(member)).toEqual(flatten(trees));

  let directions = 0;
  for (const [t, nodes] of trees.entries()) {
    expect(nodes.length).toBe(own.trees[t].length);
    for (const [n, node] of nodes.entries()) {
      const expected = own.trees[t][n];
      if ("value" in node) continue;
      const [column, missingLeft, gain, count] = expected as [number, boolean, number, number];
      expect([node.column, node.rows]).toEqual([column, t === 0 ? count : node.rows]);
      expect(Math.abs(node.gain / gain - 1)).toBeLessThan(2e-5); // six digits are printed
      if (!node.isLearnt) continue;
      expect(node.missingLeft).toBe(missingLeft);
      directions++;
    }
  }
  if (own.x.includes(null)) expect(directions).toBeGreaterThan(10);
  for (let n = 0; n < labels.length; n++) {
    const logit = treesLogit(member, view.columns.subarray(n * own.columns, (n + 1) * own.columns));
    expect(Math.abs(logit - own.logits[n])).toBeLessThan(1e-5); // gradients are rounded to 2^-22, LightGBM's to float32
  }
});

const bytesOf = (member: TreeEnsemble): string =>
  [member.roots, member.column, member.edge, member.next, member.leaves, Float64Array.of(member.base)]
    .map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("hex"))
    .join();

test("threads, shared memory and the order of fits change no bit", async () => {
  const { view, labels } = drawTable(6000, 40, 0.1, 10);
  const rows = splitRows(6000);
  const said: string[] = [];
  for (const thresholds of ["random", "best"] as const) {
    const settings = { ...SETTINGS, thresholds, rounds: 4 };
    const [one, two, single] = [
      await boostOn(view, labels, rows, settings, { threads: 1 }),
      await boostOn(view, labels, rows, settings, { threads: 2 }),
      await boostOn(view, labels, rows, settings, { host: { sharedMemory: false }, threads: 2, warn: (message) => said.push(message) }),
    ];
    expect(bytesOf(two.at(3))).toBe(bytesOf(one.at(3)));
    expect(bytesOf(single.at(3))).toBe(bytesOf(one.at(3)));
    expect([two.losses, single.losses]).toEqual([one.losses, one.losses]);
  }
  expect(said[0]).toBe("this host has no threads (no shared memory): training runs on one, with the same results");
});

test("fits that are asked for at once follow each other, and each is as if it were alone", async () => {
  const { view, labels } = drawTable(800, 20, 0.1, 11);
  const flipped = labels.map((label) => 1 - label);
  const rows = splitRows(800);
  const learner = learnerOf();
  const failing = learner.fit(view, new Uint8Array(800), rows, SETTINGS, 1);
  const [first, second] = [learner.fit(view, labels, rows, SETTINGS, 1), learner.fit(view, flipped, rows, SETTINGS, 2)];
  await expect(failing).rejects.toThrow("got none with label 1 among 640");
  expect(bytesOf((await first).at(9))).toBe(bytesOf((await boostOn(view, labels, rows, SETTINGS)).at(9)));
  expect((await second).at(0).base).toBeCloseTo(-(await first).at(0).base, 12);
  learner.dispose();
});

test.each([0, 1])("training rows without label %i are refused with a sentence", async (label) => {
  const { view } = drawTable(100, 3, 0, 12);
  const labels = new Uint8Array(100).fill(1 - label);
  labels[0] = label; // in validation
  await expect(boostOn(view, labels, splitRows(100), SETTINGS)).rejects.toThrow(
    `boosted trees need both classes among the training sequences, got none with label ${label} among 80: take fewer folds, or another way of splitting`,
  );
});

const withColumn = (fill: (n: number, label: number) => number) => {
  const { view, labels } = drawTable(400, 4, 0.1, 13);
  labels.forEach((label, n) => {
    view.columns[n * 4 + 3] = fill(n, label);
  });
  return { view, labels };
};

test.each([
  ["constant", () => 7],
  ["missing throughout", () => Number.NaN],
  ["constant but for one place", (n: number) => (n === 200 ? 1 : 0)],
])("a column that is %s does no harm", async (_, fill) => {
  const { view, labels } = withColumn(fill);
  const path = await boostOn(view, labels, splitRows(400), { ...SETTINGS, columnFraction: 1 });
  expect(path.at(9).column.includes(3)).toBe(false);
  expect(path.losses[9]).toBeLessThan(path.losses[0]);
});

test("values up to ±1e300 are parted by an edge between them", async () => {
  const { view, labels } = withColumn((_, label) => (label === 1 ? 1e300 : -1e300));
  const path = await boostOn(view, labels, splitRows(400), { ...SETTINGS, columnFraction: 1 });
  const logits = path.at(19);
  const of = (value: number) => treesLogit(logits, Float64Array.of(0, 0, 0, value));
  expect(of(1e300)).toBeGreaterThan(2);
  expect(of(-1e300)).toBeLessThan(-2);
  expect(logits.edges.every(Number.isFinite)).toBe(true);
});

test("one column that tells the label: the loss falls towards 0 and stays finite", async () => {
  const { view, labels } = withColumn((_, label) => label);
  const path = await boostOn(view, labels, splitRows(400), { ...SETTINGS, columnFraction: 1, rounds: 1000, patience: 100, minHessian: 0 });
  expect(path.losses.every(Number.isFinite)).toBe(true);
  expect(path.losses.at(-1)! / 80).toBeLessThan(0.02);
});

test("nothing to split by gives the base rate", async () => {
  const view = tableView(new Float64Array(300), 3);
  const labels = Uint8Array.from({ length: 100 }, (_, n) => (n % 4 === 1 ? 1 : 0));
  const path = await boostOn(view, labels, splitRows(100), SETTINGS);
  const logit = treesLogit(path.at(19), new Float64Array(3));
  expect(logit).toBeCloseTo(Math.log(20 / 60), 6);
});

test("64 features over 60 sequences, more columns than rows", async () => {
  const { view, labels } = drawTable(60, 640, 0.1, 14);
  const settings = { ...SETTINGS, columnFraction: 0.1, minLeaf: 2, l2: 0.1, minHessian: 1e-4 };
  const path = await boostOn(view, labels, splitRows(60), settings);
  expect(path.losses.every(Number.isFinite)).toBe(true);
  expect(path.at(9).column.filter((v) => v !== LEAF).length).toBeGreaterThan(30);
});

test("stops when the validation loss has not been better for as many rounds as patience says", async () => {
  const { view, labels } = drawTable(300, 10, 0, 15);
  const random = labels.map((_, n) => ((n * n * 7 + n) >> 2) & 1);
  const path = await boostOn(view, random, splitRows(300), { ...SETTINGS, rounds: 500, patience: 15 });
  const best = path.losses.indexOf(Math.min(...path.losses));
  expect(path.losses.length).toBe(best + 15);
});

test("only columns that it is given are looked at", async () => {
  const { view, labels } = drawTable(400, 10, 0, 16);
  const path = await boostOn(view, labels, splitRows(400), SETTINGS, { columns: Int32Array.of(0, 4, 9) });
  expect(new Set(path.at(19).column)).toEqual(new Set([LEAF, 0, 4, 9]));
});

test("folds' average has the mean of their logits, over the edges that it uses alone", async () => {
  const { view, labels } = drawTable(900, 12, 0.1, 17);
  const learner = learnerOf();
  const members: TreeEnsemble[] = [];
  for (let fold = 0; fold < 3; fold++) {
    const all = range(900);
    const rows = { train: all.filter((n) => n % 3 !== fold), validation: all.filter((n) => n % 3 === fold), gap: 0 };
    members.push((await learner.fit(view, labels, rows, SETTINGS, 1 + fold)).at(10));
  }
  const average = learner.average(members);
  const logits = members.map((member) => learner.logits(member, view, range(900)));
  const mean = logits[0].map((z, n) => (z + logits[1][n] + logits[2][n]) / 3);
  const ours = learner.logits(average, view, range(900));
  for (let n = 0; n < 900; n++) expect(Math.abs(ours[n] - mean[n])).toBeLessThan(1e-6); // leaves are float32
  expect(average.roots.length).toBe(33);
  expect(average.edges.length).toBeLessThan(members[0].edges.length / 4);
  expect(average.edges.length).toBeGreaterThan(20);
  learner.dispose();
});

test("what is learnt scores to the bit in the engine that serves, missing values and average of folds included", async () => {
  const { view, labels } = drawTable(900, 12, 0.3, 20);
  for (let n = 0; n < 900; n += 7) view.columns[12 * n + 5] = n % 2 === 0 ? 1e300 : -1e300;
  const learner = learnerOf();
  const folds = [0, 1].map((k) => ({
    train: range(900).filter((n) => n % 2 === k),
    validation: range(900).filter((n) => n % 2 !== k),
    gap: 0,
  }));
  const members: TreeEnsemble[] = [];
  for (const rows of folds) members.push((await learner.fit(view, labels, rows, { ...SETTINGS, columnFraction: 1 }, 1)).at(19));
  for (const ensemble of [members[0], learner.average(members)]) {
    expect(ensemble.edges.includes(Number.MAX_VALUE)).toBe(true);
    const stack = { weights: [1], intercept: 0 };
    const engine = createWasmEngine(kernel, { members: [{ kind: "trees", ensemble }], stack, calibration: { slope: 1, intercept: 0 } });
    const inputs = { channels: new Float32Array(), lengths: new Int32Array(900).fill(1), columns: view.columns };
    expect(engine.memberLogits(inputs)).toEqual(learner.logits(ensemble, view, range(900)));
  }
  learner.dispose();
});

test("members over different edges are not averaged", async () => {
  const one = await boostOn(...tableOf(18), SETTINGS);
  const other = await boostOn(...tableOf(19), SETTINGS);
  const learner = learnerOf();
  expect(() => learner.average([one.at(1), other.at(1)])).toThrow("must share one table of edges");
  learner.dispose();
});

function tableOf(seed: number) {
  const { view, labels } = drawTable(200, 5, 0, seed);
  return [view, labels, splitRows(200)] as const;
}
