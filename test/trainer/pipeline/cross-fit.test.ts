// Folds share one setting and one step, chosen by the pooled loss; who speaks follows from what was predicted out of folds.
import { expect, test } from "vitest";
import type { Learner, View } from "../../../trainer/learners/learner.ts";
import { type CrossFitted, createCrossFitter, type LearnerName, listHeldOut, poolLosses } from "../../../trainer/pipeline/cross-fit.ts";
import { joinMembers } from "../../../trainer/pipeline/join.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { fitStack } from "../../../trainer/statistics/stack.ts";
import { NO_JOURNAL } from "../../../trainer/training/journal.ts";

test("the common step is where the losses summed over folds are least, and a path that ended early stays where it ended", () => {
  expect(poolLosses([Float64Array.of(3, 1, 5), Float64Array.of(3, 2, 0)])).toEqual({ step: 1, loss: 3 });
  expect(poolLosses([Float64Array.of(3, 2), Float64Array.of(3, 2, 1)])).toEqual({ step: 2, loss: 3 });
  expect(poolLosses([Float64Array.of(1, 1)])).toEqual({ step: 0, loss: 1 });
});

/** A member is a number, which is its logit of everything: step − 10 · setting + fold's first sequence / 100. */
const numbers: Learner<number, { readonly setting: number }> = {
  settings: () => [{ setting: 0 }, { setting: 1 }],
  async fit(_view, _labels, { validation }, { setting }) {
    const at = (step: number): number => step - 10 * setting + validation[0] / 100;
    return { losses: Float64Array.from({ length: 4 }, (_, step) => Math.abs(step - 2) + 1 - setting / 2), at };
  },
  logits: (member, _view, indices) => Float64Array.from(indices, () => member),
  average: (members) => members.reduce((sum, member) => sum + member, 0) / members.length,
};

const nothing: View = {
  channels: new Float32Array(6),
  lengths: new Int32Array(6).fill(1),
  timesteps: 1,
  names: ["c"],
  columns: new Float64Array(6),
  columnNames: ["c"],
};

test("a cross-fit takes the best setting at one step, predicts each fold by its own member, and averages the members", async () => {
  const folds = [0, 2, 4].map((first) => ({
    heldOut: Int32Array.of(first, first + 1),
    train: Int32Array.from([0, 1, 2, 3, 4, 5]).filter((n) => n !== first && n !== first + 1),
  }));
  const places: string[] = [];
  const fitter = createCrossFitter("linear", numbers, { toMember: (value) => ({ kind: "lstm", networks: [], value }) as never });
  const fitted = await fitter.crossFit({
    view: nothing,
    labels: new Uint8Array(6),
    folds,
    gap: 0,
    seed: 1,
    journal: NO_JOURNAL,
    onFold: ({ setting, fold }) => places.push(`${setting}.${fold}`),
  });
  expect(places).toEqual(["0.0", "0.1", "0.2", "1.0", "1.1", "1.2"]);
  expect(fitted).toMatchObject({ settings: { setting: 1 }, step: 2, loss: (3 * 0.5) / 6 });
  expect([...fitted.outOfFold]).toEqual([-8, -8, -7.98, -7.98, -7.96, -7.96]);
  expect((fitted.member as unknown as { value: number }).value).toBeCloseTo(-7.98, 12);
  expect([...listHeldOut(folds)]).toEqual([0, 1, 2, 3, 4, 5]);
});

test("each fold draws numbers of its own, the first the seed's, so that chance averages out in the folds' mean", async () => {
  const seeds: number[] = [];
  const learner: typeof numbers = {
    ...numbers,
    fit(view, labels, rows, settings, seed) {
      if (settings.setting === 1) seeds.push(seed);
      return numbers.fit(view, labels, rows, settings, seed);
    },
  };
  const folds = [0, 2, 4].map((first) => ({ heldOut: Int32Array.of(first), train: Int32Array.of(first + 1) }));
  const fitter = createCrossFitter("linear", learner, { toMember: () => ({ kind: "lstm", networks: [] }) });
  await fitter.crossFit({ view: nothing, labels: new Uint8Array(6), folds, gap: 0, seed: 7, journal: NO_JOURNAL });
  expect(seeds[0]).toBe(7);
  const first = seeds.map((seed) => createRandom(seed).integer(2 ** 32));
  expect(new Set(first).size).toBe(3);
});

