// Members and their stack on the kernel, against the slow definitions of each: equal bits where the definition is exact, and the same
// for any number of sequences.
import { describe, expect, test } from "vitest";
import { createWasmEngine, type EngineInputs, instantiateKernel } from "../../shared/engine.ts";
import { linearLogit } from "../../shared/linear.ts";
import { MEMBER_CLIP, ofNetwork } from "../../shared/members.ts";
import { computeInputs } from "../../shared/model.ts";
import { LEAF, MISSING_LEFT, type TreeEnsemble, treesLogit } from "../../shared/trees.ts";
import { kernel, seriesColumns } from "../fixtures/kernel.ts";
import { makeSequences, randomOf } from "../fixtures/model.ts";
import { makeStack, makeTrees } from "../fixtures/stack.ts";

const { log } = instantiateKernel(kernel);
const CALIBRATION = { slope: 1.25, intercept: -0.5 };

/** Inputs of columns alone, (N,V). */
function columnsAlone(columns: Float64Array, N: number): EngineInputs {
  return { channels: new Float32Array(0), lengths: new Int32Array(N).fill(1), columns };
}

/** (N,V) numbers of a few values, so that some lie on edges; some missing, some huge. */
function makeColumns(N: number, V: number, seed: number): Float64Array {
  const random = randomOf(seed);
  const draw = (): number => {
    const u = random();
    if (u < 0.1) return Number.NaN;
    if (u < 0.13) return u < 0.115 ? 1e300 : -Number.MAX_VALUE;
    return u < 0.5 ? Math.round(6 * random()) / 2 : 1e6 + random();
  };
  return Float64Array.from({ length: N * V }, draw);
}

function engineOf(ensemble: TreeEnsemble) {
  return createWasmEngine(kernel, {
    members: [{ kind: "trees", ensemble }],
    stack: { weights: [1], intercept: 0 },
    calibration: CALIBRATION,
  });
}

describe("trees", () => {
  test.each([
    [1, 1, 1],
    [3, 1, 31],
    [4, 7, 8],
    [50, 40, 61],
    [301, 12, 31],
    [9, 30, 256],
    [9, 30, 400],
  ])("%i trees on %i columns of up to %i leaves: the definition's bits, one at a time and in batches", (trees, V, leaves) => {
    const N = 71;
    const columns = makeColumns(N, V, trees);
    const ensemble = makeTrees(columns, V, { trees, leaves, seed: V });
    const engine = engineOf(ensemble);
    const expected = Float64Array.from({ length: N }, (_, n) => treesLogit(ensemble, columns.subarray(n * V, (n + 1) * V)));
    expect(engine.memberLogits(columnsAlone(columns, N))).toEqual(expected);
    for (const size of [1, 2, 5, 6, 8, 13, 32, 33, 38])
      for (let n = 0; n + size <= N; n += size) {
        const part = engine.memberLogits(columnsAlone(columns.slice(n * V, (n + size) * V), size));
        expect(part).toEqual(expected.slice(n, n + size));
      }
  });

  test("a value on its edge goes left, the next float64 goes right, and a missing one goes where the split says", () => {
    const stump = (missing: number): TreeEnsemble => ({
      edgeStart: Uint32Array.of(0, 1),
      edges: Float64Array.of(1.2483),
      roots: Uint32Array.of(0),
      column: Uint16Array.of(0, LEAF, LEAF),
      edge: Uint16Array.of(missing, 0, 0),
      next: Uint32Array.of(2, 0, 1),
      leaves: Float32Array.of(-1, 1),
      base: 0.5,
    });
    const logitsOf = (ensemble: TreeEnsemble) => {
      const columns = Float64Array.of(1.2483, 1.2483 + 2 ** -52, Number.NaN, -1e300, 1e300);
      return [...engineOf(ensemble).memberLogits(columnsAlone(columns, 5))];
    };
    expect(logitsOf(stump(0))).toEqual([-0.5, 1.5, 1.5, -0.5, 1.5]);
    expect(logitsOf(stump(MISSING_LEFT))).toEqual([-0.5, 1.5, -0.5, -0.5, 1.5]);
  });

  test("a column has up to 255 edges, and a value of a batch may lie above all of them", () => {
    const edges = Float64Array.from({ length: 255 }, (_, e) => e / 4);
    const stumps: TreeEnsemble = {
      edgeStart: Uint32Array.of(0, 255),
      edges,
      roots: Uint32Array.from(edges, (_, t) => 3 * t),
      column: Uint16Array.from({ length: 3 * 255 }, (_, node) => (node % 3 === 0 ? 0 : LEAF)),
      edge: Uint16Array.from({ length: 3 * 255 }, (_, node) => (node % 3 === 0 ? node / 3 + (node % 2) * MISSING_LEFT : 0)),
      next: Uint32Array.from({ length: 3 * 255 }, (_, node) => [node + 2, (2 * (node - 1)) / 3, (2 * (node - 2)) / 3 + 1][node % 3]),
      leaves: Float32Array.from({ length: 2 * 255 }, (_, leaf) => (leaf % 2 === 0 ? 1 : 2 ** -20 * (leaf + 1))),
      base: 0,
    };
    const columns = Float64Array.of(-1, ...edges, 63.49999, 63.5000001, 1e300, Number.NaN, -Number.MAX_VALUE);
    const expected = Float64Array.from(columns, (x) => treesLogit(stumps, Float64Array.of(x)));
    expect(engineOf(stumps).memberLogits(columnsAlone(columns, columns.length))).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(255);
  });

  test("a leaf adds any float32, to the bit", () => {
    const leaves = Float32Array.of(-3.4028234663852886e38, 3.4028234663852886e38, 1.401298464324817e-45, -0, 0, 0.1);
    const ensemble: TreeEnsemble = {
      edgeStart: Uint32Array.from({ length: 2 }, (_, v) => 5 * v),
      edges: Float64Array.of(0, 1, 2, 3, 4),
      roots: Uint32Array.of(0),
      column: Uint16Array.from({ length: 11 }, (_, node) => (node % 2 === 0 ? 0 : LEAF)).with(10, LEAF),
      edge: Uint16Array.from({ length: 11 }, (_, node) => (node < 10 && node % 2 === 0 ? node / 2 : 0)),
      next: Uint32Array.from({ length: 11 }, (_, node) => (node === 10 ? 5 : node % 2 === 0 ? node + 2 : (node - 1) / 2)),
      leaves,
      base: -0,
    };
    const columns = Float64Array.of(0, 1, 2, 3, 4, 5);
    expect([...engineOf(ensemble).memberLogits(columnsAlone(columns, 6))]).toEqual([...leaves]);
    expect(Array.from(columns, (x) => treesLogit(ensemble, Float64Array.of(x)))).toEqual([...leaves]);
    expect(Array.from(columns, (x) => engineOf(ensemble).memberLogits(columnsAlone(Float64Array.of(x), 1))[0])).toEqual([...leaves]);
  });

  test("no trees answer the base", () => {
    const none = makeTrees(new Float64Array(3), 3, { trees: 0 });
    expect([...engineOf(none).memberLogits(columnsAlone(new Float64Array(6), 2))]).toEqual([-1.25, -1.25]);
  });
});

