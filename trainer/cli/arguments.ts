// argv → typed options. A command declares what it takes; anything else is a UsageError that names the word.
import { parseArgs } from "node:util";
import { UsageError } from "../../shared/errors.ts";

/** Reads one option's text; `flag` takes none. */
type Reader<T> = ((text: string, option: string) => T) | "flag";
export type Options<S> = {
  readonly [K in keyof S]?: S[K] extends "flag" ? boolean : S[K] extends (text: string, option: string) => infer T ? T : never;
};

export const text = (value: string): string => value;

export function integer(least: number, most: number): (value: string, option: string) => number {
  return (value, option) => {
    const number = Number(value);
    if (value.trim() === "" || !Number.isInteger(number) || number < least || number > most)
      throw new UsageError(`--${option} must be a whole number from ${least} to ${most}, got ${value}`);
    return number;
  };
}

/** `1:5`: two finite numbers above 0. */
export function pair(value: string, option: string): readonly [number, number] {
  const numbers = value.split(":").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const [a, b] = numbers;
  if (numbers.length !== 2 || !(a > 0 && b > 0 && a + b < Infinity))
    throw new UsageError(`--${option} must be two numbers above 0 such as 1:5, got ${value}`);
  return [a, b];
}

export function choice<T extends string>(...values: readonly T[]): (value: string, option: string) => T {
  return (value, option) => {
    const found = values.find((known) => known === value);
    if (found === undefined) throw new UsageError(`--${option} must be one of ${values.join(", ")}, got ${value}`);
    return found;
  };
}

/** `names` are the words that must follow the command, in order; a last one that ends in … may be several. */
export function parseOptions<S extends Record<string, Reader<unknown>>>(
  argv: readonly string[],
  names: readonly string[],
  spec: S,
): { words: string[]; options: Options<S> } {
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      Object.entries(spec).map(([name, reader]) => [name, { type: reader === "flag" ? ("boolean" as const) : ("string" as const) }]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const words: string[] = [];
  const options: Record<string, unknown> = {};
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const reader = Object.hasOwn(spec, token.name) ? spec[token.name] : undefined;
    if (reader === undefined)
      throw new UsageError(
        `unknown option ${token.rawName}; known here: ${Object.keys(spec)
          .map((name) => `--${name}`)
          .join(" ")}`,
      );
    if (reader === "flag") {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value, got ${token.value}`);
      options[token.name] = true;
    } else {
      if (token.value === undefined || (!token.inlineValue && token.value.startsWith("--")))
        throw new UsageError(`${token.rawName} needs a value`);
      options[token.name] = reader(token.value, token.name);
    }
  }
  if (words.length < names.length) throw new UsageError(`${names[words.length].replace("…", "")} is missing`);
  if (words.length > names.length && !names.at(-1)?.endsWith("…")) throw new UsageError(`unexpected word ${words[names.length]}`);
  return { words, options: options as Options<S> };
}
