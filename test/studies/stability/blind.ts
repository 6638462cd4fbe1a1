// Data whose labels nothing in the sequences tells: the base rate is the best answer, and whatever else a model says is harm.
// Pure: a seed gives the same numbers everywhere. Legend: N sequences, T steps, F features.
import { createRandom, type Random } from "../../../trainer/statistics/random.ts";
import { F, type Generated, T } from "../quality/generators.ts";

const FEATURES = ["a", "b", "c", "d", "e"];
const RATE = 0.3;

/** Levels of normal numbers that stand anywhere between −3 and 3; each label is drawn alone. */
export function blindLabels(N: number, seed: number): Generated {
  const random = createRandom(seed);
  const probability = new Float64Array(N).fill(RATE);
  const values = Float64Array.from({ length: N * T * F }, () => random.normal());
  for (let n = 0; n < N; n++) {
    const level = 6 * random.uniform() - 3;
    for (let i = n * T * F; i < (n + 1) * T * F; i++) values[i] += level;
  }
  const labels = Uint8Array.from(probability, (p) => (random.uniform() < p ? 1 : 0));
  return { values, labels, probability, features: FEATURES };
}

/** What a step keeps of the step before: a tenth is left after 230 steps. */
const MEMORY = 0.99;

/**
 * Windows of five slow series, one after the other in time, and labels whose rate is a sixth slow series: in any stretch of time the
 * labels go with something by coincidence, and in the next stretch they do not.
 */
export function blindDrift(N: number, seed: number): Generated {
  const random = createRandom(seed);
  const series = Array.from({ length: F }, () => slowSeries(N + T, random));
  const rate = slowSeries(N, random);
  const values = Float64Array.from({ length: N * T * F }, (_, i) => series[i % F][Math.floor(i / (T * F)) + (Math.floor(i / F) % T)]);
  const probability = rate.map((z) => 1 / (1 + Math.exp(-0.7 * z)));
  const labels = Uint8Array.from(probability, (p) => (random.uniform() < p ? 1 : 0));
  return { values, labels, probability, features: FEATURES };
}

/** (length) a stationary series of standard normal numbers. */
function slowSeries(length: number, random: Random): Float64Array {
  const out = new Float64Array(length);
  let z = random.normal();
  for (let t = 0; t < length; t++) {
    out[t] = z;
    z = MEMORY * z + Math.sqrt(1 - MEMORY * MEMORY) * random.normal();
  }
  return out;
}
