// A sequence to show and to try a model with: a golden vector, at full length, with the bars of a market made plausible.
import type { ScorableModel } from "./model.ts";
import type { Given } from "./recipe/given-rows.ts";
import { type Input, widthOf } from "./recipe/inputs.ts";
import { shapeOf } from "./recipe/recipe.ts";
import { isZeroRow } from "./sequence.ts";

/** Of golden vectors, the third last is a random walk of about full length, each feature for itself. */
const FROM_THE_END = 3;
/** What people read. */
const DIGITS = 8;

/** T rows of F numbers, without padding. Where features are called open, high, low and close, high is the highest and low the lowest. */
export function sampleSequence({ recipe, golden }: Pick<ScorableModel, "recipe" | "golden">): number[][] {
  const shape = shapeOf(recipe);
  const { timesteps: T, features: F } = shape;
  const k = Math.max(0, golden.probabilities.length - FROM_THE_END);
  const rows: number[][] = [];
  for (let t = 0; t < T; t++) {
    const from = (k * T + t) * F;
    if (isZeroRow(golden.inputs, from, shape)) continue;
    const row = Array.from(golden.inputs.subarray(from, from + F), (x, f) =>
      recipe.clock && f === F - 1 ? Math.round(x) : Number(x.toPrecision(DIGITS)),
    );
    rows.push(withPlausibleBar(row, recipe.features));
  }
  const all = lengthen(rows, T, recipe.clock === true);
  return recipe.inputs ? withPlausibleInputs(all, recipe.inputs, recipe.clock === true) : all;
}

/** The first row again in front, as often as `timesteps` asks; the last number is a time where it `hasTime`, and goes on backwards. */
function lengthen(rows: readonly number[][], timesteps: number, hasTime: boolean): number[][] {
  const [first, second = first] = rows;
  const step = hasTime ? second[second.length - 1] - first[first.length - 1] : 0;
  const missing = timesteps - rows.length;
  const front = Array.from({ length: missing }, (_, i) => first.with(-1, first[first.length - 1] - (missing - i) * step));
  return [...front, ...rows];
}

/** What /v1/score takes as JSON. */
export interface SampleRequest {
  readonly sequence: readonly (readonly Given[])[];
  readonly static?: Readonly<Record<string, Given>>;
}

/** The same sequence as people give it: texts for categories, and what is static once. */
export function sampleRequest(model: Pick<ScorableModel, "recipe" | "golden">): SampleRequest {
  const rows = sampleSequence(model);
  const { inputs, clock } = model.recipe;
  if (inputs === undefined) return { sequence: rows };
  const given = rows.map((row) => [...inputs.map((input, i) => givenOf(input, row, placeOf(inputs, i))), ...(clock ? row.slice(-1) : [])]);
  const statics = inputs.flatMap((input, i): [string, Given][] => (input.static ? [[input.name, given[given.length - 1][i]]] : []));
  const sequence = given.map((row) => row.filter((_, i) => !inputs[i]?.static));
  return { sequence, ...(statics.length > 0 && { static: Object.fromEntries(statics) }) };
}

/** Its last row as an event has it: without its time, which stands beside. */
export function sampleRow(
  model: Pick<ScorableModel, "recipe" | "golden">,
): { readonly values: readonly Given[] } & Pick<SampleRequest, "static"> {
  const { sequence, ...statics } = sampleRequest(model);
  const row = sequence[sequence.length - 1];
  return { values: model.recipe.clock ? row.slice(0, -1) : row, ...statics };
}

/** Where an input's features begin. */
function placeOf(inputs: readonly Input[], i: number): number {
  return inputs.slice(0, i).reduce((sum, input) => sum + widthOf(input), 0);
}

function givenOf({ levels }: Input, row: readonly number[], from: number): Given {
  if (levels === undefined) return row[from];
  return levels[levels.findIndex((_, k) => row[from + k] === 1)] || null;
}

/** Each category has the level that is largest, but not the empty one where it has others; what is static is the last row's. */
function withPlausibleInputs(rows: readonly number[][], inputs: readonly Input[], hasTime: boolean): number[][] {
  const last = rows[rows.length - 1];
  return rows.map((row) => {
    const features = inputs.flatMap((input, i) => {
      const from = placeOf(inputs, i);
      const own = (input.static ? last : row).slice(from, from + widthOf(input));
      if (input.levels === undefined) return own;
      const ranked = input.levels.map((level, k) => (level === "" && own.length > 1 ? Number.NEGATIVE_INFINITY : own[k]));
      const chosen = ranked.indexOf(Math.max(...ranked));
      return own.map((_, k) => Number(k === chosen));
    });
    return [...features, ...(hasTime ? row.slice(-1) : [])];
  });
}

function withPlausibleBar(row: number[], features: readonly string[]): number[] {
  const place = (name: string): number => features.findIndex((feature) => feature.toLowerCase() === name);
  const [high, low] = [place("high"), place("low")];
  if (high < 0 || low < 0) return row;
  const bar = [high, low, place("open"), place("close")].filter((f) => f >= 0).map((f) => row[f]);
  row[high] = Math.max(...bar);
  row[low] = Math.min(...bar);
  return row;
}
