// Rows of inputs and what is given once a sequence, as JSON has them → rows of features, as the parser of sequences takes them.
// Legend: T steps, I inputs, F features.
import { describe, type Path, SequenceError } from "../errors.ts";
import { numberRule } from "../sequence.ts";
import { codeOf, expandInputs, type Input, levelOf } from "./inputs.ts";
import type { TakenRecipe } from "./recipe.ts";

/** A number, a category's text, or null where it is missing and may be. */
export type Given = number | string | boolean | null;

/** A row's values in the model's order, or by name. */
export type GivenRow = readonly Given[] | Readonly<Record<string, Given>>;

/** Where something stands: its path, below which its parts stand; or, of parts that stand apart, each one's path. */
export type Place = Path | ((part: string | number) => Path);

const placeOf = (place: Place, part: string | number): Path => (typeof place === "function" ? place(part) : [...place, part]);
const wholeOf = (place: Place): Path => (typeof place === "function" ? [] : place);

/** What a recipe takes. */
type Taken = TakenRecipe;

/**
 * The rows of `sequence` as rows of features, null where a number is missing: each has a value for every input of rows, and its time where
 * that does not stand beside; or is an object that has them by name. `statics` has the static inputs by name. What is no sequence comes back as it is, for the parser to refuse.
 * Throws SequenceError at the place below `path` or `staticPath`.
 */
export function expandGiven(sequence: unknown, path: Path, statics: unknown, staticPath: Place, recipe: Taken): unknown {
  const { inputs, timesteps: T } = recipe;
  refuseStatics(statics, staticPath, inputs);
  if (!Array.isArray(sequence) || sequence.length === 0 || sequence.length > T) return sequence;
  if (inputs === undefined)
    return sequence.some(isNamed) ? sequence.map((row: unknown, t) => orderRow(row, [...path, t], recipe)) : sequence;
  const given = { inputs, statics: readStatics(statics, staticPath, inputs, recipe), recipe };
  return sequence.map((row: unknown, t) => expandRow(row, [...path, t], given));
}

/** Throws SequenceError where something is given once a sequence, and the model takes nothing of the kind. */
function refuseStatics(statics: unknown, place: Place, inputs: readonly Input[] | undefined): void {
  if (statics === undefined || inputs?.some((input) => input.static)) return;
  throw new SequenceError(wholeOf(place), "must be left out, since this model takes nothing once a sequence", describe(statics));
}

/** One row alone, as expandGiven has it: the row stands at `path`. */
export function expandGivenRow(row: unknown, path: Place, statics: unknown, staticPath: Place, recipe: Taken): unknown {
  const { inputs = [] } = recipe;
  refuseStatics(statics, staticPath, inputs);
  return expandRow(row, path, { inputs, statics: readStatics(statics, staticPath, inputs, recipe), recipe });
}

/** The same without what is static: (F − S) features. */
export function expandOwnRow(row: unknown, path: Place, recipe: Taken): unknown {
  return expandRow(row, path, { inputs: (recipe.inputs ?? []).filter((input) => !input.static), statics: [], recipe });
}

/** Whether a row has its values by name. */
function isNamed(row: unknown): row is Readonly<Record<string, unknown>> {
  return typeof row === "object" && row !== null && !Array.isArray(row);
}

/**
 * A row of numbers by name as a list, null where one is missing; every other row as it is. For a model without inputs; `isTimed`: the row may
 * have its time, too. Throws SequenceError at the place below `path`.
 */
export function orderRow(row: unknown, path: Path, recipe: Taken, isTimed = true): unknown {
  const { features, clock } = recipe;
  if (!isNamed(row)) return row;
  const [own, time] = clock ? [features.slice(0, -1), isTimed ? features.at(-1) : undefined] : [features];
  const { values, place } = orderValues(row, path, own, time);
  return values.map((value, f) => {
    const number = readValue({ name: "" }, value, placeOf(place, f), f < own.length ? recipe : {});
    return Number.isNaN(number) ? null : number;
  });
}

