// Every engine against the definition in lstm.ts, and against itself: a sequence's bits do not depend on its company. And what the
// WASM engine alone promises.
import { afterEach, describe, expect, test, vi } from "vitest";
import { createWasmEngine, type Engine } from "../../shared/engine.ts";
import { ofNetwork } from "../../shared/members.ts";
import { type Calibration, lstmProbability, type Network } from "../../shared/networks/lstm.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeNetwork, randomOf } from "../fixtures/model.ts";
import { makeOnnxEngine } from "../fixtures/onnx.ts";

interface Kind {
  readonly name: string;
  /** Against lstm.ts, absolute. */
  readonly tolerance: number;
  create(network: Network, calibration: Calibration, timesteps: number): Engine;
}

function createSole(network: Network, calibration: Calibration): Engine {
  return createWasmEngine(kernel, ofNetwork(network, calibration));
}

const ENGINES: readonly Kind[] = [
  {
    name: "wasm",
    // float32 against float64: an activation errs by up to 1.4e-7, a gate's sum of up to 118 terms by about 3e-7; gates
    // contract, so ten steps hardly add up; a probability moves by a quarter of the logit's error. Largest seen here: 1.5e-7.
    tolerance: 5e-7,
    create: createSole,
  },
  { name: "onnxruntime-web", tolerance: 2e-6, create: makeOnnxEngine }, // as test/parity.test.ts argues
];

const CALIBRATION = { slope: 1.25, intercept: -0.5 };

/** Standardised channels as a recipe gives them, (N,T,C), lengths 1 … T in turn; NaN where no one may read. */
function makeChannels(N: number, T: number, C: number, seed: number, lengthOf = (n: number) => 1 + (n % T)) {
  const random = randomOf(seed);
  const lengths = Int32Array.from({ length: N }, (_, n) => lengthOf(n));
  const channels = new Float32Array(N * T * C).fill(Number.NaN);
  for (let n = 0; n < N; n++) for (let i = 0; i < lengths[n] * C; i++) channels[n * T * C + i] = 6 * random() - 3;
  return { channels, lengths };
}

function bitsOf(probabilities: Float32Array): number[] {
  return [...new Int32Array(probabilities.buffer)];
}

/** The sequences `indices`, as a request of their own. */
function pick({ channels, lengths }: ReturnType<typeof makeChannels>, indices: number[]) {
  const size = channels.length / lengths.length;
  const picked = new Float32Array(indices.length * size);
  for (const [i, n] of indices.entries()) picked.set(channels.subarray(n * size, (n + 1) * size), i * size);
  return { channels: picked, lengths: Int32Array.from(indices, (n) => lengths[n]) };
}

const SHAPES = [1, 3, 7, 8, 32, 33, 100].flatMap((U) => [1, 5, 8, 17].map((C) => ({ U, C })));
const EVERYWHERE = ENGINES.flatMap((engine) => SHAPES.map((shape) => ({ ...engine, ...shape })));

describe.each(EVERYWHERE)("$name: $U units, $C channels", ({ U, C, tolerance, create }) => {
  const T = 10;
  const network = makeNetwork(C, U, 10 * U + C);
  const engine = create(network, CALIBRATION, T);
  const input = makeChannels(90, T, C, U + C);
  const probabilities = engine.probabilities(input);

  test(`agrees with lstm.ts to ${tolerance}`, () => {
    for (let n = 0; n < input.lengths.length; n++) {
      const expected = lstmProbability(network, CALIBRATION, input.channels.subarray(n * T * C, (n + 1) * T * C), input.lengths[n]);
      expect(Math.abs(probabilities[n] - expected)).toBeLessThanOrEqual(tolerance);
    }
  });

  test("one alone has the bits it has among others, in any order and number", () => {
    const all = bitsOf(probabilities);
    for (let n = 0; n < all.length; n++) {
      const { channels, lengths } = pick(input, [n]);
      expect(bitsOf(engine.probabilities({ channels, lengths }))).toEqual([all[n]]);
    }
    const random = randomOf(U);
    for (const N of [2, 7, 8, 9, 16, 31, 64]) {
      const indices = Array.from({ length: N }, () => Math.floor(90 * random()));
      const { channels, lengths } = pick(input, indices);
      expect(bitsOf(engine.probabilities({ channels, lengths }))).toEqual(indices.map((n) => all[n]));
    }
  });
});

