// A small model with its parts, as `train` has them when it writes the report. Knows no page.
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { type MeasuredCard, score } from "../../../shared/model.ts";
import type { ReportInput } from "../../../trainer/report/gather.ts";
import type { Labels } from "../../../trainer/statistics/labels.ts";
import { bootstrapIntervals, computeMetrics } from "../../../trainer/statistics/metrics.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { reliabilityBins } from "../../../trainer/statistics/reliability.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { type ModelOptions, makeModel, makeSequences, randomOf } from "../../fixtures/model.ts";

export interface Changes {
  readonly model?: ModelOptions;
  readonly values?: Float64Array;
  readonly labels?: Labels;
  readonly probabilities?: Float32Array;
  readonly baselineName?: string;
  readonly input?: Partial<ReportInput>;
}

export const N = 240;
const GAP = 2;

/** The last 120 of 240 sequences are the test part; labels lean on the probabilities, so that the curves have a shape. */
export function makeInput(changes: Changes = {}): ReportInput {
  const made = makeModel(kernel, changes.model);
  const { timesteps: T, features } = made.recipe;
  const { log } = instantiateKernel(kernel);
  const engine = createWasmEngine(kernel, made);
  const values = changes.values ?? makeSequences(N, T, features.length, 5, made.recipe.padding === "none" ? T : 1);
  const scored = score(made, engine, log, values).probabilities;
  const random = randomOf(9);
  const labels = changes.labels ?? Uint8Array.from(scored, (p) => (random() < p ? 1 : 0));
  const size = T * features.length;
  const test = {
    values: values.slice((N / 2) * size),
    labels: labels.slice(N / 2),
    probabilities: changes.probabilities ?? scored.slice(N / 2),
  };
  const second = changes.baselineName ?? "logistic regression";
  const baselines = {
    "base rate": new Float64Array(N / 2).fill(0.3),
    [second]: Float64Array.from(test.probabilities, (p) => 0.2 + 0.6 * p),
  };
  const card: MeasuredCard = {
    ...made.card,
    split: { by: "time", examples: { train: 60, validation: 30, calibration: 30, test: 120 } },
    training: { ...made.card.training, optimizer: "adam", batch: 32, epochs: 4, bestEpoch: 3 },
    test: computeMetrics(test.labels, test.probabilities),
    intervals: bootstrapIntervals(test.labels, test.probabilities, createRandom(1), 50, GAP),
    baselines: Object.fromEntries(Object.entries(baselines).map(([name, guesses]) => [name, computeMetrics(test.labels, guesses)])),
    warnings: ["a fact to keep in mind"],
  };
  const model = { ...made, card };
  const indices = (from: number, to: number): Int32Array => Int32Array.from({ length: to - from }, (_, i) => from + i);
  return {
    model,
    id: "test@0123456789ab",
    verdict: { code: "learned", text: "Learned: a little.", next: "More of the same." },
    history: [0.6, 0.5, 0.45, 0.46].map((loss, i) => ({ trainLoss: loss - 0.01 * i, validationLoss: loss, learningRate: 2e-3 / (1 + i) })),
    data: { values, labels },
    leftOut: 0,
    split: { train: indices(0, 60), validation: indices(60, 90), calibration: indices(90, 120) },
    validation: { "base rate": new Float64Array(30).fill(0.3), [second]: new Float64Array(30).fill(0.4) },
    test: { ...test, baselines },
    reliability: reliabilityBins(test.labels, test.probabilities, createRandom(2), GAP),
    gap: GAP,
    engine,
    log,
    random: createRandom(1, 6),
    ...changes.input,
  };
}
