// A test part that is not one: its sequences stand among those that train.
// Legend: N sequences, T steps, F features.

import { percent } from "../html/format.ts";
import type { Cause, DiagnosisData } from "./diagnose.ts";

/** Below this share of the test part, copies are accidents. */
const COPIES = 0.01;

/** What is wrong with the test part a file brings along, compared by the bits of whole sequences. */
export function studyTestPart({ values, shape, test }: Pick<DiagnosisData, "values" | "shape" | "test">): Cause[] {
  if (test === null) return [];
  const size = shape.timesteps * shape.features;
  const known = new Set(listKeys(values, size));
  const own = listKeys(test.values, size);
  const copies = own.filter((key) => known.has(key)).length;
  if (copies < COPIES * own.length || copies === 0) return [];
  return [
    {
      code: "leak",
      certainty: "fact",
      evidence: `${copies} of ${own.length} test sequences (${percent(copies / own.length)}) stand in the training data as well: the test figures are those of sequences the network has seen`,
      remedy: "split once, before anything else, and keep a test part that neither trained, stopped nor chose anything",
    },
  ];
}

/** (N) one text a sequence, equal for equal bits. */
function listKeys(values: Float64Array, size: number): string[] {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Array.from({ length: values.length / size }, (_, n) => bytes.toString("latin1", 8 * n * size, 8 * (n + 1) * size));
}