test("where settings fit no noise, the latest step and setting is taken that is not worse beyond noise; else the lowest loss", async () => {
  const held = Int32Array.from({ length: 200 }, (_, n) => n);
  const view = { ...nothing, columns: new Float64Array(200), lengths: new Int32Array(200).fill(1) };
  const labels = Uint8Array.from(held, (n) => n % 2);
  /** Right by 1; or a little surer of most and less sure of some, which is worse within noise; or right by half of it. */
  const SURENESS = { good: () => 1, noisy: (n: number) => (n % 10 === 0 ? 0.3 : 1.1), bad: () => 0.5 };
  type Which = keyof typeof SURENESS;
  const logitsOf = (which: Which): Float64Array => Float64Array.from(held, (n) => (2 * labels[n] - 1) * SURENESS[which](n));
  const sum = (z: Float64Array): number => z.reduce((total, own, n) => total + Math.log1p(Math.exp((1 - 2 * labels[n]) * own)), 0);
  const choose = async (paths: readonly (readonly Which[])[], fitsNoNoise?: (path: readonly Which[]) => boolean) => {
    const learner: Learner<Which, readonly Which[]> = {
      ...(fitsNoNoise && { fitsNoNoise }),
      settings: () => paths,
      fit: async (_view, _labels, _rows, path) => ({
        losses: Float64Array.from(path, (which) => sum(logitsOf(which))),
        at: (step) => path[step],
      }),
      logits: logitsOf,
      average: ([which]) => which,
    };
    const fitter = createCrossFitter("lstm", learner, { toMember: () => ({ kind: "lstm", networks: [] }) });
    const folds = [{ heldOut: held, train: held }];
    const { settings, step } = await fitter.crossFit({ view, labels, folds, gap: 0, seed: 1, journal: NO_JOURNAL });
    return [paths.indexOf(settings as readonly Which[]), step];
  };
  const TAUGHT = () => true;
  expect(await choose([["good"], ["noisy"]])).toEqual([0, 0]);
  expect(await choose([["good"], ["noisy"]], (path) => path[0] === "good")).toEqual([0, 0]);
  expect(await choose([["good"], ["noisy"]], TAUGHT)).toEqual([1, 0]);
  expect(await choose([["good"], ["bad"]], TAUGHT)).toEqual([0, 0]);
  expect(await choose([["bad", "good", "noisy", "bad"]])).toEqual([0, 1]);
  expect(await choose([["bad", "good", "noisy", "bad"]], TAUGHT)).toEqual([0, 2]);
});

test("steps are left off until the average is small enough for an artifact", async () => {
  const fold = { heldOut: Int32Array.of(0, 1), train: Int32Array.of(2, 3) };
  const input = { view: nothing, labels: new Uint8Array(6), folds: [fold], gap: 0, seed: 1, journal: NO_JOURNAL };
  const toMember = () => ({ kind: "lstm", networks: [] }) as const;
  const sized = (max: number) =>
    createCrossFitter("trees", numbers, { toMember, size: { max, bytesOf: (member) => member + 11 } }).crossFit(input);
  expect(await sized(3)).toMatchObject({ step: 2, loss: 0.25 });
  expect(await sized(2)).toMatchObject({ step: 1, loss: 0.75, outOfFold: Float64Array.of(-9, -9) });
  expect((await sized(0.5)).step).toBe(0);
});

test("where steps are left off, faster settings are tried, and settings are compared by what is left", async () => {
  const fold = { heldOut: Int32Array.of(0, 1), train: Int32Array.of(2, 3) };
  const input = { view: nothing, labels: new Uint8Array(6), folds: [fold], gap: 0, seed: 1, journal: NO_JOURNAL };
  const faster = ({ setting }: { setting: number }) => (setting < 2 ? { setting: setting + 1 } : undefined);
  const learner = { ...numbers, settings: () => [{ setting: 0 }], faster };
  const choose = async (max: number) => {
    const tried = new Set<number>();
    const size = { max, bytesOf: (member: number) => member + 11 };
    const fitter = createCrossFitter("trees", learner, { toMember: () => ({ kind: "lstm", networks: [] }), size });
    const { settings, step } = await fitter.crossFit({ ...input, onFold: ({ setting }) => tried.add(setting) });
    return { settings, step, tried: tried.size };
  };
  expect(await choose(13)).toEqual({ settings: { setting: 0 }, step: 2, tried: 1 });
  expect(await choose(12)).toEqual({ settings: { setting: 1 }, step: 2, tried: 2 });
  expect(await choose(2)).toEqual({ settings: { setting: 2 }, step: 2, tried: 3 });
});