describe.each(ENGINES)("the $name engine", ({ create, tolerance }) => {
  const C = 5;
  const network = makeNetwork(C, 100, 1);
  const engine = create(network, CALIBRATION, 10);

  test("scores nothing when there is nothing", () => {
    expect(engine.probabilities({ channels: new Float32Array(0), lengths: new Int32Array(0) })).toEqual(new Float32Array(0));
  });

  test.each([0, 1, 10, 11, -1])("rejects a length outside 1 to T, and only that: %i", (length) => {
    const score = () => engine.probabilities({ channels: new Float32Array(2 * 10 * C), lengths: Int32Array.of(3, length) });
    if (length >= 1 && length <= 10) expect(score()).toHaveLength(2);
    else expect(score).toThrow(`lengths[1] must be 1 to 10, got ${length}`);
  });

  test("scores 512 steps, alone and in company", () => {
    const long = create(network, CALIBRATION, 512);
    const input = makeChannels(9, 512, C, 4, () => 512);
    const probabilities = long.probabilities(input);
    const expected = lstmProbability(network, CALIBRATION, input.channels.subarray(8 * 512 * C), 512);
    expect(Math.abs(probabilities[8] - expected)).toBeLessThanOrEqual(tolerance);
    const { channels, lengths } = pick(input, [3]);
    expect(long.probabilities({ channels, lengths })[0]).toBe(probabilities[3]);
  });

  test("remembers nothing of earlier requests", () => {
    const input = makeChannels(24, 10, C, 6);
    const before = bitsOf(engine.probabilities(input));
    const loud = makeChannels(24, 10, C, 7, () => 10);
    engine.probabilities({ channels: loud.channels.map((x) => 1e30 * x), lengths: loud.lengths });
    expect(bitsOf(engine.probabilities(input))).toEqual(before);
  });

  test.each([1, 8])("answers a probability whatever finite channels come: extremes of ±1e30, %i at a time", (N) => {
    const random = randomOf(8);
    const extremes = [1e30, -1e30, 1e-30, -0, 0, 1, -1, 1e-45, 3e5];
    for (const [C, U] of [
      [5, 100],
      [17, 33],
    ]) {
      const network = makeNetwork(C, U, 9);
      const engine = create(network, CALIBRATION, 10);
      for (let i = 0; i < 50; i++) {
        const channels = Float32Array.from({ length: N * 10 * C }, () => extremes[Math.floor(extremes.length * random())]);
        for (const p of engine.probabilities({ channels, lengths: new Int32Array(N).fill(10) })) expect(p >= 0 && p <= 1).toBe(true);
      }
    }
  });

  test("a shift moves the logit by just that", () => {
    const { channels, lengths } = makeChannels(9, 10, C, 12);
    const logits = (shift?: number) => Array.from(engine.probabilities({ channels, lengths }, shift), (p) => Math.log(p / (1 - p)));
    const [here, moved] = [logits(), logits(0.75)];
    for (const [n, logit] of here.entries()) expect(moved[n] - logit).toBeCloseTo(0.75, 5); // of float32 probabilities near 0.5
    expect(logits(0)).toEqual(here);
  });
});

/** What only imported networks have, alone and together; `initial` large enough to matter. */
const VARIANTS: [title: string, of: (U: number) => Partial<Network>][] = [
  ["Keras 2's hard sigmoid", () => ({ hardGates: 0.2 })],
  ["Keras 3's hard sigmoid", () => ({ hardGates: 1 / 6 })],
  ["backwards", () => ({ backwards: true })],
  ["from a state", (U) => ({ initial: initialOf(U) })],
  ["hard, backwards and from a state", (U) => ({ hardGates: 0.2, backwards: true, initial: initialOf(U) })],
];

function initialOf(U: number): NonNullable<Network["initial"]> {
  const random = randomOf(U);
  const numbers = () => Float32Array.from({ length: U }, () => 2 * random() - 1);
  return { hidden: numbers(), cell: numbers() };
}

describe.each(VARIANTS)("a network that is %s", (_, of) => {
  test.each([1, 3, 8, 33, 100])("agrees with lstm.ts to 5e-7 with %i units, alone and eight at a time with the same bits", (U) => {
    const [T, C] = [10, 5];
    const plain = makeNetwork(C, U, U);
    const network: Network = { ...plain, ...of(U) };
    const input = makeChannels(90, T, C, U);
    const engine = createSole(network, CALIBRATION);
    const probabilities = engine.probabilities(input);
    const oracle = (variant: Network, n: number) =>
      lstmProbability(variant, CALIBRATION, input.channels.subarray(n * T * C, (n + 1) * T * C), input.lengths[n]);
    let moved = 0;
    for (let n = 0; n < input.lengths.length; n++) {
      expect(Math.abs(probabilities[n] - oracle(network, n))).toBeLessThanOrEqual(5e-7);
      moved = Math.max(moved, Math.abs(oracle(network, n) - oracle(plain, n)));
      const { channels, lengths } = pick(input, [n]);
      expect(engine.probabilities({ channels, lengths })[0]).toBe(probabilities[n]);
    }
    expect(moved).toBeGreaterThan(1e-3); // so that ignoring the variant would be seen
  });
});

