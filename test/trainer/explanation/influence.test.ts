// What a whole stack leans on: of a model whose rule is known, the rule is found; of any, editing nothing changes no bit.
import { describe, expect, test } from "vitest";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { type Model, score } from "../../../shared/model.ts";
import { columnsOf } from "../../../shared/recipe/tabular.ts";
import { LEAF } from "../../../shared/trees.ts";
import { measureInfluence } from "../../../trainer/explanation/influence.ts";
import { createSeriesEdits } from "../../../trainer/explanation/series-edits.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeSequences } from "../../fixtures/model.ts";
import { makeStack } from "../../fixtures/stack.ts";

const { log } = instantiateKernel(kernel);
const N = 100;
const values = makeSequences(N, 10, 5, 77);
const LAST = Array.from({ length: N }, (_, n) => values[(n * 10 + 9) * 5 + 4]).sort((a, b) => a - b);
const THRESHOLD = (LAST[49] + LAST[50]) / 2;

/** A stack of one stump: feature 4's last row above THRESHOLD is worth 4 on the logit. */
function stumpModel(): Model {
  const model = makeStack(kernel, { kinds: ["trees"] });
  const view = { ...model.view!, keep: undefined };
  const series = view.series.findIndex(({ base, view: of, a }) => base === "feature" && of === "level" && a === 4);
  const column = columnsOf(view).findIndex((own) => own.kind === "level" && own.series === series && own.part === 0);
  const ensemble = {
    edgeStart: Uint32Array.from({ length: columnsOf(view).length + 1 }, (_, v) => Number(v > column)),
    edges: Float64Array.of(THRESHOLD),
    roots: Uint32Array.of(0),
    column: Uint16Array.of(column, LEAF, LEAF),
    edge: Uint16Array.of(0, 0, 0),
    next: Uint32Array.of(2, 0, 1),
    leaves: Float32Array.of(-2, 2),
    base: 0,
  };
  const calibration = { slope: 1, intercept: 0 };
  return { ...model, view, calibration, members: [{ kind: "trees", ensemble }], stack: { weights: [1], intercept: 0 } };
}

function measure(model: Model, of = values) {
  const engine = createWasmEngine(kernel, model);
  const labels = Uint8Array.from(score(model, engine, log, of).probabilities, (p) => Number(p > 0.5));
  return measureInfluence({ model, engine, log, values: of, labels, random: createRandom(1) });
}

describe("of a stump on the last row of feature 4", () => {
  const model = stumpModel();
  const name = model.recipe.features[4];
  const { features, channels, steps, dependence } = measure(model);

  test("that feature, its level and the last row matter, and nothing else does", () => {
    for (const effects of [features, channels]) {
      expect(effects[0].name).toBe(name);
      expect(effects[0].rise).toBeGreaterThan(2 * effects[0].halfWidth);
      expect(effects.slice(1).every(({ rise, halfWidth }) => rise === 0 && halfWidth === 0)).toBe(true);
    }
    expect(steps[0]).toMatchObject({ from: 0, to: 0 });
    expect(steps[0].rise).toBeGreaterThan(0.1);
    expect(steps.slice(1).every(({ rise }) => rise === 0)).toBe(true);
  });

  test("its curve steps at the threshold from one probability to the other", () => {
    const [curve] = dependence;
    expect(curve.name).toBe(name);
    expect(curve.at.length).toBeGreaterThan(5);
    expect(curve.at).toEqual(curve.at.toSorted((a, b) => a - b));
    curve.at.forEach((at, i) => {
      expect(curve.probabilities[i]).toBeCloseTo(1 / (1 + Math.exp(at <= THRESHOLD ? 2 : -2)), 4);
    });
    expect(new Set(curve.probabilities).size).toBe(2);
  });

  test("a value of the grid is between two of the data's", () => {
    const known = new Set(values);
    for (const value of dependence[0].at) expect(known.has(value)).toBe(false);
  });
});

describe.each([{ kinds: ["lstm", "linear", "trees"] as const }, { kinds: ["lstm"] as const }])("of a stack of $kinds", ({ kinds }) => {
  const model = makeStack(kernel, { kinds });
  const engine = createWasmEngine(kernel, model);
  const edits = createSeriesEdits({ model, engine, log, values, baseRate: 0.5 });
  const own = Int32Array.from({ length: N }, (_, n) => n);

  test("a quantity that is its own, moved by 0, or not moved, changes no bit", () => {
    expect(edits.plain).toEqual(score(model, engine, log, values).probabilities);
    for (const q of edits.quantities.keys()) {
      expect(edits.permuted(q, own)).toEqual(edits.plain);
      expect(edits.shifted(q, new Float64Array(N))).toEqual(edits.plain);
      expect(edits.shifted(q, new Float64Array(N).fill(Number.NaN))).toEqual(edits.plain);
    }
  });

  test("every channel reaches the members that look at it", () => {
    const lengths = [...edits.lengths];
    const donors = own.map((n) => lengths.findIndex((length, m) => m !== n && length === lengths[n]));
    const moved = edits.quantities.filter((_, q) => edits.permuted(q, donors).some((p, n) => p !== edits.plain[n]));
    expect(moved.filter(({ channel }) => channel >= 0).length).toBe(model.recipe.channels.length);
    if (kinds.length > 1) expect(moved.some(({ channel, series }) => channel < 0 && series >= 0)).toBe(true);
  });

  test("the same random numbers give the same figures, small enough for a card", () => {
    const influence = measure(model);
    expect(measure(model)).toEqual(influence);
    expect(influence.dependence.length).toBe(3);
    expect(JSON.stringify(influence).length).toBeLessThan(5000);
  });
});

test.each([{ kinds: ["lstm", "linear", "trees"] as const }, { kinds: ["lstm"] as const }])(
  "of a stack of $kinds, sequences of which permuting one feature leaves nothing but padding do not stop the others",
  ({ kinds }) => {
    const model = makeStack(kernel, { kinds });
    const { timesteps: T, features } = model.recipe;
    const size = T * features.length;
    const sparse = new Float64Array(N * size);
    // each has one number, in the last row, of one feature or another: permuted, that leaves some with none
    for (let n = 0; n < N; n++) {
      const sequence = sparse.subarray(n * size, (n + 1) * size);
      sequence.fill(0)[size - 1 - (n % 2)] = 1 + n;
    }
    const { features: effects, sequences } = measure(model, sparse);
    expect(sequences).toBe(N);
    expect(effects.every(({ rise, halfWidth }) => Number.isFinite(rise) && Number.isFinite(halfWidth))).toBe(true);
  },
);
