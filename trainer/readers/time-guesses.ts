// A time that is not ISO 8601 → the formats that read it, for a sentence that asks. Whatever is guessed is tried first.
import { parseTimeFormat } from "./time-format.ts";

/** A date's parts and separators, and how `--time-format` writes them; `rest` is the time of day. */
interface Guess {
  readonly dates: readonly string[];
  readonly rest: string;
}

const WEEKDAY = /^(\p{L}{2,}(\.?),?\s+)(?=\d|\p{L}{3,}\.?\s+\d)/u;
/** 2024/1/31, 31.01.2024, 3-Jan-24, Jan 3, 2024, Jan 3 09:00:00 2024. */
const YEAR_FIRST = /^(\d{4})([/.-])\d{1,2}\2\d{1,2}(?!\d)(.*)$/;
const YEAR_LAST = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)(.*)$/;
const DAY_NAMED = /^\d{1,2}(\.?\s*[/-]?)(\p{L}{3,}\.?)([\s/,-]+)(\d{4}|\d{2})(?!\d)(.*)$/u;
const MONTH_NAMED = /^(\p{L}{3,}\.?)([\s-]+)\d{1,2}([\s,-]+)(\d{4})(?!\d)(.*)$/u;
const C_TIME = /^(\p{L}{3,})\s+\d{1,2}\s+\d{1,2}:\d{2}:\d{2}\s+\d{4}$/u;
const DAYTIME = /^([\s,]+|T|:)\d{1,2}([:.h])\d{2}(?:\2\d{2}(?:([.,])\d{1,9})?)?(\s*[AP]\.?M\.?)?(\s*)(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$/i;

/** The formats that read a time which is no ISO 8601: two where day and month may be either, none where nothing is known. */
export function guessFormats(written: string): readonly string[] {
  const text = written.trim();
  const [weekday = ""] = WEEKDAY.exec(text) ?? [];
  const start = weekday === "" ? "" : `%${/\p{L}{4,}/u.test(weekday) ? "A" : "a"}${weekday.replace(/^\p{L}+/u, "")}`;
  const guess = guessDate(text.slice(weekday.length)) ?? guessDate(text);
  const end = guess && guessDaytime(guess.rest);
  if (!guess || end === undefined || end === null) return [];
  const formats = guess.dates.flatMap((date) => [`${start}${date}${end}`, `${date}${end}`]);
  return [...new Set(formats.filter((format) => typeof parseTimeFormat(format).read(text) === "object"))];
}

/** The format of digits that are a date of this century or the last, as 20240131; undefined of others. */
export function guessDigits(digits: string): string | undefined {
  if (!/^(?:19|20)\d{6}(?:\d{2}){0,3}$/.test(digits)) return undefined;
  const format = ["%Y", "%m", "%d", "%H", "%M", "%S"].slice(0, digits.length / 2 - 1).join("");
  return typeof parseTimeFormat(format).read(digits) === "object" ? format : undefined;
}

function guessDate(text: string): Guess | undefined {
  const [, year, slash, behind = ""] = YEAR_FIRST.exec(text) ?? [];
  if (year !== undefined) return { dates: [`%Y${slash}%m${slash}%d`], rest: behind };
  const [, a, sign, b, last = "", after = ""] = YEAR_LAST.exec(text) ?? [];
  if (a !== undefined) {
    const letters = [...(Number(b) <= 12 ? ["dm"] : []), ...(Number(a) <= 12 ? ["md"] : [])];
    return { dates: letters.map(([first, second]) => `%${first}${sign}%${second}${sign}${yearOf(last)}`), rest: after };
  }
  const [, dot, name, gap, short = "", rest = ""] = DAY_NAMED.exec(text) ?? [];
  if (name !== undefined) return { dates: [`%d${dot}${monthOf(name)}${gap}${yearOf(short)}`], rest };
  const [, month, space, comma, , more = ""] = MONTH_NAMED.exec(text) ?? [];
  if (month !== undefined) return { dates: [`${monthOf(month)}${space}%d${comma}%Y`], rest: more };
  const [, named] = C_TIME.exec(text) ?? [];
  return named === undefined ? undefined : { dates: [`${monthOf(named)} %d %H:%M:%S %Y`], rest: "" };
}

function yearOf(digits: string): string {
  return digits.length === 4 ? "%Y" : "%y";
}

/** A month's name in full, or short and perhaps with a point. */
function monthOf(name: string): string {
  return name.length > 4 && !name.endsWith(".") ? "%B" : "%b";
}

/** ` 14:05:00.250 PM` → ` %H:%M:%S.%f %p`; null where it is no time of day. */
function guessDaytime(text: string): string | null {
  if (text.trim() === "") return "";
  const [whole, before, sign, point, half, space = "", zone] = DAYTIME.exec(text) ?? [];
  if (whole === undefined) return null;
  const hasSeconds = new RegExp(`\\d\\${sign}\\d{2}\\${sign}\\d`).test(text);
  const seconds = hasSeconds ? `${sign}%S${point === undefined ? "" : `${point}%f`}` : "";
  const end = half === undefined ? "" : half.replace(/\S+/, "%p");
  return `${before}${half === undefined ? "%H" : "%I"}${sign}%M${seconds}${end}${zone === undefined ? "" : `${space}${/^[UG]/i.test(zone) ? "%Z" : "%z"}`}`;
}
