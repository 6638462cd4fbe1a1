// The text of one option → its value. Whatever does not fit is a UsageError that names the option and what came.
import { UsageError } from "../../shared/errors.ts";
import { plainName } from "../readers/quoting.ts";

/** Reads the text of `--option`. Throws UsageError. */
export type Read<T> = (text: string, option: string) => T;

/** Any text, as it is. */
export const text: Read<string> = (value) => value;

/** A name as addresses and answers hold it: up to 64 letters, digits and `. _ -`, the first a letter or digit. */
export const modelName: Read<string> = (value, option) => {
  if (/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u.test(value)) return value;
  throw new UsageError(`--${option} must be up to 64 letters, digits, dots, underscores and hyphens, got ${value}`);
};

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): Read<number> {
  return (value, option) => {
    const number = Number(value);
    if (value.trim() === "" || !Number.isInteger(number) || number < min || number > max)
      throw new UsageError(`--${option} must be a whole number from ${min} to ${max}, got ${value}`);
    return number;
  };
}

/** A part of a whole: above 0 and at most 1. */
export const part: Read<number> = (value, option) => {
  const number = value.trim() === "" ? Number.NaN : Number(value);
  if (number > 0 && number <= 1) return number;
  throw new UsageError(`--${option} must be above 0 and at most 1, got ${value}`);
};

/** `1:5`: two finite numbers above 0. */
export const pair: Read<readonly [number, number]> = (value, option) => {
  const numbers = value.split(":").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const [a, b] = numbers;
  if (numbers.length !== 2 || !(a > 0 && b > 0 && a + b < Infinity))
    throw new UsageError(`--${option} must be two numbers above 0 such as 1:5, got ${value}`);
  return [a, b];
};

/** One of `values`. */
export function choice<const T extends string>(...values: readonly T[]): Read<T> {
  return (value, option) => {
    const match = values.find((known) => known === value);
    if (match === undefined) throw new UsageError(`--${option} must be one of ${values.join(", ")}, got ${value}`);
    return match;
  };
}

/** Names separated by commas: at least one, at most `max`, each once. */
export function names(max: number): Read<readonly string[]> {
  return (value, option) => {
    const list = value.split(",").map((name) => plainName(name.trim()));
    if (list.includes("") || new Set(list).size !== list.length || list.length > max)
      throw new UsageError(`--${option} must be up to ${max} different names separated by commas, got ${value}`);
    return list;
  };
}

/** `old=new` pairs separated by commas, each old name once. */
export const pairs: Read<ReadonlyMap<string, string>> = (value, option) => {
  const list = value.split(",").map((pair) => pair.split("=").map((name) => plainName(name.trim())));
  const map = new Map(list.map(([from, to]) => [from, to]));
  if (list.some((pair) => pair.length !== 2 || pair.includes("")) || map.size !== list.length)
    throw new UsageError(`--${option} must be pairs such as old=new separated by commas, got ${value}`);
  return map;
};
