// Columns for the signal test: what a linear model sees, and what sizes and products add. Channels are chosen on the half that
// fits, so that the other chose nothing. Legend: M sequences, T steps, K candidates.
import type { Channels } from "../../shared/recipe/recipe.ts";
import { teacherColumns } from "../features/logistic-teacher.ts";
import { blocksOf, scoreGain } from "../features/score-test.ts";
import type { Probe } from "./signal.ts";

/** Channels of each probe: the nonlinear one takes products of all pairs. */
const LINEAR = 8;
const NONLINEAR = 3;
const MAX_ROWS = 6000;

/** `table` (M,T,K) holds every candidate, standardised. */
export function listProbes(table: Channels, K: number, T: number, labels: Uint8Array): Probe[] {
  const M = labels.length;
  const half = M >> 1;
  const seen = Math.min(half, MAX_ROWS);
  const seenLabels = labels.subarray(0, seen);
  const rate = Math.min(0.999, Math.max(0.001, seenLabels.reduce((sum, label) => sum + label, 0) / seen));
  const base = new Float64Array(seen).fill(rate);
  const first = { channels: table.channels.subarray(0, seen * T * K), lengths: table.lengths.subarray(0, seen) };
  const ranked = Array.from({ length: K }, (_, c) => ({ c, ...scoreGain(blocksOf(first, T, c), [], seenLabels, base) }))
    .sort((a, b) => b.gain - a.gain)
    .map(({ c }) => c);
  const pick = (columns: readonly number[]): Pick<Channels, "channels" | "lengths"> => {
    const channels = new Float32Array(M * T * columns.length);
    for (let row = 0, at = 0; row < M * T; row++) for (const c of columns) channels[at++] = table.channels[row * K + c];
    return { channels, lengths: table.lengths };
  };
  const linear = ranked.slice(0, LINEAR);
  const blocks = linear.map((c) => blocksOf(table, T, c));
  const width = blocks.length * STEPS + 1;
  const columns = new Float64Array(M * width);
  for (let n = 0; n < M; n++) {
    blocks.forEach((block, k) => {
      for (let j = 0; j < STEPS; j++) columns[n * width + k * STEPS + j] = block[n * (block.length / M) + j];
    });
    columns[n * width + width - 1] = table.lengths[n] / T - 0.5;
  }
  return [
    { name: "logistic regression on the latest steps and the length", columns },
    { name: "logistic regression on steps, their sizes and products", columns: teacherColumns(pick(ranked.slice(0, NONLINEAR)), T) },
  ];
}

const STEPS = 6;