/** The values of a row in the order of `names`, and of `time` where it has one, and where they stand. Throws SequenceError. */
function orderValues(
  row: Readonly<Record<string, unknown>>,
  place: Place,
  names: readonly string[],
  time?: string,
): { readonly values: readonly unknown[]; readonly place: Place } {
  const wanted = time !== undefined && Object.hasOwn(row, time) ? [...names, time] : names;
  const unknownName = Object.keys(row).find((name) => !wanted.includes(name));
  const rule = `must have no names but ${names.join(", ")}`;
  if (unknownName !== undefined) throw new SequenceError(wholeOf(place), rule, describe(unknownName));
  const left = wanted.find((name) => !Object.hasOwn(row, name));
  if (left !== undefined) throw new SequenceError(placeOf(place, left), "must be given, since the row names its values", "nothing");
  return { values: wanted.map((name) => row[name]), place: (i) => placeOf(place, wanted[Number(i)]) };
}

interface GivenOnce {
  readonly inputs: readonly Input[];
  /** (S) numbers and codes of the static inputs */
  readonly statics: readonly number[];
  readonly recipe: Taken;
}

function expandRow(given: unknown, at: Place, { inputs, statics, recipe }: GivenOnce): (number | null)[] {
  const { clock = false } = recipe;
  const W = inputs.length - statics.length;
  const own = inputs.slice(0, W).map(({ name }) => name);
  const { values: row, place } = isNamed(given) ? orderValues(given, at, own, clock ? TIME : undefined) : { values: given, place: at };
  const isTimed = clock && Array.isArray(row) && row.length === W + 1;
  const width = isTimed ? W + 1 : W;
  const names = [...own, ...(isTimed ? [TIME] : [])];
  const rule = `${width} value${width === 1 ? "" : "s"} (${names.join(", ")})`;
  if (!Array.isArray(row)) throw new SequenceError(wholeOf(place), `must be an array of ${rule}`, describe(row));
  if (row.length !== width) throw new SequenceError(wholeOf(place), `must have ${rule}`, `${row.length}`);
  const numbers = row.slice(0, W).map((value: unknown, i) => readValue(inputs[i], value, placeOf(place, i), recipe));
  // a time that stands beside comes later; until then the row must not look like padding
  const time = !clock ? [] : [isTimed ? readValue({ name: TIME }, row[W], placeOf(place, W), {}) : 1];
  const features = expandInputs(inputs, Float64Array.of(...numbers, ...statics, ...time), 1, clock);
  const wanted = isTimed || !clock ? features : features.subarray(0, -1);
  return Array.from(wanted, (x) => (Number.isNaN(x) ? null : x));
}

/** (S) numbers and codes of the static inputs. Throws SequenceError, where one is not given, too. */
function readStatics(statics: unknown, place: Place, all: readonly Input[], recipe: Taken): number[] {
  const inputs = all.filter((input) => input.static);
  if (inputs.length === 0) return [];
  const names = inputs.map(({ name }) => name);
  if (typeof statics !== "object" || statics === null || Array.isArray(statics))
    throw new SequenceError(wholeOf(place), `must be an object with ${names.join(", ")}`, describe(statics));
  const unknownName = Object.keys(statics).find((name) => !names.includes(name));
  if (unknownName !== undefined)
    throw new SequenceError(wholeOf(place), `must have no names but ${names.join(", ")}`, describe(unknownName));
  return inputs.map((input) => {
    const value: unknown = Object.hasOwn(statics, input.name) ? (statics as Record<string, unknown>)[input.name] : undefined;
    return readValue(input, value, placeOf(place, input.name), recipe);
  });
}

/** What a row's time is called. */
const TIME = "time";

/** More levels than so many are no help in a sentence. */
const MAX_LEVELS = 6;

/** A number, or a category's code; NaN for null where it may be missing. Throws SequenceError. */
function readValue(input: Input, value: unknown, path: Path, { gaps }: Pick<Taken, "gaps">): number {
  const got = describe(value);
  if (input.levels === undefined) {
    if (typeof value === "number" && Number.isFinite(value)) return value;
    if (value === null && gaps) return Number.NaN;
    throw new SequenceError(path, `must be ${numberRule({ gaps: gaps !== undefined })}`, got);
  }
  if (value === null) return Number.NaN;
  if (typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) {
    const level = levelOf(String(value));
    return level === "" ? Number.NaN : codeOf(input, level);
  }
  const levels = input.levels.filter((level) => level !== "").slice(0, MAX_LEVELS);
  throw new SequenceError(path, `must be text, a category's level (such as ${levels.join(", ")}), or null`, got);
}
