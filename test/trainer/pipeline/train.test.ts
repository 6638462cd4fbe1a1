// The path of a training run: what it says by code, in order, and that the card holds it.
import { beforeAll, expect, test } from "vitest";
import { createTrees } from "../../../trainer/learners/trees/trees.ts";
import type { TrainNote } from "../../../trainer/pipeline/note.ts";
import { type Trained, trainModel } from "../../../trainer/pipeline/train.ts";
import type { LabelledDataset } from "../../../trainer/readers/dataset.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";
import { engines } from "../../fixtures/import/importing.ts";

const [N, T, F] = [600, 4, 3];

/** Nothing can be learnt from it: labels are drawn blindly. Two sequences hold nothing but padding. */
function blind(): LabelledDataset {
  const random = createRandom(45);
  const values = Float64Array.from({ length: N * T * F }, () => random.normal()).fill(0, 0, 2 * T * F);
  return {
    source: "blind.npz",
    name: "blind",
    sha256: "3".repeat(64),
    shape: { timesteps: T, features: F },
    features: ["a", "b", "c"],
    float32: true,
    test: null,
    values,
    labels: Uint8Array.from({ length: N }, () => Number(random.uniform() < 0.25)),
    probability: null,
  } as unknown as LabelledDataset;
}

let trained: Trained;
const notes: TrainNote[] = [];
beforeAll(async () => {
  const options = { seed: 1, split: "random", horizon: 1, recipe: "raw", padding: "leading", units: 4, epochs: 2, batch: 100 } as const;
  trained = await trainModel(blind(), options, {
    ...engines,
    createStepper: (data, how) => createTrainingStep(data, { ...how, threads: 1 }),
    createTrees: (how) => createTrees({ ...how, threads: 1 }),
    node: "0.0.0",
    onNote: (note) => notes.push(note),
    onProgress: () => {},
    yieldToEventLoop: async () => {},
  });
});

test("says by code what it leaves out, how it splits, what it learns from and which operating points cannot be had", () => {
  expect(notes.map((note) => (note.code === "warning" ? note.warning.code : note.code))).toEqual([
    "left-out",
    "split",
    "channels",
    "initial-loss",
    "precision",
    "precision-unattained",
    "recall-unattained",
  ]);
});

test("keeps what it warned of in the card: a sentence and a code each", () => {
  const { warnings, warningCodes } = trained.model.card;
  expect(warningCodes).toEqual(["precision-unattained", "recall-unattained"]);
  expect(warnings).toEqual([
    expect.stringMatching(/^Precision ≥ 0\.9 cannot be promised/),
    expect.stringMatching(/^Recall ≥ 0\.9 cannot be promised/),
  ]);
  expect(trained.warnings.map(({ code }) => code)).toEqual(warningCodes);
});

test("finds nothing where nothing is", () => {
  expect(trained.verdict.code).toBe("base-rate-only");
  expect(trained.evidence.leftOut).toBe(2);
});
