// One request's sequences → its results, whatever protocol they came by. Knows no HTTP.
import { LimitError, type Path } from "../../shared/errors.ts";
import { labelAt, type Scores, score } from "../../shared/model.ts";
import type { Given, GivenRow } from "../../shared/recipe/given-rows.ts";
import type { Recipe } from "../../shared/recipe/recipe.ts";
import { RequestError } from "../http/problem.ts";
import type { Ready } from "../models/servable-model.ts";
import { type Explanation, explain, maxExplained } from "./occlusion.ts";
import type { Options } from "./options.ts";

export interface Result {
  probability: number;
  label: 0 | 1;
  /** The sequence lies outside what training saw. */
  outOfRange?: true;
  explanation?: Explanation;
  /** By which its outcome can be told, where that was asked for; null: it is lost. */
  prediction?: string | null;
}

/** The JSON body, as the typed client sends it. */
export interface ScoreRequest {
  sequence?: readonly GivenRow[];
  sequences?: readonly (readonly GivenRow[])[];
  /** What is given once a sequence, by name; of many a list. */
  static?: Readonly<Record<string, Given>> | readonly Readonly<Record<string, Given>>[];
  /** Of each row, or of each sequence's rows. */
  times?: readonly (string | number)[] | readonly (readonly (string | number)[])[];
  operatingPoint?: string;
  explain?: boolean;
  prior?: number;
  remember?: boolean;
}

export interface ScoreAnswer {
  model: string;
  operatingPoint: string;
  results: Result[];
}

const MAX_SEQUENCES = 1000;
/** Numbers in one buffer of a request: 32 MiB as float64, a quarter of what an isolate has. */
const MAX_NUMBERS = 1 << 22;

/** Fewer than MAX_SEQUENCES where a model's sequences are so large that their buffers would not fit an isolate. */
export function maxSequences({ timesteps, features, channels }: Recipe): number {
  return Math.min(MAX_SEQUENCES, Math.floor(MAX_NUMBERS / (timesteps * Math.max(features.length, channels.length))));
}

/** Scores `values` (N,T,F); `ids` of those that are remembered. Throws SequenceError at the place `pathOf(n)`. */
export function scoreValues(
  ready: Ready,
  values: Float64Array,
  pathOf: (n: number) => Path,
  { prior, remember, apart = true, ids: known }: Options,
): Scores & { readonly ids?: readonly (string | null)[] } {
  const { model, engine, log, onScored } = ready;
  const scores = score(model, engine, log, values, pathOf, prior);
  const ids = remember ? rememberWith(ready)(scores.probabilities) : undefined;
  if (prior === undefined) onScored?.(values, scores.probabilities, apart, ids ?? known);
  return { ...scores, ids };
}

/** Throws as scoreValues, and LimitError where more are to be explained than one request may. */
export function resultsOf(ready: Ready, values: Float64Array, pathOf: (n: number) => Path, options: Options): Result[] {
  const { point, explain: wanted } = options;
  const { recipe } = ready.model;
  const maxN = wanted ? maxExplained(recipe) : Number.POSITIVE_INFINITY;
  const N = values.length / (recipe.timesteps * recipe.features.length);
  if (N > maxN) throw new LimitError([], `at most ${maxN} sequences a request are explained, got ${N}: send them in parts`, maxN);
  const { probabilities, outOfRange, ids } = scoreValues(ready, values, pathOf, options);
  return Array.from(probabilities, (probability, n) => {
    const result: Result = { probability, label: labelAt(point, probability) };
    if (outOfRange[n] === 1) result.outOfRange = true;
    if (wanted) result.explanation = explain(ready, values, n);
    if (ids !== undefined) result.prediction = ids[n];
    return result;
  });
}

/** Throws RequestError where nothing remembers. */
function rememberWith({ remember }: Ready): NonNullable<Ready["remember"]> {
  if (remember !== undefined) return remember;
  throw new RequestError("unbound", "this deployment remembers no predictions: bind OUTCOMES as wrangler.toml says");
}
