// Which windows beside a sample networks may learn from: none that shares more with a held-out sequence than its neighbours do; and that
// learning from them is learning from the same sequences in the data set.
import { describe, expect, test } from "vitest";
import type { Channels } from "../../../shared/recipe/recipe.ts";
import { createLstmLearner } from "../../../trainer/learners/lstm/lstm-learner.ts";
import { findFurther, joinFurther, listBetween } from "../../../trainer/pipeline/further.ts";
import type { LabelledWindows } from "../../../trainer/readers/dataset.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";
import { engines } from "../../fixtures/import/importing.ts";

const T = 4;

/** Two series of so many rows, row r of which holds r + 1; every `step`-th window is the sample's. */
function makeWindows(lengths: readonly number[], step: number) {
  const seriesFirst = Int32Array.from(lengths, (_, s) => lengths.slice(0, s).reduce((sum, own) => sum + own, 0));
  const all = lengths.flatMap((length, series) => Array.from({ length: length - T + 1 }, (_, start) => ({ series, start })));
  const [sample, others] = [0, 1].map((kind) => all.filter(({ start }) => Number(start % step !== 0) === kind));
  const windows: LabelledWindows = {
    first: Int32Array.from(others, ({ series, start }) => seriesFirst[series] + start),
    seriesFirst,
    labels: Uint8Array.from(others, ({ start }) => start % 2),
    free() {},
    read: (first) => Float64Array.from(Array.from(first).flatMap((row) => [row + 1, row + 2, row + 3, row + 4])),
  };
  return { windows, others, sample };
}

/** The sample in the order of time, as a plan by time has it. */
const byTime = (sample: { series: number; start: number }[]) => [...sample].sort((a, b) => a.start - b.start || a.series - b.series);
const timelineOf = (sample: { series: number; start: number }[]) => ({
  series: Int32Array.from(sample, ({ series }) => series),
  start: Int32Array.from(sample, ({ start }) => start),
  time: null,
});

describe("a further window is learnt from", () => {
  const { windows, others, sample } = makeWindows([60, 40], 6);

  test("only between two windows of its series that are learnt from", () => {
    const train = Int32Array.from(sample.keys()).filter((n) => n !== 3 && n < sample.length - 2);
    const listed = new Set(listBetween(windows, { timeline: timelineOf(sample), train, isByTime: false }));
    const isLearnt = (series: number, start: number): boolean =>
      train.some((n) => sample[n].series === series && sample[n].start === start);
    for (const [m, { series, start }] of others.entries()) {
      const before = start - (start % 6);
      expect(listed.has(m)).toBe(isLearnt(series, before) && isLearnt(series, before + 6));
    }
    expect(listed.size).toBeGreaterThan(0);
  });

  test("by time only where nothing that is held out lies between, of whatever series", () => {
    const ordered = byTime(sample);
    // of the second series the window at 12 is held out: the first series' windows at 12 and 18 are apart in time by it
    const train = Int32Array.from(ordered.keys()).filter((n) => !(ordered[n].series === 1 && ordered[n].start === 12));
    const listed = listBetween(windows, { timeline: timelineOf(ordered), train, isByTime: true });
    const starts = [...listed].filter((m) => others[m].series === 0).map((m) => others[m].start);
    expect(starts).not.toContain(13);
    expect(starts).toEqual(expect.arrayContaining([7, 11, 19, 23]));
  });

  test("unless it is nothing but padding", () => {
    const recipe = {
      timesteps: T,
      features: ["x"],
      padding: "leading",
      channels: [{ base: "feature", a: 0, view: "level" }],
      mean: [0],
      scale: [1],
      floor: [0],
      clip: 100,
      lengths: [1, T],
    } as unknown as Parameters<typeof findFurther>[2];
    const empty = { ...windows, read: (first: Int32Array) => new Float64Array(first.length * T).map((_, i) => (i < T ? 0 : 1)) };
    const parts = { timeline: timelineOf(sample), train: Int32Array.from(sample.keys()), isByTime: false };
    const between = listBetween(windows, parts).length;
    expect(findFurther(windows, parts, recipe, Math.log)?.count).toBe(between);
    expect(findFurther(empty, parts, recipe, Math.log)?.count).toBe(between - 1);
  });
});

test("learning from further sequences is learning from the same ones in the data set, to the bit", async () => {
  const [N, M, C] = [90, 30, 2];
  const values = Float32Array.from({ length: N * T * C }, (_, i) => Math.sin(i * 1.7));
  const lengths = new Int32Array(N).fill(T);
  const labels = Uint8Array.from({ length: N }, (_, n) => Number(n % 3 === 0)); // as many in each part: weights begin with the view's rate
  const view = (count: number): Channels & { timesteps: number; names: string[]; columns: Float64Array; columnNames: string[] } => ({
    channels: values.slice(0, count * T * C),
    lengths: lengths.slice(0, count),
    outOfRange: new Uint8Array(count),
    timesteps: T,
    names: ["a", "b"],
    columns: new Float64Array(0),
    columnNames: [],
  });
  const further = {
    count: M,
    labels: labels.slice(N - M),
    fill(channels: Float32Array, own: Int32Array) {
      channels.set(values.subarray((N - M) * T * C));
      own.set(lengths.subarray(N - M));
    },
  };
  const network = { units: 8, batch: 16, epochs: 2, optimizer: "adam", learningRate: 0.01, weightDecay: 0, schedule: "constant" } as const;
  const settings = {
    network: { ...network, learningRatePatience: 2, patience: 2 },
    target: { teacher: "none", distillationWeight: 0 },
  } as const;
  const learn = async (beside?: typeof further) => {
    const count = beside ? N - M : N;
    const learner = createLstmLearner(
      { targets: [settings.target], settingsFor: () => settings.network, further: beside },
      { createStepper: createTrainingStep, createEngine: engines.createEngine, yieldToEventLoop: async () => {} },
    );
    const rows = { train: Int32Array.from({ length: count }, (_, n) => n), validation: Int32Array.of(0, 1, 2), gap: 0 };
    const path = await learner.fit(view(count), labels.slice(0, count), rows, settings, 5);
    return { losses: path.losses, network: path.at(1) };
  };
  expect(await learn(further)).toEqual(await learn());
});

test("further sequences of two kinds stand one behind the other", () => {
  const part = (from: number, count: number) => ({
    count,
    labels: Uint8Array.from({ length: count }, (_, m) => (from + m) % 2),
    fill(channels: Float32Array, lengths: Int32Array) {
      for (let i = 0; i < channels.length; i++) channels[i] = 10 * from + i;
      lengths.fill(from);
    },
  });
  const [a, b] = [part(1, 2), part(3, 1)];
  const both = joinFurther(a, b)!;
  const [channels, lengths] = [new Float32Array(6), new Int32Array(3)];
  both.fill(channels, lengths);
  expect([both.count, Array.from(both.labels), [...channels], [...lengths]]).toEqual([3, [1, 0, 1], [10, 11, 12, 13, 30, 31], [1, 1, 3]]);
  expect([joinFurther(a, undefined), joinFurther(undefined, b)]).toEqual([a, b]);
});
