// How numbers and names are written on the page. Knows no page.
import { cleanText } from "./html.ts";

/** `0.4123`, `–` where a number is undefined. */
export function formatNumber(x: number | null | undefined, decimals = 4): string {
  return x === null || x === undefined || !Number.isFinite(x) ? "–" : minus(x.toFixed(decimals));
}

/** `27.2 %`, its space unbreakable; `0 %` only for none and `100 %` only for all. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return "–";
  if (share === 0 || share === 1) return `${100 * share}\u00a0%`;
  if (share < 0.0005) return "<\u00a00.1\u00a0%";
  if (share > 0.9995) return ">\u00a099.9\u00a0%";
  return `${(100 * share).toFixed(1)}\u00a0%`;
}

/** `5,095`. */
export function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Three significant digits: `1,280`, `0.0321`, `3.21·10⁹`. */
export function short(x: number): string {
  return writeWith(x, 3);
}

/** Numbers that are read together, with as many digits as tell them apart: `1.24829`, `1.24831`. At most 17 digits, float64's own. */
export function together(values: readonly number[]): string[] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const spread = high - low;
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const apart = spread > 0 && largest > 0 ? Math.ceil(Math.log10(largest) - Math.log10(spread)) + 2 : 3;
  return values.map((x) => writeWith(x, Math.max(3, Math.min(17, apart + Math.floor(magnitude(x)) - Math.floor(magnitude(largest))))));
}

/** So many characters of a range find room beside a figure. */
const MAX_RANGE = 18;

/** `0.0321 … 0.24`, `3.51 … 5.11·10⁹`, `0.1` where both are the same; `1.242816 + 5·10⁻⁵`, the distance, where a narrow one is too long. */
export function range(low: number, high: number): string {
  const [from, to] = together([low, high]);
  if (from === to) return to;
  const power = /·10.+$/.exec(to)?.[0];
  const text = `${power && from.endsWith(power) ? from.slice(0, -power.length) : from} … ${to}`;
  const isNarrow = high - low < 0.01 * Math.max(Math.abs(low), Math.abs(high));
  return text.length <= MAX_RANGE || !isNarrow ? text : `${from} + ${writeWith(high - low, 2)}`;
}

function magnitude(x: number): number {
  return x === 0 ? 0 : Math.log10(Math.abs(x));
}

function writeWith(x: number, digits: number): string {
  if (x === 0) return "0";
  if (!Number.isFinite(x)) return "–";
  const size = Math.abs(x);
  if (size >= 1e6 || size < 1e-3) {
    const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
    const trimmed = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
    return minus(`${trimmed}·10${superscript(Number(exponent))}`);
  }
  const fraction = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  const [whole, decimals] = size.toFixed(Math.min(20, fraction)).split(".");
  const kept = decimals?.replace(/0+$/, "");
  return `${x < 0 ? "−" : ""}${count(Number(whole))}${kept ? `.${kept}` : ""}`;
}

function superscript(n: number): string {
  return String(n).replace(/[-\d]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]));
}

function minus(text: string): string {
  return text.replace(/^-/, "−");
}

/** A name cut to `length` characters, for places that cannot wrap. */
export function shorten(name: string, length: number): string {
  const characters = [...cleanText(name)];
  return characters.length <= length ? characters.join("") : `${characters.slice(0, length - 1).join("")}…`;
}

/** Mean advance of a character of 12 units, in sans-serif fonts (measured: Liberation Sans 6.1, DejaVu Sans 6.9 over channels' names). */
const CHARACTER = 7;

/** At most `length` characters: the middle gives way, since names often differ at their ends. */
export function shortenMiddle(name: string, length: number): string {
  const characters = [...cleanText(name)];
  if (characters.length <= length) return characters.join("");
  const tail = Math.floor((length - 1) / 2);
  return `${characters.slice(0, length - 1 - tail).join("")}…${characters.slice(characters.length - tail).join("")}`;
}

/** Units of a figure that the longest of `names` takes at a font size of 12, as wide letters need; at most `max`. */
export function widthOfNames(names: readonly string[], max: number): number {
  const longest = Math.max(0, ...names.map((name) => [...cleanText(name)].length));
  return Math.min(max, Math.ceil(longest * CHARACTER));
}

/** Characters that fit into so many units. */
export function charactersIn(width: number): number {
  return Math.floor(width / CHARACTER);
}

/** 1-2-5 ticks within [low, high], about `target` of them. */
export function ticks(low: number, high: number, target: number): number[] {
  const span = high - low;
  if (!(span > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(span / target));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= target) ?? 10 * power;
  const from = Math.ceil(low / step - 1e-9);
  const values: number[] = [];
  for (let i = from; i * step <= high + 1e-9 * step; i++) values.push(Number((i * step).toPrecision(12)));
  return values;
}

/**
 * Moves labels apart: positions at least `gap` from each other within [low, high], in the order of `wanted`, each as near to
 * its wish as a sweep up and one down get it.
 */
export function spreadOut(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((_, i) => i).sort((i, j) => wanted[i] - wanted[j] || i - j);
  const placed = order.map((i) => wanted[i]);
  for (let k = 0; k < placed.length; k++) placed[k] = Math.max(placed[k], k === 0 ? low : placed[k - 1] + gap);
  for (let k = placed.length - 1; k >= 0; k--) placed[k] = Math.min(placed[k], k === placed.length - 1 ? high : placed[k + 1] - gap);
  const result = new Array<number>(wanted.length);
  order.forEach((i, k) => {
    result[i] = placed[k];
  });
  return result;
}
