// What digests of rows say of sequences is what the rows themselves say.
import { expect, test } from "vitest";
import { drawByDigest } from "../../../trainer/split/content-order.ts";
import { digestSequences } from "../../../trainer/split/digests.ts";
import { findOverlap } from "../../../trainer/split/overlap.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const shape = { timesteps: 4, features: 2 };
const SIZE = 8;

function makeValues(kind: "strangers" | "windows" | "flags", N: number): Float64Array {
  const random = createRandom(7);
  const rows = Float64Array.from({ length: (N + 4) * 2 }, () => random.normal());
  if (kind === "windows") return Float64Array.from({ length: N * SIZE }, (_, i) => rows[Math.floor(i / SIZE) * 2 + (i % SIZE)]);
  const values = Float64Array.from({ length: N * SIZE }, () => (kind === "flags" ? random.integer(2) : random.normal()));
  values.fill(0, 0, 4); // padding of the first
  values.copyWithin(SIZE * 5, SIZE * 9, SIZE * 10); // a copy
  return values;
}

/** In blocks of three sequences. */
function* blocksOf(values: Float64Array): Generator<Float64Array> {
  for (let from = 0; from < values.length; from += 3 * SIZE) yield values.slice(from, from + 3 * SIZE);
}

test.each(["strangers", "windows", "flags"] as const)("they find the same of %s", (kind) => {
  const values = makeValues(kind, 400);
  const found = digestSequences(blocksOf(values), 400, shape, "leading");
  const usable = Array.from({ length: 400 }, (_, n) => n).filter((n) => values.subarray(n * SIZE, (n + 1) * SIZE).some((x) => x !== 0));
  const kept = Float64Array.from(usable.flatMap((n) => [...values.subarray(n * SIZE, (n + 1) * SIZE)]));
  expect(found.overlap).toEqual(findOverlap(kept, shape, "leading"));
  expect([...found.numbers]).toEqual(usable);
  expect([...found.hasGaps, ...found.moves]).toEqual([0, 0, 1, 1]);
});

test("sequences of nothing but padding are left out, and gaps and features that stand still are said", () => {
  const values = makeValues("strangers", 10);
  values.fill(0, SIZE, 2 * SIZE);
  for (let i = 1; i < values.length; i += 2) if (values[i] !== 0) values[i] = 5; // the second feature
  values[3 * SIZE] = Number.NaN;
  const { numbers, overlap, hasGaps, moves } = digestSequences(blocksOf(values), 10, shape, "leading");
  expect([...numbers]).toEqual([0, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(overlap.copy).toHaveLength(9);
  expect([...hasGaps]).toEqual([1, 0]);
  expect([...moves]).toEqual([1, 0]);
});

test("an order drawn by digests does not depend on the file's", () => {
  const N = 300;
  const values = makeValues("strangers", N);
  const labels = Uint8Array.from({ length: N }, (_, n) => n % 2);
  const shuffled = Int32Array.from({ length: N }, (_, n) => n);
  createRandom(9).shuffle(shuffled);
  const other = Float64Array.from({ length: N * SIZE }, (_, i) => values[shuffled[Math.floor(i / SIZE)] * SIZE + (i % SIZE)]);
  const draw = (given: Float64Array, own: Uint8Array): string[] =>
    Array.from(drawByDigest(digestSequences(blocksOf(given), N, shape, "leading").content, own, createRandom(3)), (n) =>
      given.subarray(n * SIZE, (n + 1) * SIZE).join(),
    );
  const order = draw(values, labels);
  expect(draw(other, shuffled.map((n) => labels[n]) as unknown as Uint8Array)).toEqual(order);
  expect(order).not.toEqual([...order].sort());
});
