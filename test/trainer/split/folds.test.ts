// Folds: each sequence is held out once, what belongs together stays together, and the order of a file decides nothing where it means nothing.
import { describe, expect, test } from "vitest";
import { FOLDS, type Fold, type FoldInput, type FoldPlan, planFolds } from "../../../trainer/split/folds.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const [T, F] = [4, 2];
const SIZE = T * F;
const FIFTHS = new Array<number>(FOLDS).fill(1 / FOLDS);

function plan(values: Float64Array, labels: Uint8Array, options: Partial<FoldInput> = {}): FoldPlan {
  return planFolds({
    values,
    labels,
    shape: { timesteps: T, features: F },
    padding: "leading",
    method: "auto",
    horizon: 1,
    testShare: 0,
    createRandom: () => createRandom(1),
    ...options,
  });
}

/** Sequences without a row in common. */
function strangers(N: number, seed = 3): { values: Float64Array; labels: Uint8Array } {
  const random = createRandom(seed);
  const values = Float64Array.from({ length: N * SIZE }, () => random.normal());
  return { values, labels: Uint8Array.from({ length: N }, () => Number(random.uniform() < 0.2)) };
}

/** All windows of one series. */
function windows(N: number): { values: Float64Array; labels: Uint8Array } {
  const random = createRandom(4);
  const rows = Float64Array.from({ length: (N + T) * F }, () => random.normal());
  const values = new Float64Array(N * SIZE);
  for (let n = 0; n < N; n++) values.set(rows.subarray(n * F, n * F + SIZE), n * SIZE);
  return { values, labels: Uint8Array.from({ length: N }, () => random.integer(2)) };
}

/** Sequences of flags: 256 patterns, each many times. */
function flags(N: number): { values: Float64Array; labels: Uint8Array } {
  const random = createRandom(5);
  const values = Float64Array.from({ length: N * SIZE }, () => random.integer(2));
  return { values, labels: Uint8Array.from({ length: N }, (_, n) => n % 2) };
}

function expectPartition(folds: readonly Fold[], train: Int32Array): void {
  const seen = folds.flatMap(({ heldOut }) => [...heldOut]).sort((a, b) => a - b);
  expect(seen).toEqual([...train]);
}

/** What sequences hold, by the plan's positions. */
function contents(positions: Int32Array, { order }: FoldPlan, values: Float64Array): string[] {
  return Array.from(positions, (n) => values.subarray(order[n] * SIZE, (order[n] + 1) * SIZE).join()).sort();
}

describe("folds of strangers", () => {
  const { values, labels } = strangers(500);
  const found = plan(values, labels, { testShare: 0.15 });

  test("hold out each sequence once, stratified by label, beside a test part of its share", () => {
    expect(found.by).toBe("random");
    expect(found.test.length).toBe(75);
    const folds = found.deal(found.train, FIFTHS);
    expectPartition(folds, found.train);
    const positives = folds.map(({ heldOut }) => heldOut.reduce((sum, n) => sum + labels[found.order[n]], 0));
    expect(Math.max(...positives) - Math.min(...positives)).toBeLessThanOrEqual(1);
    for (const { train, heldOut } of folds) expect(train.length + heldOut.length).toBe(425);
  });

  test("are the same whatever the order of the file", () => {
    const order = new Int32Array(500).map((_, n) => n);
    createRandom(8).shuffle(order);
    const moved = new Float64Array(values.length);
    order.forEach((n, i) => {
      moved.set(values.subarray(n * SIZE, (n + 1) * SIZE), i * SIZE);
    });
    const again = plan(
      moved,
      Uint8Array.from(order, (n) => labels[n]),
      { testShare: 0.15 },
    );
    const rows = (of: FoldPlan, all: Float64Array) => Array.from(of.order, (n) => all.subarray(n * SIZE, (n + 1) * SIZE).join());
    expect(rows(again, moved)).toEqual(rows(found, values));
    expect(again.deal(again.train, FIFTHS)).toEqual(found.deal(found.train, FIFTHS));
  });

  test("keep exact copies with their originals", () => {
    const doubled = new Float64Array(2 * values.length);
    doubled.set(values);
    doubled.set(values, values.length);
    const twice = plan(doubled, Uint8Array.from([...labels, ...labels]));
    for (const { train, heldOut } of twice.deal(twice.train, FIFTHS)) {
      const seen = new Set(contents(train, twice, doubled));
      expect(contents(heldOut, twice, doubled).filter((content) => seen.has(content))).toEqual([]);
    }
  });
});

