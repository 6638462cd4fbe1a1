// How far features move in a sequence, for a logistic regression that is told to look there. Legend: N sequences, T steps, F features.
import { F, T } from "./generators.ts";

/** (N,F) mean absolute movement of each feature over the rows that are not padding, in units of its mean over all N; 0 where no row follows another. */
export function meanMovements(values: Float64Array): Float64Array {
  const N = values.length / (T * F);
  const out = new Float64Array(N * F);
  const total = new Float64Array(F);
  for (let n = 0; n < N; n++) {
    const rows = Array.from({ length: T }, (_, t) => values.subarray((n * T + t) * F, (n * T + t + 1) * F)).filter((row) =>
      row.some((x) => x !== 0),
    );
    for (let f = 0; f < F; f++)
      for (let t = 1; t < rows.length; t++) {
        const moved = Math.abs(rows[t][f] - rows[t - 1][f]) / (rows.length - 1);
        out[n * F + f] += moved;
        total[f] += moved / N;
      }
  }
  return out.map((moved, i) => moved / total[i % F]);
}
