// Streams of sequences with and without a shift, through a real model: recipe, kernel, reference, test. All sequences are independent of
// each other, as the test supposes.
// Legend: N sequences, T steps, F features.
import { GOLDEN_COUNT } from "../../../shared/artifact/tensors.ts";
import { openWatch, take as takeSequence } from "../../../shared/drift/watch.ts";
import { observe, watchedOf } from "../../../shared/drift/watched.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { computeInputs, type Model } from "../../../shared/model.ts";
import type { Channel } from "../../../shared/recipe/channel.ts";
import { fitRecipe } from "../../../shared/recipe/fit.ts";
import { computeSequenceReference, withScores } from "../../../trainer/artifact/reference.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { makeModel } from "../../fixtures/model.ts";

const T = 5;
const F = 3;
/** Of neighbouring rows of one sequence. */
const WITHIN = 0.7;
const PIECE = 1000;
/** Sequences that the recipe is fitted on; the reference has others. */
const LEARNT = 1000;

/** What a stream is given. */
export interface StreamPlan {
  readonly seed: number;
  readonly sequences: number;
  /** Standard deviations of one row's number, from sequence `from` on, in feature `feature`. */
  readonly shift: number;
  readonly from: number;
  readonly feature: number;
}

/** N raw sequences (N,T,F), each feature autoregressive within a sequence, of standard deviation 1 about 10. */
export function drawSequences(N: number, random: ReturnType<typeof createRandom>): Float64Array {
  const values = new Float64Array(N * T * F);
  const rest = Math.sqrt(1 - WITHIN * WITHIN);
  for (let n = 0; n < N; n++)
    for (let f = 0; f < F; f++) {
      let x = random.normal();
      for (let t = 0; t < T; t++) {
        values[(n * T + t) * F + f] = 10 + x;
        x = WITHIN * x + rest * random.normal();
      }
    }
  return values;
}

/** A model with a random network, and the reference of `size` sequences drawn with `seed`. */
export function makeWatchedModel(kernel: WebAssembly.Module, size: number, seed: number): Model {
  const features = ["a", "b", "c"];
  const channels = features.flatMap((_, a): Channel[] => [
    { base: "feature", a, view: "level" },
    { base: "feature", a, view: "delta" },
  ]);
  const { log } = instantiateKernel(kernel);
  const random = createRandom(seed, 1);
  const learnt = drawSequences(LEARNT, random);
  const recipe = fitRecipe(
    { timesteps: T, features, padding: "none", channels, standardise: true },
    learnt,
    [...Array(LEARNT).keys()],
    log,
  );
  const model = { ...makeModel(kernel, { features, timesteps: T, channels, padding: "none" }), recipe };
  const values = drawSequences(size, random);
  const inputs = computeInputs(model, values, log, undefined);
  const probabilities = createWasmEngine(kernel, model).probabilities(inputs);
  const sequences = withScores(computeSequenceReference(inputs, values, T, false), probabilities);
  const golden = { inputs: values.slice(0, GOLDEN_COUNT * T * F), probabilities: probabilities.slice(0, GOLDEN_COUNT) };
  return { ...model, golden, reference: { ...model.reference, sequences } };
}

/** After how many sequences the alarm came, counted from the first of the stream; null: it did not. */
export function runStream(kernel: WebAssembly.Module, model: Model, plan: StreamPlan): number | null {
  const { log } = instantiateKernel(kernel);
  const engine = createWasmEngine(kernel, model);
  const watched = watchedOf(model);
  const watch = openWatch(watched);
  const random = createRandom(plan.seed, 2);
  for (let at = 0; at < plan.sequences; at += PIECE) {
    const N = Math.min(PIECE, plan.sequences - at);
    const values = drawSequences(N, random);
    for (let n = Math.max(0, plan.from - at); n < N; n++) for (let t = 0; t < T; t++) values[(n * T + t) * F + plan.feature] += plan.shift;
    const inputs = computeInputs(model, values, log, undefined);
    const probabilities = engine.probabilities(inputs);
    for (let n = 0; n < N; n++) if (takeSequence(watch, watched, observe(watched, inputs, values, n, probabilities[n]))) return watch.alarm;
  }
  return null;
}
