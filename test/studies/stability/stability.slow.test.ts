// Whether the seed decides, and whether labels that nothing tells are left alone: few seeds of what `npm run stability` measures.
import { expect, test } from "vitest";
import { mean, meanWithError } from "../../../trainer/statistics/descriptive.ts";
import { logLossOf } from "../../../trainer/statistics/log-loss.ts";
import { differenceOnly } from "../quality/generators.ts";
import { blindLabels } from "./blind.ts";
import { trainAndScore } from "./runs.ts";

const MINUTES = { timeout: 900_000 };

const lossesOf = (labels: Uint8Array, q: ArrayLike<number>): Float64Array =>
  Float64Array.from(labels, (label, n) => logLossOf(label, q[n]));

test("of 1,500 sequences, models of three seeds differ by less than 0.01 nats", MINUTES, async () => {
  const [made, fresh] = [differenceOnly(1500, 101), differenceOnly(5000, 1_000_101)];
  const losses: number[] = [];
  for (const seed of [1, 2, 3]) losses.push(mean(lossesOf(fresh.labels, await trainAndScore(made, fresh, seed))));
  const deviation = meanWithError(losses).standardError * Math.sqrt(losses.length);
  expect(deviation).toBeLessThan(0.01);
});

test.each([101, 102])(
  "of 500 labels that nothing tells (seed %i), a model is no worse than the base rate beyond noise",
  MINUTES,
  async (seed) => {
    const [made, fresh] = [blindLabels(500, seed), blindLabels(500, 1_000_000 + seed)];
    const scored = await trainAndScore(made, fresh, seed);
    const before = lossesOf(fresh.labels, fresh.probability.fill(mean(made.labels)));
    const { mean: excess, standardError } = meanWithError(lossesOf(fresh.labels, scored).map((loss, n) => loss - before[n]));
    expect(excess).toBeLessThan(Math.max(1e-3, 2 * standardError));
  },
);