const H = 1000;
const folds = Array.from({ length: 5 }, (_, k) => ({ heldOut: new Int32Array(200).map((_, i) => 200 * k + i) }));

/** Out-of-fold logits of learners that know the truth up to noise. */
function createFitted(noises: Readonly<Partial<Record<LearnerName, number>>>): { fitted: CrossFitted[]; labels: Uint8Array } {
  const random = createRandom(2);
  const truth = Float64Array.from({ length: H }, () => 1.5 * random.normal());
  const labels = Uint8Array.from(truth, (z) => Number(random.uniform() < 1 / (1 + Math.exp(-z))));
  const fitted = Object.entries(noises).map(([name, noise]) => {
    const outOfFold = truth.map(
      (z) => (noise === Number.POSITIVE_INFINITY ? 0 : z) + (noise === Number.POSITIVE_INFINITY ? 1 : noise) * random.normal(),
    );
    return { name: name as LearnerName, member: { kind: "lstm", networks: [] } as const, outOfFold, loss: noise, settings: null, step: 0 };
  });
  return { fitted, labels };
}

const strangers = new Int32Array(H).map((_, n) => n);

test("by time, the lstm joins where it betters the others out of folds beyond two standard errors", () => {
  const { fitted, labels } = createFitted({ linear: 2, lstm: 0.3 });
  const { gate, learners, members } = joinMembers({ fitted, labels, cluster: strangers, folds, isByTime: true });
  expect(gate?.joins).toBe(true);
  expect(gate!.gain).toBeGreaterThan(2 * gate!.standardError);
  expect(learners.find(({ name }) => name === "lstm")!.weight).toBeGreaterThan(0.5);
  expect(members.length).toBe(2);
});

test("an lstm that says nothing of its own is left out, and so is it where one cluster is all the evidence", () => {
  const { fitted, labels } = createFitted({ linear: 0.3, lstm: Number.POSITIVE_INFINITY });
  const { gate, learners, members } = joinMembers({ fitted, labels, cluster: strangers, folds, isByTime: true });
  expect(gate?.joins).toBe(false);
  expect(learners.map(({ weight }) => weight > 0)).toEqual([true, false]);
  expect(members.length).toBe(1);
  const good = createFitted({ linear: 2, lstm: 0.3 });
  expect(joinMembers({ ...good, cluster: new Int32Array(H), folds, isByTime: true }).gate?.joins).toBe(false);
});

test("what the lstm says on the other folds does not open the gate", () => {
  const { fitted, labels } = createFitted({ linear: 2, lstm: 0.3 });
  const deaf = fitted.map((own) => (own.name === "lstm" ? { ...own, outOfFold: own.outOfFold.map((z, i) => (i < 800 ? z : -z)) } : own));
  expect(joinMembers({ fitted: deaf, labels, cluster: strangers, folds, isByTime: true }).gate?.joins).toBe(false);
});

test("where sequences are drawn, one standard error opens the gate; by time, where what comes later may differ, it takes two", () => {
  const { fitted, labels } = createFitted({ linear: 0.8, lstm: 1.6 });
  const judge = (isByTime: boolean) => joinMembers({ fitted, labels, cluster: strangers, folds, isByTime }).gate!;
  const { gain, standardError, asked, joins } = judge(false);
  expect(gain / standardError).toBeGreaterThan(1);
  expect(gain / standardError).toBeLessThan(2);
  expect([asked, joins]).toEqual([1, true]);
  expect(judge(true)).toMatchObject({ asked: 2, joins: false });
});

