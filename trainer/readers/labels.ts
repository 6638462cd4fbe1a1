// Any two values as labels: which of them is 1. Readers give every value that is neither 0 nor 1 a code of its own; what a code means
// is settled when all are known. Knows no format.
import { DataError } from "../../shared/errors.ts";
import type { ReadingFacts } from "../../shared/model.ts";
import type { Labels } from "../statistics/labels.ts";
import { NO_LABEL } from "./no-label.ts";
import { show } from "./quoting.ts";

/** A label as it stands in the data. */
export type LabelValue = number | string;

/** Which value is 1. */
export interface LabelMeaning {
  readonly one: LabelValue;
  /** The other value; null where there are several, or none. */
  readonly zero: LabelValue | null;
  /** All values, in the order in which they came. */
  readonly values: readonly LabelValue[];
}

/** Of labels that are 0 and 1. */
export const PLAIN_MEANING: LabelMeaning = { one: 1, zero: 0, values: [0, 1] };

/** Whether 1 is 1, and 0 is 0. */
export function isPlain({ one, values }: LabelMeaning): boolean {
  return one === 1 && values.every((value) => value === 0 || value === 1);
}

/** What a card's facts say of the labels that were learnt; undefined where they say nothing. */
export function learntMeaning(facts: Pick<ReadingFacts, "labels"> | undefined): LabelMeaning | undefined {
  return (typeof facts?.labels === "object" && facts.labels.meaning) || undefined;
}

export interface LabelCodes {
  /** The code of `value`, 2 or above; undefined for a number where numbers are no codes. Throws DataError where there are too many. */
  code(value: LabelValue, what: string, source: string): number | undefined;
  /** What is 1 among the labels that were counted by code; null where it cannot be told yet. */
  meaningOf(counts: ArrayLike<number>): LabelMeaning | null;
  /** Whether a code is 1. */
  isOne(code: number, meaning: LabelMeaning): boolean;
  /** Codes → 0 and 1, NO_LABEL and soft labels as they are. All parts of a set are settled at once. Throws DataError where it is not plain which is 1. */
  settle<Parts extends readonly (Labels | null)[]>(parts: Parts, source: string): { parts: Parts; meaning: LabelMeaning | null };
}

export interface LabelOptions {
  /** The value that is 1, as it is said; the others are 0. */
  readonly positive?: string;
  /** What a model learnt, which holds where `positive` says nothing. */
  readonly learnt?: LabelMeaning;
  /** Whether numbers other than 0 and 1 are values; false where they are issues. */
  readonly areNumbersValues: boolean;
}

/** Codes run from 2 to 254: more values than this are no classes. */
const MAX_VALUES = 100;

/** Words that say which is 1, in small letters. */
const WORD_PAIRS: readonly (readonly [zero: string, one: string])[] = [
  ["no", "yes"],
  ["n", "y"],
  ["false", "true"],
  ["f", "t"],
  ["negative", "positive"],
  ["neg", "pos"],
  ["down", "up"],
  ["off", "on"],
  ["low", "high"],
  ["loss", "win"],
  ["fail", "pass"],
  ["bad", "good"],
  ["nein", "ja"],
  ["nee", "ja"],
  ["non", "oui"],
  ["no", "sí"],
  ["no", "si"],
  ["no", "sì"],
  ["não", "sim"],
  ["nie", "tak"],
  ["nej", "ja"],
];

/** The codes of one reading, for all its files. */
export function createLabelCodes({ positive, learnt, areNumbersValues }: LabelOptions): LabelCodes {
  const values: LabelValue[] = [0, 1]; // by code
  const codes = new Map<LabelValue, number>();
  const places: string[] = ["", ""];
  const meaningOf = (present: readonly number[]): LabelMeaning | string =>
    chooseOne(
      present.map((code) => values[code]),
      positive,
      learnt,
    );
  const presentIn = (counts: ArrayLike<number>): number[] => values.map((_, code) => code).filter((code) => counts[code] > 0);
  return {
    code(value, what, source) {
      if (typeof value === "number" && !areNumbersValues) return undefined;
      const known = codes.get(value);
      if (known !== undefined) return known;
      if (values.length === MAX_VALUES)
        throw new DataError(
          source,
          `${what} is ${showValue(value)}, the ${MAX_VALUES - 1}th different label: ${areProbabilities([...values, value]) ? "say --soft-labels where they are probabilities of a 1; else " : ""}two classes only`,
        );
      codes.set(value, values.length);
      places.push([...(/: ((?:line|row) \d+|\[\d+\])$/.exec(source)?.slice(1) ?? []), what].join(", "));
      return values.push(value) - 1;
    },
    meaningOf(counts) {
      const meaning = meaningOf(presentIn(counts));
      return typeof meaning === "string" ? null : meaning;
    },
    isOne: (code, { one }) => values[code] === one,
    settle(parts, source) {
      const counts = new Float64Array(NO_LABEL + 1);
      for (const part of parts) if (!(part instanceof Float64Array)) for (const label of part ?? []) counts[label]++;
      const present = presentIn(counts);
      if (present.length === 0) return { parts, meaning: null };
      const meaning = meaningOf(present);
      if (typeof meaning === "string") {
        const third = present.find((code, i) => i >= 2 && code >= 2);
        throw new DataError(source, third === undefined ? meaning : `${meaning} (${showValue(values[third])} first at ${places[third]})`);
      }
      const settled = parts.map((part) =>
        part === null || part instanceof Float64Array
          ? part
          : part.map((label) => (label === NO_LABEL ? label : Number(values[label] === meaning.one))),
      );
      return { parts: settled as unknown as typeof parts, meaning };
    },
  };
}

