// A stack's whole path on data that are wide or hold what no scale can hold.
import { expect, test } from "vitest";
import { createTrees } from "../../../trainer/learners/trees/trees.ts";
import type { TrainNote } from "../../../trainer/pipeline/note.ts";
import { type Trained, type TrainOptions, trainModel } from "../../../trainer/pipeline/train.ts";
import type { LabelledDataset } from "../../../trainer/readers/dataset.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";
import { engines } from "../../fixtures/import/importing.ts";

const MINUTES = { timeout: 600_000 };

interface Shape {
  readonly N: number;
  readonly T: number;
  readonly F: number;
}

/** Sequences of normal numbers; `labelOf` makes a label of one's values and a uniform draw. */
function makeData({ N, T, F }: Shape, labelOf: (values: Float64Array, draw: number) => boolean, seed = 7): LabelledDataset {
  const random = createRandom(seed);
  const values = Float64Array.from({ length: N * T * F }, () => random.normal());
  const labels = Uint8Array.from({ length: N }, (_, n) => Number(labelOf(values.subarray(n * T * F, (n + 1) * T * F), random.uniform())));
  return {
    source: "made.npz",
    name: "made",
    sha256: "4".repeat(64),
    shape: { timesteps: T, features: F },
    features: Array.from({ length: F }, (_, f) => `f${f}`),
    float32: false,
    test: null,
    values,
    labels,
    probability: null,
  } as unknown as LabelledDataset;
}

const BASE: TrainOptions = { seed: 1, split: "auto", horizon: 1, recipe: "auto", padding: "none", epochs: 2 };

async function run(
  data: LabelledDataset,
  options: Partial<TrainOptions> = {},
  threads = 1,
): Promise<{ trained: Trained; notes: TrainNote[] }> {
  const notes: TrainNote[] = [];
  const trained = await trainModel(
    data,
    { ...BASE, ...options },
    {
      ...engines,
      createStepper: (of, how) => createTrainingStep(of, { ...how, threads }),
      createTrees: (how) => createTrees({ ...how, threads }),
      node: "0.0.0",
      onNote: (note) => notes.push(note),
      onProgress: () => {},
      yieldToEventLoop: async () => {},
    },
  );
  return { trained, notes };
}

const LINEAR = (values: Float64Array, draw: number): boolean => draw < 1 / (1 + Math.exp(-2 * values[values.length - 1]));
test("64 features of 60 sequences, one of them constant, and numbers up to ±1e300", MINUTES, async () => {
  const wide = makeData({ N: 60, T: 2, F: 64 }, LINEAR);
  for (let at = 0; at < wide.values.length; at += 64) {
    wide.values[at] = 3;
    wide.values[at + 1] *= 1e300;
  }
  const { trained } = await run(wide, { learner: "trees" });
  expect(Number.isFinite(trained.model.card.test.logLoss)).toBe(true);
  const { trained: linear } = await run(wide, { learner: "linear" });
  expect(Number.isFinite(linear.model.card.test.logLoss)).toBe(true);
});
