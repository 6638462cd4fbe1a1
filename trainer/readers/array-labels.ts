// Labels in NumPy's arrays: one a sequence, or one-hot. Knows neither bytes nor files. Legend: N sequences, K classes.
import { DataError } from "../../shared/errors.ts";
import { type NpyArray, showShape } from "../../shared/npy.ts";
import type { Labels } from "../statistics/labels.ts";
import type { Column, Wanted } from "./batch.ts";
import { openLabels, toLabel } from "./issues.ts";
import type { Remark } from "./reading.ts";

/** Labels (N), (N,1), or one-hot (N,K), where a label is the number of its column; `N` null takes any number of them. Throws DataError. */
export function toLabels(
  array: NpyArray,
  name: string,
  source: string,
  N: number | null,
  wanted: Pick<Wanted, "onIssue" | "labelCodes" | "softLabels">,
): { readonly labels: Labels; readonly remarks: readonly Remark[] } {
  const { labelCodes, softLabels } = wanted;
  const decoded = labelCodes && !softLabels ? fromOneHot(array, name, source) : array;
  const remarks: readonly Remark[] = decoded === array ? [] : [{ code: "one-hot", array: name, columns: array.shape[1] }];
  const column = toArrayColumn(decoded, name, source, N);
  if (!(column instanceof Float64Array)) {
    if (!labelCodes) throw new DataError(source, `${name} holds text, expected numbers`);
    return { labels: Uint8Array.from(column, (label, n) => toLabel(label, `${name}[${n}]`, source, wanted)), remarks };
  }
  const labels = openLabels(column.length, softLabels);
  column.forEach((label, n) => {
    labels[n] = toLabel(label, `${name}[${n}]`, source, wanted);
  });
  return { labels, remarks };
}

/** (N,K) with a single 1 in every row → (N), the number of the column that holds it; any other array as it is. Throws DataError where only some rows of (N,2) have it. */
function fromOneHot(array: NpyArray, name: string, source: string): NpyArray {
  const { shape, data } = array;
  const [N, K] = shape;
  if (shape.length !== 2 || K < 2 || !(data instanceof Float64Array)) return array;
  const labels = new Float64Array(N);
  for (let n = 0; n < N; n++) {
    const row = data.subarray(n * K, (n + 1) * K);
    labels[n] = row.indexOf(1);
    if (labels[n] >= 0 && row.every((cell, k) => cell === Number(k === labels[n]))) continue;
    if (K > 2) return array;
    throw new DataError(source, `${name}[${n}] is ${row.join(", ")}, expected one-hot: a 1 in one of the two columns, which is the label`);
  }
  return { ...array, shape: [N], data: labels };
}

/** One entry a sequence, of (N) or (N,1). Throws DataError. */
export function toArrayColumn({ shape, data }: NpyArray, name: string, source: string, N: number | null): Column {
  if (shape.length !== 1 && !(shape.length === 2 && shape[1] === 1))
    throw new DataError(source, `${name} has shape ${showShape(shape)}, expected (${N ?? "N"},), one entry a sequence`);
  if (N !== null && shape[0] !== N) throw new DataError(source, `${name} has ${shape[0]} entries, expected ${N}, one a sequence`);
  return data;
}
