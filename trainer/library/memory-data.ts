// Sequences in memory → one Dataset with everything checked, as files are read. Legend: N sequences, T steps, F features.
import { createHash } from "node:crypto";
import { DataError, SequenceError } from "../../shared/errors.ts";
import { MAX_FEATURES, MAX_TIMESTEPS, parseSequences, type Shape } from "../../shared/sequence.ts";
import type { LabelledPart } from "../readers/batch.ts";
import type { Dataset } from "../readers/dataset.ts";
import type { Labels } from "../statistics/labels.ts";
import type { TrainingData, TrainingOptions } from "./contract.ts";

/** What errors call the data. */
const SOURCE = "data";
const MAX_SEQUENCES = 10_000_000;

/** Throws DataError, SequenceError and LimitError with the place of what cannot be used. */
export function toDataset(data: TrainingData, { softLabels, missing }: Pick<TrainingOptions, "softLabels" | "missing">): Dataset {
  const { name = "model", groups } = data;
  const shape = { ...findShape(data), gaps: missing !== "refuse" };
  const main = toPart(data, shape, softLabels, "");
  const hash = createHash("sha256");
  for (const array of [main.values, main.labels]) hash.update(array);
  if (groups) hash.update(Float64Array.from(groups));
  const test = data.test === undefined ? null : toPart(data.test, shape, softLabels, "test.");
  if (test) for (const array of [test.values, test.labels]) hash.update(array);
  const features = data.features ?? Array.from({ length: shape.features }, (_, f) => `f${f}`);
  if (features.length !== shape.features)
    throw new DataError(SOURCE, `features names ${features.length} features, but rows have ${shape.features} numbers`);
  if (groups !== undefined && groups.length !== main.labels.length)
    throw new DataError(SOURCE, `groups holds ${groups.length} numbers, expected one for each of ${main.labels.length} sequences`);
  return {
    ...main,
    ...(groups && { groups: numberGroups(groups) }),
    source: SOURCE,
    name,
    sha256: hash.digest("hex"),
    shape: { timesteps: shape.timesteps, features: shape.features },
    features,
    float32: false,
    test,
  };
}

/** T of the longest sequence, F of the first row. */
function findShape({ sequences, test }: TrainingData): Shape {
  const first: unknown = sequences?.[0]?.[0];
  if (!Array.isArray(first)) throw new SequenceError(["sequences", 0, 0], "must be an array of numbers", typeof first);
  let timesteps = 1;
  for (const part of [sequences, test?.sequences ?? []])
    for (const sequence of part) timesteps = Math.max(timesteps, Array.isArray(sequence) ? sequence.length : 0);
  if (timesteps > MAX_TIMESTEPS)
    throw new DataError(SOURCE, `holds a sequence of ${timesteps} rows, expected at most ${MAX_TIMESTEPS}: cut it`);
  if (first.length < 1 || first.length > MAX_FEATURES)
    throw new DataError(SOURCE, `rows have ${first.length} numbers, expected 1 to ${MAX_FEATURES}`);
  return { timesteps, features: first.length };
}

function toPart(
  { sequences, labels }: Pick<TrainingData, "sequences" | "labels">,
  shape: Shape,
  isSoft: boolean | undefined,
  prefix: string,
): LabelledPart {
  const values = parseSequences(sequences, [`${prefix}sequences`], shape, MAX_SEQUENCES);
  if (labels.length !== sequences.length)
    throw new DataError(SOURCE, `${prefix}labels holds ${labels.length} labels, expected one for each of ${sequences.length} sequences`);
  return { values, labels: toLabels(labels, isSoft, prefix), probability: null };
}

function toLabels(labels: ArrayLike<number>, isSoft: boolean | undefined, prefix: string): Labels {
  for (let n = 0; n < labels.length; n++) {
    const label = labels[n];
    if (isSoft ? !(label >= 0 && label <= 1) : label !== 0 && label !== 1) {
      const rule = isSoft ? "a number from 0 to 1" : "0 or 1 (probabilities of a 1 need softLabels)";
      throw new DataError(SOURCE, `${prefix}labels[${n}] is ${label}, expected ${rule}`);
    }
  }
  return isSoft ? Float64Array.from(labels) : Uint8Array.from(labels);
}

/** (N) numbered from 0 in the order in which they come. */
function numberGroups(groups: ArrayLike<number>): Int32Array {
  const numbers = new Map<number, number>();
  return Int32Array.from(groups, (group) => {
    if (!numbers.has(group)) numbers.set(group, numbers.size);
    return numbers.get(group)!;
  });
}
