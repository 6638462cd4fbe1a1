// Test sequences that the report shows one by one. Legend: N sequences, T steps, F features, C channels.
import { takesMovement } from "../../shared/recipe/channel.ts";
import { type Channels, type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import { validRows } from "../../shared/sequence.ts";
import type { Example } from "./content.ts";

/** Ranks of the sequences that are shown: not the outermost, which are often odd. */
const EXAMPLES = [
  { title: "scored low", rank: 0.02 },
  { title: "scored in the middle", rank: 0.5 },
  { title: "scored high", rank: 0.98 },
];

/** Test sequences with a low, a middle and a high score: raw rows, and what the network sees of them. `values` (N,T,F) raw. */
export function chooseExamples(
  recipe: Recipe,
  values: Float64Array,
  { channels, lengths }: Channels,
  labels: ArrayLike<number>,
  probabilities: Float32Array,
): Example[] {
  const shape = shapeOf(recipe);
  const { timesteps: T, features: F } = shape;
  const C = recipe.channels.length;
  const isUndefined = recipe.channels.map(takesMovement);
  const order = Array.from(probabilities.keys()).sort((a, b) => probabilities[a] - probabilities[b] || a - b);
  const rows = new Int32Array(T);
  return EXAMPLES.map(({ title, rank }) => {
    const n = order[Math.round(rank * (order.length - 1))];
    const raw = new Array<number[] | null>(T).fill(null);
    const seen = new Array<(number | null)[] | null>(T).fill(null);
    validRows(values, n * T * F, shape, recipe.padding, rows);
    for (let t = 0; t < lengths[n]; t++) {
      raw[rows[t]] = Array.from(values.subarray((n * T + rows[t]) * F, (n * T + rows[t] + 1) * F));
      seen[rows[t]] = Array.from(channels.subarray((n * T + t) * C, (n * T + t + 1) * C), (x, c) => (t === 0 && isUndefined[c] ? null : x));
    }
    return { title, probability: probabilities[n], label: labels[n], rows: raw, channels: seen };
  });
}