/** Which value is 1, or why that is not plain. */
function chooseOne(values: readonly LabelValue[], positive: string | undefined, learnt: LabelMeaning | undefined): LabelMeaning | string {
  const listed = listValues(values);
  const meaning = (one: LabelValue): LabelMeaning => {
    const others = values.filter((value) => value !== one);
    return { one, zero: others.length === 1 ? others[0] : null, values };
  };
  if (positive !== undefined) {
    const one = values.find((value) => isSaid(value, positive));
    if (one !== undefined && learnt && isWordOfZero(one, learnt))
      return `holds the labels ${listed}, and --positive names ${showValue(one)}, but the model learnt that ${showValue(learnt.one)} is 1: leave --positive out`;
    if (one === undefined && values.length === 1) return { one: asValue(positive, values[0]), zero: values[0], values };
    return one === undefined ? `holds no label ${show(positive)}, which --positive names, but ${listed}` : meaning(one);
  }
  if (learnt) return translate(values, learnt);
  if (values.length > 2 && areProbabilities(values))
    return `holds the labels ${listed}: say --soft-labels where they are probabilities of a 1; else two classes only`;
  if (values.length > 2) return `holds the labels ${listed}: two classes only; --positive CLASS takes one against the rest`;
  const [a, b] = values;
  if (values.every((value) => value === 0 || value === 1)) return meaning(1);
  if (b === undefined) {
    const pair = WORD_PAIRS.find((words) => words.includes(wordOf(a)));
    if (pair === undefined) return `holds only the label ${showValue(a)}: say which label is 1 with --positive`;
    return pair[1] === wordOf(a) ? meaning(a) : { one: pair[1], zero: a, values };
  }
  if (typeof a === "number" && typeof b === "number") return meaning(Math.max(a, b));
  if (typeof a === "number" || typeof b === "number") return `holds the labels ${listed}: say which is 1 with --positive`;
  if (wordOf(a) === wordOf(b))
    return `holds the labels ${listed}, which differ in capitals or spaces alone: write them alike, or say which is 1 with --positive`;
  const pair = WORD_PAIRS.find((words) => words.includes(wordOf(a)) && words.includes(wordOf(b)));
  if (pair === undefined) return meaning([a, b].sort()[1]); // the last by alphabet
  return meaning(wordOf(a) === pair[1] ? a : b);
}

/** Whether a word is one of those that were 0 in training; a number may be 1 in one file and 0 in the next. */
function isWordOfZero(value: LabelValue, { one, values }: LabelMeaning): boolean {
  const word = toCanonical(value);
  return typeof word === "string" && word !== toCanonical(one) && values.some((other) => toCanonical(other) === word);
}

/** Numbers from 0 to 1, not all of them whole. */
function areProbabilities(values: readonly LabelValue[]): boolean {
  return (
    values.every((value) => typeof value === "number" && value >= 0 && value <= 1) && values.some((value) => value !== 0 && value !== 1)
  );
}

/** What a model learnt, in the values that stand in other data; or why that is not plain. */
function translate(values: readonly LabelValue[], learnt: LabelMeaning): LabelMeaning | string {
  const known = new Set(learnt.values.map(toCanonical));
  const given = values.map(toCanonical);
  if (new Set(given).size < given.length || given.some((value) => !known.has(value))) {
    const ones = learnt.zero === null ? "" : `, of which 1 is ${showValue(learnt.one)}`;
    return `holds the labels ${listValues(values)}, but the model learnt ${listValues(learnt.values)}${ones}: say which label is 1 with --positive`;
  }
  const find = (wanted: LabelValue): LabelValue => values[given.indexOf(toCanonical(wanted))] ?? wanted;
  return { one: find(learnt.one), zero: learnt.zero === null ? null : find(learnt.zero), values };
}

/** Numbers and truth values are the same however they are written, words in letters of any size. */
function toCanonical(value: LabelValue): LabelValue {
  if (typeof value === "number") return value;
  const word = wordOf(value);
  if (word === "true" || word === "false") return Number(word === "true");
  return word !== "" && Number.isFinite(Number(word)) ? Number(word) : word;
}

function listValues(values: readonly LabelValue[]): string {
  return values.slice(0, 6).map(showValue).join(", ") + (values.length > 6 ? ", …" : "");
}

function wordOf(value: LabelValue): string {
  return String(value).trim().toLowerCase();
}

/** Numbers are the same however they are written. */
function isSaid(value: LabelValue, said: string): boolean {
  return typeof value === "number" ? said.trim() !== "" && Number(said) === value : value === said;
}

/** What is said, as a number where `other` is one. */
function asValue(said: string, other: LabelValue): LabelValue {
  return typeof other === "number" && said.trim() !== "" && Number.isFinite(Number(said)) ? Number(said) : said;
}

/** A label as sentences show it. */
export function showValue(value: LabelValue): string {
  return typeof value === "number" ? String(value) : show(value);
}