test("of many sequences that are drawn, any gain opens the gate; of as many in few clusters, one standard error", () => {
  const { fitted, labels } = createFitted({ linear: 0.5, lstm: 1 });
  const size = 4 * H;
  const all = Array.from({ length: size }, (_, i) => i % H);
  const input = {
    fitted: fitted.map((own) => ({ ...own, outOfFold: Float64Array.from(all, (i) => own.outOfFold[i]) })),
    labels: Uint8Array.from(all, (i) => labels[i]),
    folds: [{ heldOut: new Int32Array(size) }],
    isByTime: false,
  };
  const askedOf = (clusters: number) =>
    joinMembers({ ...input, cluster: Int32Array.from({ length: size }, (_, i) => i % clusters) }).gate!.asked;
  expect([askedOf(size), askedOf(H)]).toEqual([0, 1]);
});

test("by time, a gain that stands in one stretch alone does not open the gate; drawn, such a stretch is chance like any other", () => {
  const { fitted, labels } = createFitted({ linear: 0.5, lstm: 0.3 });
  const own = fitted.map((one) => ({ ...one, outOfFold: one.outOfFold.map((z, i) => (one.name === "lstm" || i < 800 ? z : -z)) }));
  const judge = (isByTime: boolean) => joinMembers({ fitted: own, labels, cluster: strangers, folds, isByTime }).gate!;
  expect(judge(true).standardError).toBeGreaterThan(1.5 * judge(false).standardError);
  expect([judge(false).joins, judge(true).joins]).toEqual([true, false]);
});

test("a learner whose weight reads 0.00 has no place", () => {
  const { fitted, labels } = createFitted({ linear: 0.5, trees: 0.5 });
  const [linear, trees] = fitted;
  /** The trees speak for the labels by `share`, else against them. */
  const mix = (share: number) => [linear, { ...trees, outOfFold: trees.outOfFold.map((z) => (2 * share - 1) * z) }];
  const weightOf = (share: number): number =>
    fitStack(
      mix(share).map(({ outOfFold }) => outOfFold),
      labels,
    ).weights[1];
  let [low, high] = [0, 1];
  while (Math.abs(weightOf(high) - 0.003) > 0.001) {
    const middle = (low + high) / 2;
    if (weightOf(middle) > 0.003) high = middle;
    else low = middle;
  }
  const { learners, members } = joinMembers({ fitted: mix(high), labels, cluster: strangers, folds, isByTime: true });
  expect(learners[1].weight).toBe(0);
  expect(members).toHaveLength(1);
});

test("an lstm alone needs no gate, and trees that speak against the labels get no weight and no place", () => {
  const alone = createFitted({ lstm: 1 });
  expect(joinMembers({ ...alone, cluster: strangers, folds, isByTime: true }).gate).toBeUndefined();
  const { fitted, labels } = createFitted({ linear: 0.5, trees: 0.5 });
  const against = fitted.map((own) => (own.name === "trees" ? { ...own, outOfFold: own.outOfFold.map((z) => -z) } : own));
  const { learners, members, stack } = joinMembers({ fitted: against, labels, cluster: strangers, folds, isByTime: true });
  expect(learners[1].weight).toBe(0);
  expect([members.length, stack.weights.length]).toEqual([1, 1]);
});

test("one held-out part, which the feature search has not seen, tests the gate as a whole", () => {
  const { fitted, labels } = createFitted({ linear: 2, lstm: 0.3 });
  const one = [{ heldOut: strangers }];
  const deaf = fitted.map((own) => (own.name === "lstm" ? { ...own, outOfFold: own.outOfFold.map((z, i) => (i < 500 ? z : -z)) } : own));
  expect(joinMembers({ fitted, labels, cluster: strangers, folds: one, isByTime: true }).gate?.joins).toBe(true);
  expect(joinMembers({ fitted: deaf, labels, cluster: strangers, folds: one, isByTime: true }).gate?.joins).toBe(false);
});

test("all folds speak at the gate: its error is that of one held-out part as large as all of them", () => {
  const { fitted, labels } = createFitted({ linear: 2, lstm: 0.3 });
  const errorOf = (own: typeof folds | { readonly heldOut: Int32Array }[]): number =>
    joinMembers({ fitted, labels, cluster: strangers, folds: own, isByTime: false }).gate!.standardError;
  expect(errorOf(folds) / errorOf([{ heldOut: strangers }])).toBeLessThan(1.2); // of the last of five alone it were √5 as large
});
