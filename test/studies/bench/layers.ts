// Networks of layers in the kernel against onnxruntime-web on one thread, on 10 steps × 5 channels, in one run; and against the one LSTM.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createWasmEngine, type EngineInputs } from "../../../shared/engine.ts";
import { ofNetwork } from "../../../shared/members.ts";
import type { CellText, LayeredNetwork, LayerText } from "../../../shared/networks/layers.ts";
import type { Network } from "../../../shared/networks/lstm.ts";
import type { Channel } from "../../../shared/recipe/channel.ts";
import { encodeOnnx } from "../../../trainer/export/onnx/export.ts";
import { createDraw, drawNetwork } from "../../fixtures/draw-layers.ts";
import { makeModel, makeNetwork } from "../../fixtures/model.ts";
import { each, openOrt } from "./inference.ts";
import { type Contestant, race, report } from "./timing.ts";

const T = 10;
const C = 5;
const BATCH = 1000;
const ROUNDS = 9;

const module = new WebAssembly.Module(readFileSync(fileURLToPath(new URL("../../../shared/kernel/inference.wasm", import.meta.url))));
const head: LayerText = { kind: "dense", units: 1 };

function recurrent(cell: CellText, returns: "sequence" | "state" = "state"): LayerText {
  return { kind: "recurrent", cell, returns };
}

const lstm = (units: number): CellText => ({ cell: "lstm", units });
const gru = (units: number): CellText => ({ cell: "gru", units, recurrentBias: true });

/** Weights that keep states off their limits, as trained ones do. */
function draw(layers: readonly LayerText[]): LayeredNetwork {
  const whole = createDraw(1);
  return drawNetwork(layers, C, (...shape) => whole(...shape).map((x) => x * Math.sqrt(3 / shape[0])));
}

const NETWORKS: Readonly<Record<string, Network | LayeredNetwork>> = {
  "LSTM(100), the network that training makes": makeNetwork(C, 100, 1),
  "GRU(100), reset after": draw([recurrent(gru(100)), head]),
  "LSTM(64) → LSTM(32)": draw([recurrent(lstm(64), "sequence"), recurrent(lstm(32)), head]),
  "bidirectional LSTM(64)": draw([
    { kind: "bidirectional", forward: lstm(64), backward: lstm(64), merge: "concat", returns: "state" },
    head,
  ]),
  "Conv1D(32) → LSTM(64)": draw([
    { kind: "conv", filters: 32, kernelSize: 3, strides: 1, dilationRate: 1, pads: [2, 0] },
    { kind: "activation", activation: { kind: "relu" } },
    recurrent(lstm(64)),
    head,
  ]),
};

function makeInputs(): EngineInputs {
  return { channels: createDraw(2)(BATCH, T, C).map((x) => 1.7 * x), lengths: new Int32Array(BATCH).fill(T) };
}

export async function run(): Promise<void> {
  const ort = await openOrt();
  const inputs = makeInputs();
  const singles = Array.from({ length: BATCH }, (_, n) => ({
    channels: inputs.channels.slice(n * T * C, (n + 1) * T * C),
    lengths: inputs.lengths.slice(n, n + 1),
  }));
  const channels: Channel[] = Array.from({ length: C }, (_, a) => ({ base: "feature", view: "level", a }));
  const { recipe } = makeModel(module, { units: 1, channels });
  const engines: { readonly alone: Contestant; readonly together: Contestant }[] = [];
  for (const [name, network] of Object.entries(NETWORKS)) {
    const predictor = ofNetwork(network, { slope: 1, intercept: 0 });
    const engine = createWasmEngine(module, predictor);
    const other = await ort.create(encodeOnnx({ name, recipe, ...predictor }));
    const expected = await other(inputs.channels, inputs.lengths);
    const difference = engine.probabilities(inputs).reduce((worst, p, n) => Math.max(worst, Math.abs(p - expected[n])), 0);
    console.log(`\n${name} (largest difference ${difference.toExponential(1)})`);
    const alone = async (score: (one: EngineInputs) => unknown, times: number): Promise<void> => {
      for (let i = 0; i < times; i++) await score(singles[i % BATCH]);
    };
    const kernelAlone = each("kernel", (n) => engine.probabilities(singles[n]));
    const ortAlone: Contestant = { name: "onnxruntime-web", run: (times) => alone((one) => other(one.channels, one.lengths), times) };
    report("one sequence at a time", await race([kernelAlone, ortAlone], ROUNDS, 3 * BATCH), "µs");
    const all = (name: string, score: () => unknown): Contestant => ({
      name,
      run: async (times) => {
        for (let i = 0; i < times; i++) await score();
      },
    });
    const together = [
      all("kernel", () => engine.probabilities(inputs)),
      all("onnxruntime-web", () => other(inputs.channels, inputs.lengths)),
    ];
    report(`${BATCH} at once, a sequence`, await race(together, ROUNDS, 3), "µs", BATCH);
    engines.push({ alone: { ...kernelAlone, name }, together: { ...together[0], name } });
  }
  const kernels = engines.toReversed(); // the last is what the others are told against: LSTM(100)
  const alone = kernels.map((kernel) => kernel.alone);
  report("\nkernel, one sequence at a time", await race(alone, ROUNDS, 3 * BATCH), "µs");
  const together = kernels.map((kernel) => kernel.together);
  report(`\nkernel, ${BATCH} at once, a sequence`, await race(together, ROUNDS, 3), "µs", BATCH);
}
