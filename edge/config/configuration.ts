// What the vars of wrangler.toml may say, read strictly: a value out of place is one sentence that names the place. Wrangler hands a
// table over as an object; a var given on the command line is JSON text.
import { describe, formatPath, type Path } from "../../shared/errors.ts";

/** The configuration cannot be used. The message reads `SOURCES.alerts.key must be …, got …`, and never shows a secret. */
export class ConfigurationError extends Error {
  readonly path: Path;
  constructor(path: Path, expected: string, got: string) {
    super(`${formatPath(path)} ${expected}, got ${got}`);
    this.name = "ConfigurationError";
    this.path = path;
  }
}

/** A header's name, as HTTP has them. */
export const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A table of wrangler.toml, of which only its being one is known. */
export type Table = Readonly<Record<string, unknown>>;

/** The tables of the var `name`: by their own names, which go into paths and logs. Absent or empty is no table. Throws ConfigurationError. */
export function namedTables(value: unknown, name: string): [name: string, table: unknown][] {
  const entries = Object.entries(parseJsonTable(value, [name]));
  for (const [key] of entries)
    if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(key))
      throw new ConfigurationError([name], "must have names of small letters, digits and hyphens, at most 63", describe(key));
  return entries;
}

/** The var at `path`: a table, or the same as JSON text. Absent or empty is an empty one. Throws ConfigurationError. */
export function parseJsonTable(value: unknown, path: Path): Table {
  return value === undefined || value === "" ? {} : parseTable(typeof value === "string" ? parseText(value, path) : value, path);
}

function parseText(text: string, path: Path): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(path, "must be a table, or the same as JSON", `text that is no JSON (${(error as SyntaxError).message})`);
  }
}

/** The table at `path`. `keys`: all that may stand in it; without them, any. Throws ConfigurationError. */
export function parseTable(value: unknown, path: Path, keys?: readonly string[]): Table {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ConfigurationError(path, "must be a table", describe(value));
  const unknownKey = keys && Object.keys(value).find((key) => !keys.includes(key));
  if (unknownKey !== undefined) throw new ConfigurationError(path, `must have no keys but ${keys!.join(", ")}`, describe(unknownKey));
  return value as Table;
}

/** A text that is not empty. Throws ConfigurationError, which reads `must be ${what}`. */
export function parseString(value: unknown, path: Path, what = "text"): string {
  if (typeof value !== "string" || value === "") throw new ConfigurationError(path, `must be ${what}`, describe(value));
  return value;
}

/** An array of at least `min` different texts, of which `what` says what they are. Throws ConfigurationError. */
export function parseStrings(value: unknown, path: Path, what: string, min: number): readonly string[] {
  if (!Array.isArray(value)) throw new ConfigurationError(path, `must be an array of ${what}`, describe(value));
  if (value.length < min) throw new ConfigurationError(path, `must hold at least ${min} of ${what}`, describe(value));
  const texts = value.map((item, i) => parseString(item, [...path, i]));
  const twice = texts.findIndex((text, i) => texts.indexOf(text) < i);
  if (twice >= 0) throw new ConfigurationError([...path, twice], "must not stand there twice", describe(texts[twice]));
  return texts;
}

/** One of `choices`. Throws ConfigurationError. */
export function parseChoice<T extends string>(value: unknown, path: Path, choices: readonly T[]): T {
  const choice = choices.find((one) => one === value);
  if (choice === undefined) throw new ConfigurationError(path, `must be one of ${choices.join(", ")}`, describe(value));
  return choice;
}

/** What the secrets named at `path` hold, several while one replaces another. Throws naming the secret, never showing it. */
export function secretsAt(value: unknown, path: Path, secretOf: SecretOf): readonly string[] {
  return parseStrings(value, path, "names of secrets", 1).map((name, i) => {
    const secret = secretOf(name);
    if (secret === undefined || secret === "")
      throw new ConfigurationError(
        [...path, i],
        `must be a secret that is set (wrangler secret put ${name}; on this machine, a line of .dev.vars before the start)`,
        "none of that name",
      );
    return secret;
  });
}

/** A secret's text by its name; undefined where none is set. */
export type SecretOf = (name: string) => string | undefined;
