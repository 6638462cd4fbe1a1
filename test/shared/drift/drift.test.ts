// The drift test's promises: what it watches, when it alarms, that it goes on from what was written down.
import { describe, expect, test } from "vitest";
import { bet, evidenceOf, openMartingale, RESTART_EVERY, wealthOf } from "../../../shared/drift/martingale.ts";
import { openWatch, reportDrift, take } from "../../../shared/drift/watch.ts";
import { binOf, type Observation, observe, type Quantity, type Watched, watchedOf } from "../../../shared/drift/watched.ts";
import { instantiateKernel } from "../../../shared/engine.ts";
import { computeInputs } from "../../../shared/model.ts";
import { computeSequenceReference, withScores } from "../../../trainer/artifact/reference.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { kernel, seriesColumns } from "../../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../../fixtures/model.ts";

const B = 10;
const DECILES = [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816];

/** Normal values of which the reference holds `size`. */
const normal = (size: number, name = "x"): Quantity => ({ name, edges: DECILES, counts: new Array<number>(B).fill(size / B) });
const watchedNormal = (size: number): Watched => ({ basis: "sequences", quantities: [normal(size)] });
const bins = (value: number): Observation => [[binOf(value, DECILES)]];

function alarmOf(watched: Watched, values: Iterable<number>): number | null {
  const watch = openWatch(watched);
  for (const value of values)
    if (
      take(
        watch,
        watched,
        watched.quantities.map(() => bins(value)[0]),
      )
    )
      return watch.alarm;
  return null;
}

function* drawn(seed: number, count: number, shift = 0, correlation = 0): Generator<number> {
  const random = createRandom(seed);
  let x = random.normal();
  for (let i = 0; i < count; i++) {
    yield x + shift;
    x = correlation * x + Math.sqrt(1 - correlation ** 2) * random.normal();
  }
}