test("spread copies that recur by coincidence evenly over the folds", () => {
  const { values, labels } = flags(4000);
  const found = plan(values, labels, { padding: "none" });
  expect(found.reason.code).toBe("coincidence");
  const counts = new Map<string, number[]>();
  found.deal(found.train, FIFTHS).forEach(({ heldOut }, k) => {
    for (const n of heldOut) {
      const kind = `${values.subarray(found.order[n] * SIZE, (found.order[n] + 1) * SIZE).join()} ${labels[found.order[n]]}`;
      const own = counts.get(kind) ?? FIFTHS.map(() => 0);
      own[k]++;
      counts.set(kind, own);
    }
  });
  for (const own of counts.values()) expect(Math.max(...own) - Math.min(...own)).toBeLessThanOrEqual(1);
});

test("share no row between a fold of windows and what is learnt from, and follow each other in time", () => {
  const { values, labels } = windows(600);
  const found = plan(values, labels, { testShare: 0.15, method: "time" });
  expect(found.by).toBe("time");
  const [lastTrained, firstTested] = [found.train[found.train.length - 1], found.test[0]];
  expect(firstTested - lastTrained).toBeGreaterThan(T);
  const folds = found.deal(found.train, FIFTHS);
  expectPartition(folds, found.train);
  for (const { train, heldOut } of folds) {
    const [first, last] = [heldOut[0], heldOut[heldOut.length - 1]];
    expect(last - first).toBe(heldOut.length - 1);
    for (const n of train) expect(n < first - T || n > last + T).toBe(true);
    expect(train.length).toBeGreaterThanOrEqual(found.train.length - heldOut.length - 2 * T);
  }
});

test("deal whole groups, by label where a group has one class", () => {
  const { values } = strangers(300);
  const groups = Int32Array.from({ length: 300 }, (_, n) => n % 30);
  const labels = Uint8Array.from(groups, (group) => Number(group < 10));
  const found = plan(values, labels, { groups });
  expect(found.by).toBe("group");
  const folds = found.deal(found.train, FIFTHS);
  expectPartition(folds, found.train);
  for (const { train, heldOut } of folds) {
    const own = new Set(Array.from(heldOut, (n) => groups[n]));
    expect(Array.from(train).some((n) => own.has(groups[n]))).toBe(false);
    expect(heldOut.reduce((sum, n) => sum + labels[n], 0)).toBe(20);
  }
  expect([...found.cluster.slice(0, 31)]).toEqual([...new Int32Array(31).map((_, n) => n % 30)]);
});

test("deals a part of the sequences again, each time alike", () => {
  const { values, labels } = strangers(200);
  const found = plan(values, labels);
  const [outer] = found.deal(found.train, FIFTHS);
  const inner = found.deal(outer.train, FIFTHS);
  expectPartition(inner, outer.train);
  expect(found.deal(outer.train, FIFTHS)).toEqual(inner);
});

test("says that more data is needed where a fold would be empty", () => {
  const { values } = strangers(60);
  const groups = Int32Array.from({ length: 60 }, (_, n) => n % 3);
  const found = plan(
    values,
    Uint8Array.from(groups, (group) => Number(group > 0)),
    { groups },
  );
  expect(() => found.deal(found.train, FIFTHS)).toThrow(/folds by group leave one of them empty/);
});
