// --learner lstm --split-version 1 trains what the first versions trained, to the bit.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createTrees } from "../../../trainer/learners/trees/trees.ts";
import { trainModel } from "../../../trainer/pipeline/train.ts";
import type { LabelledDataset } from "../../../trainer/readers/dataset.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";
import { engines } from "../../fixtures/import/importing.ts";

/** Of the network's tensors, recorded with the last version before stacks: strict arithmetic, so that every host has them. */
const RECORDED = "04363796fab9a9406a2bb6fdbfd8e039a250791f817f3fedec390432668779c8";

test("network tensors and calibration are those of before", { timeout: 240_000 }, async () => {
  const shape = { timesteps: 10, features: 5 };
  const facts = { source: "fx.npz", name: "fx", sha256: "0".repeat(64), shape, float32: false, test: null };
  const data: LabelledDataset = { ...facts, ...generateFx(2600, 11) } as unknown as LabelledDataset;
  const options = { seed: 3, split: "auto", horizon: 1, recipe: "auto", padding: "leading", epochs: 3, units: 8 } as const;
  const { model } = await trainModel(
    data,
    { ...options, learner: "lstm", splitVersion: 1 },
    {
      ...engines,
      createStepper: (of, how) => createTrainingStep(of, { ...how, threads: 1, strict: true }),
      createTrees,
      node: "0.0.0",
      onNote: () => {},
      onProgress: () => {},
      yieldToEventLoop: async () => {},
    },
  );
  expect([model.members.length, model.stack]).toEqual([1, undefined]);
  const [member] = model.members;
  if (member.kind !== "lstm") throw new Error("the one member must be an LSTM");
  const { kernel, recurrent, bias, headKernel, headBias } = member.networks[0];
  const hash = createHash("sha256");
  for (const tensor of [kernel, recurrent, bias, headKernel, headBias])
    hash.update(new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength));
  expect(hash.digest("hex")).toBe(RECORDED);
  expect(model.calibration).toEqual({ slope: 1, intercept: 0 });
});