describe("the test", () => {
  test("alarms at a shift of half a standard deviation within 2,000 sequences, and at none without", () => {
    for (let seed = 800_000; seed < 800_010; seed++) {
      expect(alarmOf(watchedNormal(5000), drawn(seed, 2000, 0.5))).toBeLessThan(2000);
      expect(alarmOf(watchedNormal(5000), drawn(seed, 10_000))).toBeNull();
    }
  });

  test("alarms falsely where sequences depend on each other: its limit, as documented", () => {
    expect(alarmOf(watchedNormal(5000), drawn(1, 20_000, 0, 0.9))).not.toBeNull();
  });

  test("wins nothing on average where nothing drifts: the mean of what 1 became is at most 1, even of a small reference", () => {
    const random = createRandom(7);
    let sum = 0;
    const runs = 2000;
    for (let run = 0; run < runs; run++) {
      const sorted = Float64Array.from({ length: 40 }, () => random.normal()).sort();
      const edges = Array.from({ length: B - 1 }, (_, e) => sorted[4 * (e + 1)]);
      const quantities = [{ name: "x", edges, counts: new Array<number>(B).fill(4) }];
      const martingale = openMartingale(quantities);
      for (let n = 0; n < 60; n++) bet(martingale, quantities, [[binOf(random.normal(), edges)]]);
      sum += evidenceOf(martingale, quantities);
    }
    expect(sum / runs).toBeLessThan(1);
  });

  test("weights of all restarts, those to come among them, are 1 together: before the first sequence 1 is 1", () => {
    const quantities = [normal(5000), normal(5000, "y")];
    expect(wealthOf(openMartingale(quantities), quantities)).toEqual([1, 1]);
  });

  test("starts a bet every 500 sequences, of which 8 go on, and what the older ones won stays", () => {
    const watched = watchedNormal(5000);
    const watch = openWatch(watched);
    for (const value of drawn(3, RESTART_EVERY * 12)) take(watch, watched, bins(value));
    expect(watch.running.map(({ k }) => k)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
    expect(watch.stopped[0]).toBeGreaterThan(0);
  });

  test("goes on from JSON to the same bits", () => {
    const watched = watchedNormal(5000);
    const [whole, cut] = [openWatch(watched), { now: openWatch(watched) }];
    for (const value of drawn(5, 1700, 0.1)) {
      take(whole, watched, bins(value));
      cut.now = JSON.parse(JSON.stringify(cut.now));
      take(cut.now, watched, bins(value));
    }
    expect(cut.now).toEqual(whole);
  });

  test("stays finite however far the stream is off, and the alarm stays where it came", () => {
    const watched = watchedNormal(5000);
    const watch = openWatch(watched);
    for (let n = 0; n < 5000; n++) take(watch, watched, bins(9));
    expect(Number.isFinite(evidenceOf(watch, watched.quantities))).toBe(true);
    expect(watch.alarm).toBeLessThan(20);
  });

  test("does not watch what the reference has nothing of", () => {
    const empty: Quantity = { name: "gaps", edges: new Array<number>(9).fill(0), counts: new Array<number>(B).fill(0) };
    const quantities = [normal(5000), empty];
    const martingale = openMartingale(quantities);
    bet(martingale, quantities, [[3], []]);
    expect(wealthOf(martingale, quantities)[1]).toBe(0);
    expect(evidenceOf(martingale, quantities)).toBe(wealthOf(martingale, quantities)[0]);
  });
});

describe("a model's reference", () => {
  const { log } = instantiateKernel(kernel);
  const model = makeModel(kernel, { gaps: [1] });
  const values = makeSequences(300, 10, 5, 11);
  values[(7 * 10 + 9) * 5 + 1] = Number.NaN;
  const inputs = computeInputs(model, values, log, seriesColumns);
  const probabilities = Float32Array.from({ length: 300 }, (_, n) => n / 300);
  const sequences = withScores(computeSequenceReference(inputs, values, 10, true), probabilities);
  const watched = watchedOf({ ...model, reference: { ...model.reference, sequences } });

  test("holds one value a sequence: each channel's last valid row, length, gaps and score", () => {
    expect(watched.basis).toBe("sequences");
    expect(watched.quantities.slice(-3).map(({ name }) => name)).toEqual(["length", "gaps", "score"]);
    for (const { counts } of watched.quantities) expect(Array.from(counts).reduce((sum, count) => sum + count, 0)).toBe(300);
    const T = 10;
    const C = model.recipe.channels.length;
    const last = Array.from(inputs.lengths, (length, n) => inputs.channels[(n * T + length - 1) * C]).sort((a, b) => a - b);
    expect(Array.from(watched.quantities[0].edges)).toEqual([30, 60, 90, 120, 150, 180, 210, 240, 270].map((n) => last[n]));
  });

  test("what a sequence says of itself is bins alone: its own fall where the reference counted them", () => {
    const seen = watched.quantities.map(({ counts }) => Array.from(counts, () => 0));
    for (let n = 0; n < 300; n++)
      observe(watched, inputs, values, n, probabilities[n]).forEach(([bin], s) => {
        seen[s][bin]++;
      });
    expect(seen).toEqual(watched.quantities.map(({ counts }) => Array.from(counts)));
  });

  test("of format 1, shares of rows can be compared, and nothing alarms", () => {
    const rows = watchedOf(model);
    expect(rows.basis).toBe("rows");
    const watch = openWatch(rows);
    for (let n = 0; n < 300; n++) expect(take(watch, rows, observe(rows, inputs, values, n, probabilities[n]))).toBe(false);
    const report = reportDrift(watch, rows, log);
    expect(report).toMatchObject({ basis: "rows", sequences: 300, alarm: null, evidence: null });
    expect(report.quantities.every(({ stability, evidence }) => stability !== null && evidence === null)).toBe(true);
  });

  test("of an imported model that was not calibrated says none", () => {
    const { channelCounts, scoreCounts, ...rest } = model.reference;
    const reference = { ...rest, channelCounts: channelCounts.map(() => 0), scoreCounts: scoreCounts.map(() => 0) };
    expect(watchedOf({ ...model, reference }).basis).toBe("none");
  });

  test("population stability is Σ (p − q) ln(p/q), with half a value more in each bin", () => {
    const quantities = [{ name: "x", edges: [0], counts: [99, 99] }];
    const watch = openWatch({ basis: "rows", quantities });
    for (let n = 0; n < 198; n++) take(watch, { basis: "rows", quantities }, [[n < 49 ? 0 : 1]]);
    const [{ stability }] = reportDrift(watch, { basis: "rows", quantities }, log).quantities;
    const [p, q] = [49.5 / 199, 149.5 / 199];
    expect(stability).toBeCloseTo((p - 0.5) * Math.log(p / 0.5) + (q - 0.5) * Math.log(q / 0.5), 12);
  });
});
