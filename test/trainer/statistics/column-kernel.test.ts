// Sums over rows of a table in the kernel: to the bit those of the loops that say what they are.
import { expect, test } from "vitest";
import { createColumnTable } from "../../../trainer/statistics/column-kernel.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

/** A table of N rows, and some of its rows in an order of their own, one of them twice. */
function draw(N: number, W: number) {
  const random = createRandom(101, 1);
  const table = createColumnTable(N, W);
  table.x.forEach((_, i) => {
    table.x[i] = random.normal();
  });
  const rows = Int32Array.from({ length: N }, (_, i) => (i * 7) % N);
  rows[0] = rows[N - 1];
  return { table, rows, numbers: (count: number) => Float64Array.from({ length: count }, () => random.normal()) };
}

/** Logits as the contract adds them up: every fourth column by itself, the rest to the first, which starts with the intercept. */
function logitsByLoops(x: Float32Array, W: number, rows: Int32Array, at: Float64Array): Float64Array {
  return Float64Array.from(rows, (n) => {
    const sums = [at[W], 0, 0, 0];
    for (let w = 0; w < W; w++) sums[w < W - (W % 4) ? w % 4 : 0] += at[w] * x[n * W + w];
    return sums[0] + sums[1] + (sums[2] + sums[3]);
  });
}

test.each([
  [1, 1],
  [2, 3],
  [5, 4],
  [66, 7],
  [131, 33],
])("sums over %i rows of %i columns are those of plain loops, bit for bit", (N, W) => {
  const { table, rows, numbers } = draw(N, W);
  const at = numbers(W + 1);
  expect(table.logits(rows, at)).toEqual(logitsByLoops(table.x, W, rows, at));

  const factors = numbers(N);
  const sums = new Float64Array(W);
  rows.forEach((n, i) => {
    for (let w = 0; w < W; w++) sums[w] += factors[i] * table.x[n * W + w];
  });
  expect(table.sumRows(rows, factors)).toEqual(sums);

  const products = new Float64Array(W * W);
  for (const n of rows)
    for (let a = 0; a < W; a++) for (let b = 0; b <= a; b++) products[a * W + b] += table.x[n * W + a] * table.x[n * W + b];
  expect(table.meanProducts(rows)).toEqual(products.map((sum) => sum / N));
});

test("logits may be turned into factors where they stand", () => {
  const { table, rows, numbers } = draw(9, 5);
  const logits = table.logits(rows, numbers(6));
  const kept = logits.slice();
  logits.forEach((z, i) => {
    logits[i] = 2 * z;
  });
  const inPlace = table.sumRows(rows, logits).slice();
  expect(inPlace).toEqual(
    table.sumRows(
      rows,
      kept.map((z) => 2 * z),
    ),
  );
});