describe("the WASM engine alone", () => {
  const C = 5;
  const network = makeNetwork(C, 100, 1);
  const engine = createSole(network, CALIBRATION);

  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  test("eight of like length go together, others alone: so comparing the two ways means something", () => {
    const calls = { advanceOne: 0, advanceEight: 0 };
    const { Instance } = WebAssembly;
    class CountingInstance {
      readonly exports: WebAssembly.Exports;
      constructor(module: WebAssembly.Module) {
        const exports = new Instance(module).exports as Record<string, (...args: number[]) => void>;
        const counting =
          (name: keyof typeof calls) =>
          (...args: number[]) => {
            calls[name]++;
            exports[name](...args);
          };
        this.exports = { ...exports, advanceOne: counting("advanceOne"), advanceEight: counting("advanceEight") };
      }
    }
    vi.stubGlobal("WebAssembly", { Instance: CountingInstance });
    const counted = createSole(network, CALIBRATION);
    const equal = makeChannels(17, 10, C, 3, () => 10);
    counted.probabilities(equal);
    expect(calls).toEqual({ advanceOne: 1, advanceEight: 2 });
    const apart = makeChannels(10, 10, C, 3); // lengths 1 … 10
    counted.probabilities(apart);
    expect(calls).toEqual({ advanceOne: 11, advanceEight: 2 });
    const near = makeChannels(8, 10, C, 3, (n) => (n < 3 ? 9 : 10));
    counted.probabilities(near);
    expect(calls).toEqual({ advanceOne: 11, advanceEight: 4 }); // to step 9, where three end, then to step 10
  });

  test("rejects channels that are not (N,T,C)", () => {
    expect(() => engine.probabilities({ channels: new Float32Array(10 * C + 1), lengths: Int32Array.of(1) })).toThrow(RangeError);
    expect(() => engine.probabilities({ channels: new Float32Array(513 * C), lengths: Int32Array.of(1) })).toThrow("up to 512 steps");
  });

  test("takes no memory after its creation", () => {
    const grow = vi.spyOn(WebAssembly.Memory.prototype, "grow");
    const own = createSole(network, CALIBRATION);
    const memory = grow.mock.contexts.at(-1) as WebAssembly.Memory;
    const { buffer } = memory;
    const size = buffer.byteLength;
    expect(size).toBeGreaterThan(4 * 105 * 400);
    expect(size).toBeLessThan(2 ** 20);
    for (let i = 0; i < 1000; i++) {
      const { channels, lengths } = makeChannels(i % 40, 10, C, i);
      own.probabilities({ channels, lengths });
    }
    const large = makeChannels(5000, 10, C, 5);
    own.probabilities(large);
    expect(memory.buffer).toBe(buffer); // growing would have detached it
    expect(buffer.byteLength).toBe(size);
  });

  test("a weight that is not a number does not pass for an answer", () => {
    for (const part of ["kernel", "recurrent", "bias", "headKernel", "headBias"] as const) {
      const damaged: Network = { ...network, [part]: network[part].map((w, i) => (i === 0 ? Number.NaN : w)) };
      const { channels, lengths } = makeChannels(9, 10, C, 10, () => 2);
      for (const p of createSole(damaged, CALIBRATION).probabilities({ channels, lengths })) expect(p).toBeNaN();
    }
  });

  test("small probabilities keep their digits, large logits saturate", () => {
    const { channels, lengths } = makeChannels(9, 10, C, 11, () => 10);
    const at = (intercept: number) => createSole(network, { slope: 1, intercept }).probabilities({ channels, lengths });
    for (const n of [0, 8]) {
      const logit = Math.log(at(0)[n] / (1 - at(0)[n]));
      expect(at(-60)[n] / Math.exp(logit - 60)).toBeCloseTo(1, 5); // 5 digits: float32 near −60 steps by 3.8e-6
      expect(at(60)[n]).toBe(1);
      expect(at(-1000)[n]).toBe(0);
      expect(at(1000)[n]).toBe(1);
    }
  });
});
