// What POST /v1/score takes: the types of its bodies, and the JSON one read and checked, by hand, since it is the hot path.
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import { expandGiven } from "../../shared/recipe/given-rows.ts";
import { type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import { parseSequence, parseSequences, type Shape } from "../../shared/sequence.ts";
import type { Ready } from "../models/servable-model.ts";
import { bodyOptions, OPTION_NAMES, type Options } from "./options.ts";
import { maxSequences } from "./scoring.ts";
import { joinTimes } from "./times.ts";

export const SCORE_TYPES = ["application/json", "application/x-ndjson", "application/octet-stream", "application/x-npy"] as const;
/** The types that have a path of their own, where generated clients find one type for the answer. */
export const SCORE_PATHS = { lines: SCORE_TYPES[1], binary: SCORE_TYPES[2], npy: SCORE_TYPES[3] } as const;
const SCORE_KEYS = ["sequence", "sequences", ...OPTION_NAMES] as const;

export interface ParsedRequest {
  /** (N,T,F) */
  readonly values: Float64Array;
  /** Where in the body sequence n stands. */
  readonly pathOf: (n: number) => Path;
  readonly options: Options;
}

/** The JSON body of POST /v1/score; `query`: the options that the query named. Throws SequenceError, and LimitError for too many sequences. */
export function parseScoreRequest(body: unknown, { model }: Ready, query: Options): ParsedRequest {
  const { recipe } = model;
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new SequenceError([], "must be an object with sequence or sequences", describe(body));
  const shape = shapeOf(recipe);
  checkKeys(body, shape);
  const { sequence, sequences, times, static: statics } = body as Record<string, unknown>;
  if ((sequence === undefined) === (sequences === undefined))
    throw new SequenceError([], "must have either sequence or sequences", sequence === undefined ? "neither" : "both");
  const options = bodyOptions(body as Record<string, unknown>, model, query);
  if (sequences !== undefined) {
    const max = maxSequences(recipe);
    const expanded = expandAll(sequences, statics, recipe, max);
    const values = parseSequences(joinAllTimes(expanded, times, shape), ["sequences"], shape, max);
    return { values, pathOf: (n) => ["sequences", n], options };
  }
  const values = new Float64Array(recipe.timesteps * recipe.features.length);
  const expanded = expandGiven(sequence, ["sequence"], statics, ["static"], recipe);
  parseSequence(joinTimes(expanded, ["sequence"], times, ["times"], shape), ["sequence"], shape, values, 0);
  return { values, pathOf: () => ["sequence"], options };
}

/** Throws SequenceError. `times` and `static` have a sentence of their own where the model takes none. */
function checkKeys(body: object, { clock, statics }: Shape): void {
  const isKnown = (key: string): boolean => key === "times" || key === "static" || SCORE_KEYS.some((known) => known === key);
  const unknownKey = Object.keys(body).find((key) => !isKnown(key));
  if (unknownKey === undefined) return;
  const known = [...SCORE_KEYS, ...(clock ? ["times"] : []), ...(statics ? ["static"] : [])];
  throw new SequenceError([], `must have no keys but ${known.join(", ")}`, describe(unknownKey));
}

/** Many sequences as rows of features, with what is given once for each in a list; more than `max` as they are: they are refused. */
function expandAll(sequences: unknown, statics: unknown, recipe: Recipe, max: number): unknown {
  if (!Array.isArray(sequences) || sequences.length > max) return sequences;
  if (statics !== undefined && (!Array.isArray(statics) || statics.length !== sequences.length))
    throw new SequenceError(["static"], `must be an array of ${sequences.length} objects, one a sequence`, describe(statics));
  return sequences.map((sequence: unknown, n) => expandGiven(sequence, ["sequences", n], statics?.[n], ["static", n], recipe));
}

/** Times of many sequences: a list of each one's. */
function joinAllTimes(sequences: unknown, times: unknown, shape: Shape): unknown {
  if ((times === undefined && !shape.clock) || !Array.isArray(sequences)) return sequences;
  if (times !== undefined && (!Array.isArray(times) || times.length !== sequences.length))
    throw new SequenceError(["times"], `must be an array of ${sequences.length} lists of times, one a sequence`, describe(times));
  return sequences.map((sequence: unknown, n) => joinTimes(sequence, ["sequences", n], times?.[n], ["times", n], shape));
}
