// What the inputs of a set are, numbers or categories: found out from their first value, or known from a model. Readers write a code
// where a category stands. Knows no format and no batch.
import { DataError } from "../../shared/errors.ts";
import { codeOf, type Input, levelOf, MAX_LEVELS } from "../../shared/recipe/inputs.ts";
import { MAX_FEATURES } from "../../shared/sequence.ts";
import { quoteWord, show } from "./quoting.ts";

/** One input while its values are read. */
export interface InputReading {
  readonly name: string;
  /** Undefined before the first value. */
  kind: "number" | "category" | undefined;
  /** Whether somebody says that it is a category: its texts may be numbers then. */
  readonly isSaid: boolean;
  /** Code by level, from 1 on, in the order of their coming. */
  readonly codes: Map<string, number>;
  /** Of a model, whose levels stand fast. */
  readonly known?: Input;
  /** Texts so far, and the first of them. */
  count: number;
  first: { readonly text: string; readonly place: string };
}

/** All inputs of one reading, by name. */
export interface InputTable {
  of(name: string): InputReading;
}

/** Of a set whose inputs are found out. */
export interface FoundInputs extends InputTable {
  /** What the inputs with these names are, those in `statics` once a sequence; undefined where each is a number of each row. Throws DataError; whoever encodes them checks the features' names. */
  settle(names: readonly string[], statics: readonly string[], source: string): readonly Input[] | undefined;
}

/** Different texts of one column that are counted; more are no category in any case. */
const MAX_COUNTED = 100_000;
/** A column whose texts come fewer times each, on average, names its rows. */
const MIN_REPEATS = 2;

const NOWHERE = { text: "", place: "" };

/** A table that finds out what inputs are. `categories` are said to be categories. */
export function openInputTable(categories: readonly string[] = []): FoundInputs {
  const readings = new Map<string, InputReading>();
  const of = (name: string): InputReading => {
    const known = readings.get(name);
    if (known) return known;
    const isSaid = categories.includes(name);
    const reading: InputReading = { name, kind: isSaid ? "category" : undefined, isSaid, codes: new Map(), count: 0, first: NOWHERE };
    readings.set(name, reading);
    return reading;
  };
  return {
    of,
    settle(names, statics, source) {
      const unused = categories.find((name) => !names.includes(name));
      if (unused !== undefined)
        throw new DataError(source, `has no feature ${show(unused)}, which --category names, only ${names.join(", ")}`);
      const inputs = names.map((name): Input => {
        const isStatic = statics.includes(name);
        const levels = settleLevels(of(name), isStatic, source);
        return { name, ...(levels && { levels }), ...(isStatic && { static: true }) };
      });
      if (inputs.every((input) => input.levels === undefined && !input.static)) return undefined;
      return inputs;
    },
  };
}

/** A table of a model's inputs. */
export function knownInputTable(inputs: readonly Input[]): InputTable {
  const readings = new Map(
    inputs.map((known): [string, InputReading] => {
      const kind = known.levels ? "category" : "number";
      return [known.name, { name: known.name, kind, isSaid: true, codes: new Map(), known, count: 0, first: NOWHERE }];
    }),
  );
  return { of: (name) => readings.get(name) ?? { name, kind: "number", isSaid: true, codes: new Map(), count: 0, first: NOWHERE } };
}