describe("a stack", () => {
  const model = makeStack(kernel, { kinds: ["lstm", "linear", "trees", "trees"], units: 7 });
  const inputs = computeInputs(model, makeSequences(90, 10, 5, 21), log, seriesColumns);
  const { lengths, channels } = inputs;
  const columns = inputs.columns!;
  const engine = createWasmEngine(kernel, model);
  const M = model.members.length;
  const V = columns.length / 90;
  const C = channels.length / 900;

  test("has the logits of its members: a network's alone, the mean of several, each linear and tree member's definition", () => {
    const logits = engine.memberLogits(inputs);
    for (const [m, member] of model.members.entries()) {
      const networks = member.kind === "lstm" ? member.networks : [];
      const alone = networks.map((network) => createWasmEngine(kernel, ofNetwork(network, CALIBRATION)).memberLogits(inputs));
      for (let n = 0; n < 90; n++) {
        const own = columns.subarray(n * V, (n + 1) * V);
        const expected =
          member.kind === "lstm"
            ? alone.reduce((sum, each) => sum + each[n], 0) / alone.length
            : member.kind === "linear"
              ? linearLogit(member.classifier, own, 0)
              : treesLogit((member as Extract<typeof member, { kind: "trees" }>).ensemble, own);
        expect(logits[n * M + m]).toBe(expected);
      }
    }
    expect(logits.every((z) => Math.fround(z) === z)).toBe(false); // trees and linear keep float64
  });

  test("weighs its members' logits, limited to ±9, calibrates and shifts in float64, and rounds once", () => {
    const { weights, intercept } = model.stack!;
    const { exp } = instantiateKernel(kernel);
    const logits = engine.memberLogits(inputs);
    const probabilities = engine.probabilities(inputs, 0.75);
    for (let n = 0; n < 90; n++) {
      let s = intercept;
      for (let m = 0; m < M; m++) s += weights[m] * Math.max(-MEMBER_CLIP, Math.min(MEMBER_CLIP, logits[n * M + m]));
      const { slope, intercept: added } = model.calibration;
      expect(probabilities[n]).toBe(Math.fround(1 / (1 + exp(-(slope * s + (added + 0.75))))));
    }
  });

  test("a member that is surer than 9 moves the probability no further", () => {
    const steep = (base: number) => {
      const sure: TreeEnsemble = { ...makeTrees(columns, V, { trees: 0 }), base };
      return engineOf(sure).probabilities(inputs)[0];
    };
    expect([steep(9), steep(-9)]).toEqual([steep(1e300), steep(-1e300)]);
    expect(steep(8.9)).toBeLessThan(steep(9));
  });

  test("one sequence alone has the bits that it has in any company", () => {
    const all = engine.probabilities(inputs);
    for (const size of [1, 3, 8, 31])
      for (let n = 0; n + size <= 90; n += size) {
        const part = {
          channels: channels.slice(n * 10 * C, (n + size) * 10 * C),
          lengths: lengths.slice(n, n + size),
          columns: columns.slice(n * V, (n + size) * V),
        };
        expect(engine.probabilities(part)).toEqual(all.slice(n, n + size));
      }
  });

  test("rejects columns that are not (N,V), or not there", () => {
    expect(() => engine.probabilities({ channels, lengths })).toThrow(RangeError);
    expect(() => engine.probabilities({ channels, lengths, columns: columns.subarray(1) })).toThrow(RangeError);
  });

  test("scores nothing when there is nothing", () => {
    const none = { channels: new Float32Array(0), lengths: new Int32Array(0), columns: new Float64Array(0) };
    expect(engine.probabilities(none)).toEqual(new Float32Array(0));
    expect(engine.memberLogits(none)).toEqual(new Float64Array(0));
  });
});
