// What planted data sets are made of: sequences of standard normal numbers, labels that follow from some of them, and the looks they
// are given. Pure. Legend: N sequences, T steps, F features.
import type { Channel } from "../../../shared/recipe/channel.ts";
import type { Plan } from "../../../shared/recipe/recipe.ts";
import type { Padding } from "../../../shared/sequence.ts";
import type { DiagnosisData } from "../../../trainer/diagnosis/input.ts";
import type { Random } from "../../../trainer/statistics/random.ts";

export type Data = DiagnosisData & { readonly labels: Float64Array };

/** Everything the plants start from: sequences of standard normal numbers, some of which decide the label. */
export interface Latent {
  readonly N: number;
  readonly T: number;
  readonly F: number;
  /** (N,T,F) standard normal; rows before `first[n]` are not there */
  readonly u: Float64Array;
  readonly first: Int32Array;
  readonly probability: Float64Array;
  readonly labels: Float64Array;
  /** The two features that count. */
  readonly signal: readonly [number, number];
}

interface LatentOptions {
  readonly N?: number;
  /** Rows that are missing in front, up to so many. */
  readonly missing?: number;
  /** Added to the logit of sequence n. */
  readonly drift?: (n: number) => number;
}

/**
 * The label follows a sum over steps, the latest most, of feature a, or of feature a where feature b is positive; as logit
 * 3 times a standard normal, which leaves some 0.3 nats to be learnt at 25 to 45 % of 1s.
 */
export function drawLatent(random: Random, { N = 3000, missing = 0, drift }: LatentOptions = {}): Latent {
  const T = 6 + random.integer(5);
  const F = 3 + random.integer(3);
  const a = random.integer(F);
  const b = (a + 1 + random.integer(F - 1)) % F;
  const decay = 0.6 + 0.3 * random.uniform();
  const isGated = random.uniform() < 0.4;
  const rate = -0.13 - 0.55 * random.uniform(); // Φ of it: 25 to 45 % of 1s
  const slope = 3;
  const intercept = rate * Math.sqrt(slope * slope + 2.9); // E σ(c + s·x) ≈ Φ(c / √(s² + (16√3/15π)⁻²)), x standard normal
  const u = new Float64Array(N * T * F);
  const first = new Int32Array(N);
  const probability = new Float64Array(N);
  const labels = new Float64Array(N);
  for (let n = 0; n < N; n++) {
    first[n] = missing > 0 ? random.integer(missing + 1) : 0;
    let [sum, variance] = [0, 0];
    for (let t = first[n]; t < T; t++) {
      const row = (n * T + t) * F;
      for (let f = 0; f < F; f++) u[row + f] = random.normal();
      const weight = isGated && u[row + b] <= 0 ? 0.2 : 1;
      sum = decay * sum + weight * (u[row + a] + (isGated ? 0 : 0.7 * u[row + b]));
      variance = decay * decay * variance + (isGated ? 0.52 : 1.49);
    }
    probability[n] = 1 / (1 + Math.exp(-(intercept + (drift?.(n) ?? 0) + (slope * sum) / Math.sqrt(variance))));
    labels[n] = random.uniform() < probability[n] ? 1 : 0;
  }
  return { N, T, F, u, first, probability, labels, signal: [a, b] };
}

/** Values (N,T,F) from `observe` at the rows that are there. */
export function observe(latent: Latent, of: (row: number, f: number, n: number, t: number) => number): Float64Array {
  const { N, T, F, first } = latent;
  const values = new Float64Array(N * T * F);
  for (let n = 0; n < N; n++)
    for (let t = first[n]; t < T; t++) for (let f = 0; f < F; f++) values[(n * T + t) * F + f] = of((n * T + t) * F, f, n, t);
  return values;
}

export function asData({ T, F, labels }: Pick<Latent, "T" | "F" | "labels">, values: Float64Array, own: ArrayLike<number> = labels): Data {
  return {
    source: "synthetic",
    values,
    labels: Float64Array.from(own),
    shape: { timesteps: T, features: F },
    features: Array.from({ length: F }, (_, f) => `f${f}`),
    float32: false,
    test: null,
  };
}

export function planOf({ T, F }: Pick<Latent, "T" | "F">, channels: readonly Channel[], padding: Padding): Plan {
  return { timesteps: T, features: Array.from({ length: F }, (_, f) => `f${f}`), padding, channels, standardise: true };
}

export const each = (F: number, view: Channel["view"]): Channel[] => Array.from({ length: F }, (_, a) => ({ base: "feature", a, view }));

/** Settings that learn what is there to be learnt: one of a few, so that no rule fits but one. */
export function soundSettings(random: Random): string {
  const units = [16, 24, 32][random.integer(3)];
  return `adam,lr=${[0.002, 0.003, 0.005][random.integer(3)]},batch=${[32, 64][random.integer(2)]},units=${units}`;
}

/** Each feature at a scale and offset of its own, within what any network takes. */
export function mild(random: Random, F: number): (x: number, f: number) => number {
  const scale = Float64Array.from({ length: F }, () => 0.7 + 0.6 * random.uniform());
  const offset = Float64Array.from({ length: F }, () => 0.4 * random.normal());
  return (x, f) => offset[f] + scale[f] * x;
}

export function plain(random: Random, options?: LatentOptions): { readonly latent: Latent; readonly values: Float64Array } {
  const latent = drawLatent(random, options);
  const look = mild(random, latent.F);
  return { latent, values: observe(latent, (row, f) => look(latent.u[row + f], f)) };
}

/** Labels that follow a decayed sum of what `scoreOf` makes of each row, `variance` its variance. */
export function labelBy(
  { N, T, F }: Latent,
  random: Random,
  scoreOf: (row: number, t: number) => number,
  variance = 1,
): Pick<Latent, "labels" | "probability"> {
  const decay = 0.8;
  const probability = new Float64Array(N);
  const labels = new Float64Array(N);
  for (let n = 0; n < N; n++) {
    let [sum, of] = [0, 0];
    for (let t = 0; t < T; t++) {
      sum = decay * sum + scoreOf((n * T + t) * F, t);
      of = decay * decay * of + variance;
    }
    probability[n] = 1 / (1 + Math.exp(-(-1.3 + (3 * sum) / Math.sqrt(of))));
    labels[n] = random.uniform() < probability[n] ? 1 : 0;
  }
  return { probability, labels };
}

/** Labels anew, by the values of two features as they stand. */
export function relabel(latent: Latent, values: Float64Array, random: Random, [i, j]: readonly [number, number]): Latent {
  return { ...latent, ...labelBy(latent, random, (row) => values[row + i] + 0.7 * values[row + j], 1.9) };
}

export function shuffled(F: number, random: Random): [number, number, number] {
  const order = Int32Array.from({ length: F }, (_, f) => f);
  random.shuffle(order);
  return [order[0], order[1], order[2]];
}
