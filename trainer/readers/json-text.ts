// JSON text → records, in which whole numbers beyond 2^53 keep their digits where they name or order something. Knows no sequence.
import { isRounded } from "./long-numbers.ts";

/** What a number is for, by the name of the field that it stands in; undefined: in no field. */
export interface LongNumberUse {
  /** Whether it names or orders a record: it comes as text with all its digits. */
  isText(field: string | undefined): boolean;
  /** Hears of the others that float64 rounds. */
  onRounded(field: string | undefined): void;
}

/** A whole number of 16 digits or more; 2^53 has 16. */
const LONG = /(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/;
/** The same, or a text, which may hold such digits. */
const TOKENS = /"(?:[^"\\]+|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g;
/** Begins the text that stands for a long number meanwhile; JSON has it in no text as it is. */
const MARK = "\\u0000long ";
const MARKED = /^\0long (-?\d+)$/;

/** The document. Throws SyntaxError as JSON.parse does. */
export function parseJson(text: string, use: LongNumberUse): unknown {
  const document: unknown = JSON.parse(text);
  if (!LONG.test(text)) return document;
  const marked = text.replace(TOKENS, (token) =>
    token.startsWith('"') || Math.abs(Number(token)) < 2 ** 53 ? token : `"${MARK}${token}"`,
  );
  return resolve(JSON.parse(marked), undefined, use);
}

/** The same value with long numbers as `use` has them. */
function resolve(value: unknown, field: string | undefined, use: LongNumberUse): unknown {
  if (typeof value === "string") {
    const digits = MARKED.exec(value)?.[1];
    if (digits === undefined) return value;
    if (use.isText(field)) return digits;
    const number = Number(digits);
    if (isRounded(digits, number)) use.onRounded(field);
    return number;
  }
  if (Array.isArray(value)) return value.map((entry) => resolve(entry, field, use));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, resolve(entry, name, use)]));
}
