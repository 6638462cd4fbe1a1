// The kernel's columns of two series against the definition in plain TypeScript, bit by bit.
import { expect, test } from "vitest";
import { defineSeriesColumns } from "../../shared/recipe/series-definition.ts";
import { intervalsOf, MAX_DEPTH, MAX_PARTS, STATISTICS } from "../../shared/recipe/tabular.ts";
import { MAX_TIMESTEPS } from "../../shared/sequence.ts";
import { MAX_SERIES_COLUMNS } from "../../shared/series-columns.ts";
import { createRandom, type Random } from "../../trainer/statistics/random.ts";
import { seriesColumns } from "../fixtures/kernel.ts";

const definition = defineSeriesColumns();

function countColumns(parts: number, depth: number): number {
  const quantiles = depth < 0 ? 0 : intervalsOf(parts, depth).reduce((sum, { count }) => sum + count, 0);
  return 2 * parts - 1 + STATISTICS.length + quantiles;
}

/** What a row may hold: ties, both zeros, an offset, numbers whose squares overflow, numbers whose squares vanish. */
const KINDS: readonly ((random: Random) => number)[] = [
  (random) => random.uniform() - 0.5,
  (random) => Math.floor(3 * random.uniform()) - 1,
  (random) => (random.uniform() < 0.5 ? 0 : -0),
  (random) => 1e9 + random.uniform(),
  (random) => (2 * random.uniform() - 1) * 1e300,
  (random) => (2 * random.uniform() - 1) * 1e-300,
];

function fillSeries(random: Random, length: number, missing: number): void {
  for (let lane = 0; lane < 2; lane++) {
    const draw = KINDS[Math.floor(KINDS.length * random.uniform())];
    for (let t = 0; t < length; t++) {
      const x = random.uniform() < missing ? Number.NaN : draw(random);
      seriesColumns.series[lane][t] = x;
      definition.series[lane][t] = x;
    }
  }
}

function expectSame(length: number, width: number, parts: number, depth: number): void {
  seriesColumns.fill(length, width, parts, depth);
  definition.fill(length, width, parts, depth);
  const size = 2 * countColumns(parts, depth);
  const [got, expected] = [seriesColumns, definition].map(({ columns }) => Array.from(columns.subarray(0, size)));
  expect(got, `${length} rows, ${parts} parts of ${width}, depth ${depth}`).toEqual(expected); // toEqual tells −0 from 0
}

test("a whole view's columns have the definition's bits for every number of parts and depth", () => {
  const random = createRandom(1);
  for (let parts = 1; parts <= MAX_PARTS; parts++)
    for (let depth = -1; depth <= MAX_DEPTH; depth++)
      for (const missing of [0, 0, 0.3, 1]) {
        fillSeries(random, parts, missing);
        expectSame(parts, 1, parts, depth);
      }
});

test("sequences of any length, in parts of any width, with numbers missing or not, have the definition's bits", () => {
  const random = createRandom(2);
  for (let round = 0; round < 3000; round++) {
    const T = 1 + Math.floor((round % 10 === 0 ? MAX_TIMESTEPS : 40) * random.uniform());
    const width = Math.ceil(T / (1 + Math.floor(Math.min(T, MAX_PARTS) * random.uniform())));
    const length = 1 + Math.floor(T * random.uniform());
    fillSeries(random, length, [0, 0.1, 0.6][round % 3]);
    expectSame(length, width, Math.ceil(T / width), Math.floor((MAX_DEPTH + 2) * random.uniform()) - 1);
  }
});

test("the columns of a whole view fit", () => {
  const counts = Array.from({ length: MAX_PARTS }, (_, p) => countColumns(p + 1, MAX_DEPTH));
  expect(Math.max(...counts)).toBe(MAX_SERIES_COLUMNS);
});
