// Every channel that a search may suggest is carried through every reading of padding and every part of the data.
import fc from "fast-check";
import { expect, test } from "vitest";
import { instantiateKernel } from "../../../shared/engine.ts";
import { PADDINGS, validRows } from "../../../shared/sequence.ts";
import { createChannelTables } from "../../../trainer/diagnosis/channel-tables.ts";
import { studyData } from "../../../trainer/diagnosis/facts.ts";
import { listCandidates } from "../../../trainer/diagnosis/hidden.ts";
import { listCandidates as listChannels, plainChannels } from "../../../trainer/features/candidates.ts";
import { drawEvaluationSample } from "../../../trainer/features/evaluation-sample.ts";
import { featuresWithGaps, studyFeatures } from "../../../trainer/features/facts.ts";
import { kernel } from "../../fixtures/kernel.ts";

const { log } = instantiateKernel(kernel);

/** Levels as prices have, gaps, zeros, negatives, and the ends of float64. */
const number = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: 0.5, max: 50, noNaN: true }) },
  { weight: 1, arbitrary: fc.constant(Number.NaN) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 1, -3, 1e308, -1e308, Number.MIN_VALUE, 1e-300) },
);

/** (N,T,F) of sequences that each hold something, padded in front, behind, or nowhere. */
const dataSet = fc
  .record({ N: fc.integer({ min: 4, max: 12 }), T: fc.integer({ min: 1, max: 5 }), F: fc.integer({ min: 1, max: 4 }) })
  .chain(({ N, T, F }) =>
    fc.record({
      shape: fc.constant({ timesteps: T, features: F }),
      numbers: fc.array(number, { minLength: N * T * F, maxLength: N * T * F }),
      padded: fc.array(fc.integer({ min: 0, max: T - 1 }), { minLength: N, maxLength: N }),
      side: fc.constantFrom("front", "behind"),
      part: fc.uniqueArray(fc.integer({ min: 0, max: N - 1 }), { minLength: 1, maxLength: N }),
      padding: fc.constantFrom(...PADDINGS),
    }),
  )
  .map(({ shape, numbers, padded, side, ...rest }) => {
    const { timesteps: T, features: F } = shape;
    const values = Float64Array.from(numbers);
    padded.forEach((zeros, n) => {
      const from = n * T * F + (side === "front" ? 0 : (T - zeros) * F);
      values.fill(0, from, from + zeros * F);
      const rows = new Int32Array(T);
      if (validRows(values, n * T * F, shape, "leading", rows) === 0) values.fill(1, n * T * F, (n + 1) * T * F);
    });
    return { values, shape, names: Array.from({ length: F }, (_, f) => `f${f}`), ...rest };
  });

const allFinite = (numbers: Float32Array): boolean => numbers.every(Number.isFinite);

test("an experiment takes any candidate of any data under any padding, on any part of them", () => {
  fc.assert(
    fc.property(dataSet, fc.boolean(), ({ values, shape, names, part, padding }, scaled) => {
      const facts = studyData(values, shape);
      const candidates = listCandidates(facts, shape.timesteps);
      const train = Int32Array.from(part);
      const { levels, movements, observed, channels } = candidates;
      const inputsOf = createChannelTables({
        values,
        shape,
        features: names,
        folds: [{ seed: 0, train, heldOut: train }],
        channels,
        movement: Array.from({ length: movements }, (_, i) => levels + i),
        difference: [Array.from({ length: channels.length - levels - movements - observed }, (_, i) => levels + movements + i)],
        observed: Array.from({ length: observed }, (_, i) => channels.length - observed + i),
        gaps: featuresWithGaps(facts.features),
        log,
      });
      for (const hasLevels of [true, false]) {
        const inputs = { padding, levels: hasLevels, scaled, addedScaled: true, movement: true, difference: true, observed: true };
        expect(allFinite(inputsOf(0, inputs).channels.channels)).toBe(true);
      }
    }),
    { numRuns: 400 },
  );
});

test("a candidate evaluation takes any candidate of any data under any padding, on any part of them", () => {
  fc.assert(
    fc.property(dataSet, fc.constantFrom(...PADDINGS), ({ values, shape, names, part, padding }, reading) => {
      const N = values.length / (shape.timesteps * shape.features);
      const all = Int32Array.from({ length: N }, (_, n) => n);
      const facts = studyFeatures(values, shape, all, reading);
      const channels = [...listChannels(facts, shape.timesteps), ...plainChannels(facts, shape.timesteps)];
      if (channels.length === 0) return;
      const sample = drawEvaluationSample(
        {
          values,
          labels: Uint8Array.from(all, (n) => n % 2),
          shape,
          features: names,
          padding,
          gaps: featuresWithGaps(facts),
          train: Int32Array.from(part),
          validation: all,
          gap: 0,
          areStrangers: false,
          log,
          seed: 1,
        },
        channels,
      );
      expect(allFinite(sample.table.channels)).toBe(true);
    }),
    { numRuns: 400 },
  );
});
