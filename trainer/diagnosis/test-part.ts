// A test part that is not one: its sequences stand among those that train.
// Legend: N sequences, T steps, F features.
import type { DataFinding } from "./finding.ts";
import type { DiagnosisData } from "./input.ts";

/** Below this share of the test part, copies are chance. */
const COPIES = 0.01;

/** Test sequences that are among the training data, compared by the bits of whole sequences: one finding, or none. */
export function studyTestPart({ values, shape, test }: Pick<DiagnosisData, "values" | "shape" | "test">): DataFinding[] {
  if (test === null) return [];
  const size = shape.timesteps * shape.features;
  const known = new Set(listKeys(values, size));
  const keys = listKeys(test.values, size);
  const copies = keys.filter((key) => known.has(key)).length;
  if (copies < COPIES * keys.length || copies === 0) return [];
  return [{ code: "leak", by: "test-part", copies, examples: keys.length }];
}

/** (N) one text a sequence, equal for equal bits. */
function listKeys(values: Float64Array, size: number): string[] {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Array.from({ length: values.length / size }, (_, n) => bytes.toString("latin1", 8 * n * size, 8 * (n + 1) * size));
}
