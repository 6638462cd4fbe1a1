// Which of two trainings is taken, with networks that answer what the test wants.
import { expect, it } from "vitest";
import type { DistillationTarget } from "../../../../trainer/features/distillation.ts";
import { createLstmTrainer } from "../../../../trainer/learners/lstm/lstm.ts";
import type { LstmSettings } from "../../../../trainer/learners/lstm/settings.ts";
import type { Stepper } from "../../../../trainer/training/stepper.ts";

const TARGETS: readonly DistillationTarget[] = [
  { teacher: "none", distillationWeight: 0 },
  { teacher: "MLP on summary features", distillationWeight: 0.9 },
];
const N = 400;
const U = 2;
const SETTINGS: LstmSettings = {
  units: U,
  batch: 100,
  epochs: 2,
  optimizer: "adam",
  learningRate: 0.01,
  weightDecay: 0,
  schedule: "cosine",
  learningRatePatience: 2,
  patience: 2,
};
const labels = Uint8Array.from({ length: N }, (_, n) => n % 2);
const order = Int32Array.from({ length: N }, (_, n) => n);

/** Answers ±`certainty` by the label, where nine in ten are right: ln 9 = 2.197 is the best certainty. */
function stub(certainty: number): Stepper {
  const parameters = new Float32Array(4 * U + 4 * U * U + 4 * U + U + 1);
  return {
    simdPath: "stub",
    step: () => 0.5,
    logits: (indices) => Float32Array.from(indices, (n) => certainty * (labels[n] === 1 ? 1 : -1) * (n % 20 < 2 ? -1 : 1)),
    getParameters: () => parameters,
    setParameters: () => {},
    getOptimizer: () => ({ steps: 0, moments: new Float32Array(0) }),
    setOptimizer: () => {},
    dispose: () => {},
  };
}

/** From whom the network has learnt that is taken, if networks trained on labels and on a teacher's probabilities are so certain. */
async function taken(onLabels: number, taught: number): Promise<string> {
  const options = { settings: SETTINGS, targets: TARGETS, requireSignificance: false };
  const learner = createLstmTrainer(options, {
    createStepper: (data, { timesteps }) => stub(timesteps === 1 ? 0 : data.labels === labels ? onLabels : taught),
    createEngine: () => expect.unreachable(),
    onNote: () => {},
    onProgress: () => {},
  });
  const view = { channels: new Float32Array(N * 2), lengths: new Int32Array(N).fill(2), timesteps: 2, names: ["one"] };
  const rows = { train: order.subarray(0, 200), validation: order.subarray(200), gap: 0 };
  return (await learner.fit(view, labels, rows, 1)).target.teacher;
}

it("takes the taught network where it validates as well or better", async () => {
  expect(await taken(1, 1)).toBe("MLP on summary features");
  expect(await taken(0.1, 1)).toBe("MLP on summary features");
});

it("takes the taught network where it validates worse by less than noise", async () => {
  expect(await taken(2.2, 2.1)).toBe("MLP on summary features");
});

it("takes the network trained on labels where that validates better beyond noise", async () => {
  expect(await taken(2, 0.1)).toBe("none");
});