/** What stands in a cell whose formula failed, in Excel, LibreOffice and Google Sheets. */
const SHEET_ERROR = /^(?:#(?:DIV\/0!|N\/A|NAME\?|NULL!|NUM!|REF!|VALUE!|SPILL!|CALC!|ERROR!)|Err:\d{3})$/;

const SHEET_ADVICE = ", while the text is an error of a spreadsheet: mend the cell there, or leave the cell empty";

function isSheetError(text: string): boolean {
  return SHEET_ERROR.test(text.trim());
}

/** What settles an error of a spreadsheet among numbers; nothing of other texts. */
export function adviseOnSheetError(text: string): string {
  return isSheetError(text) ? SHEET_ADVICE : "";
}

/** What settles a text with digits where a format has numbers of its own: it is saved as a number, or a level. Undefined of other texts, and where nobody looks for categories. */
export function adviseOnText(input: InputReading | undefined, value: unknown): string | undefined {
  if (typeof value === "string" && isSheetError(value)) return SHEET_ADVICE;
  if (typeof value !== "string" || input === undefined || input.isSaid || !isBare(value)) return undefined;
  return `: the text is no number, so save the column as numbers, or say --category ${quoteWord(input.name)} where it is a category`;
}

/** A text with digits and no letters: a number, a date, a percentage, written in whatever way. */
function isBare(text: string): boolean {
  return /\d/.test(text) && !/\p{L}/u.test(text);
}

/**
 * What stands for a category's `text` in the values: the code of its level, NaN where it is empty. Undefined where the input is a number,
 * or may be one: then the text is none. Throws DataError at `place` where texts stand beside numbers.
 */
export function readLevel(input: InputReading, text: string, place: string): number | undefined {
  if (input.kind === "number") return undefined;
  const level = levelOf(text);
  if (level === "") return input.kind === undefined ? undefined : Number.NaN;
  if (!input.isSaid && isSheetError(level)) return undefined;
  if (input.known) return codeOf(input.known, level);
  if (!input.isSaid && isBare(level)) {
    if (input.kind === "category") throw refuseMixture(input, show(level), place);
    return undefined;
  }
  if (input.count === 0) input.first = { text, place };
  input.kind = "category";
  input.count++;
  const code = input.codes.get(level) ?? input.codes.size + 1;
  if (code <= MAX_COUNTED) input.codes.set(level, code);
  return code;
}

/** A number has come. Throws DataError where texts have come before. */
export function noteNumber(input: InputReading, place: string): void {
  if (input.kind === "category") throw refuseMixture(input, "a number", place);
  input.kind = "number";
}

/**
 * What stands for a value as JSON, Parquet or NumPy have it: a number, a category's code, NaN for a category's missing level. Undefined
 * where it is neither number nor text of a category. Throws DataError as readLevel does.
 */
export function readCell(input: InputReading | undefined, value: unknown, place: string): number | undefined {
  if (typeof value === "string") return input && readLevel(input, value, place);
  if (input?.kind === "category" && (value === null || value === undefined || Number.isNaN(value))) return Number.NaN;
  if (typeof value !== "number" && typeof value !== "boolean" && typeof value !== "bigint") return undefined;
  if (input?.kind === "category" && input.isSaid) return readLevel(input, String(value), place);
  if (input && input.kind !== "number" && Number.isFinite(Number(value))) noteNumber(input, place);
  return Number(value);
}

function refuseMixture({ name, first }: InputReading, other: string, place: string): DataError {
  const where = place.slice(place.lastIndexOf(": ") + 2);
  return new DataError(
    first.place,
    `column ${show(name)} is ${show(first.text)}, expected a finite number, as ${other} stands at ${where}: say --category ${quoteWord(name)} where both are levels`,
  );
}

/** Whether a text begins as a date with three parts, or a time of day, does. */
export function looksLikeTime(text: string): boolean {
  return /^\s*\d{1,4}([-/.:])\d{1,2}\1\d|^\s*\d{1,2}:\d\d/.test(text);
}

/** The levels of a category, ascending; undefined of a number. Throws DataError where they are too many. */
function settleLevels({ name, kind, isSaid, codes, count }: InputReading, isStatic: boolean, source: string): string[] | undefined {
  if (kind !== "category") return undefined;
  const levels = [...codes.keys()].sort();
  const total = levels.length >= MAX_COUNTED ? `at least ${MAX_COUNTED}` : String(levels.length);
  const asTime = !isStatic && levels.every(looksLikeTime) ? `say --time ${quoteWord(name)} if the texts are times, or ` : "";
  const way = `${asTime}leave it out${isStatic ? ` of --static` : ` with --id ${quoteWord(name)}`}, or put what is rare under one name`;
  if (levels.length > MAX_LEVELS)
    throw new DataError(
      source,
      `holds ${total} different texts in ${show(name)}, expected at most ${MAX_LEVELS} levels of a category: ${way}`,
    );
  if (!isSaid && !isStatic && levels.length > 2 && levels.length * MIN_REPEATS > count)
    throw new DataError(
      source,
      `holds ${total} different texts in the ${count} values of ${show(name)}, which name rows and no category: ${asTime}leave it out with --id ${quoteWord(name)}, or say --category ${quoteWord(name)}`,
    );
  return levels;
}

/** Throws DataError where inputs make too many features, or two of one name. */
export function checkNames(features: readonly string[], source: string): void {
  if (features.length > MAX_FEATURES)
    throw new DataError(
      source,
      `has ${features.length} features, a category's levels counted, expected at most ${MAX_FEATURES}: leave some out with --id, or put what is rare under one name`,
    );
  const twice = features.find((name, f) => features.indexOf(name) < f);
  if (twice !== undefined)
    throw new DataError(source, `has two features ${show(twice)}, one of them a category's level: rename one with --rename`);
}
