// Names of a wide table's columns → which feature and step each one is, in whatever order the columns stand. Knows names only, no
// roles and no values. Legend: T steps, F features; a lag L is step −L, so that steps always run from the oldest to the newest.

/** Where each feature and step stands. */
export interface Grid {
  readonly timesteps: number;
  /** (F) in the order in which the columns name them */
  readonly features: readonly string[];
  /** (T·F) the column of step t, feature f at t·F + f: a place in the list of names */
  readonly order: readonly number[];
}

/** What a list of names says. Columns are places in the list. */
export type HeaderReading =
  | ({
      readonly code: "grid";
      /** Columns that are no feature's. */
      readonly rest: readonly number[];
      /** Whether all columns are one feature's, numbered: it may be steps, or features. */
      readonly isSingle: boolean;
    } & Grid)
  /** No way of writing fits most of the names. */
  | { readonly code: "none" }
  /** Most names hold a date or a time of day, as a pivot by time writes them: this column's does. */
  | { readonly code: "moments"; readonly column: number }
  /** One name, or one feature and step, twice. */
  | { readonly code: "twice"; readonly columns: readonly [number, number] }
  /** The features have different steps, or steps are left out: nobody has this feature's step. */
  | { readonly code: "incomplete"; readonly missing: string; readonly features: number; readonly timesteps: number }
  /** Two ways of writing fit, and they say different things. */
  | { readonly code: "ambiguous"; readonly first: Place; readonly second: Place };

/** How one column can be read. */
export interface Place {
  readonly column: number;
  readonly feature: string;
  readonly step: number;
}

/** A way of writing a feature and a step in one name. */
interface Pattern {
  /** Groups `feature`, and `step` or `lag`. */
  readonly expression: RegExp;
  /** Which step a feature's bare name is: lag 0, or the one before the lowest, where all features have it; undefined: none. */
  readonly bare?: "newest" | "oldest";
}

const FEATURE = String.raw`(?<feature>.*[^\s_.:/(\[-])`; // with no separator at its end
const FEATURE_AFTER = String.raw`(?<feature>[^\s_.:/)\]-].*)`;
const SEPARATOR = String.raw`(?:__|[_.:/]|\s)`;
const ANY = String.raw`[\s_.:/-]*`;
const NUMBER = String.raw`\d{1,9}`;
const LAG = "(?:lag|lagged|shift|shifted|prev|previous|back|ago|minus)";

function pattern(source: string, hasBare = false): Pattern {
  return { expression: new RegExp(`^${source}$`, "i"), ...(hasBare && { bare: "newest" }) };
}

/**
 * Ways of writing, the plainest first. The first list that fits most of the names decides: `close_lag1` is a lag, and not step 1
 * of `close_lag`.
 */
const PATTERNS: readonly (readonly Pattern[])[] = [
  [
    pattern(`${FEATURE}_duplicated_(?<step>${NUMBER})`), // as Polars renames columns of one name
    pattern(`${FEATURE}${ANY}${LAG}${ANY}(?<lag>${NUMBER})`, true), // close_lag1
    pattern(`${LAG}${ANY}(?<lag>${NUMBER})${ANY}${FEATURE_AFTER}`, true), // lag1_close
    pattern(String.raw`${FEATURE}\s*[(\[]t(?<step>\s*[+-]\s*${NUMBER}|)[)\]]`, true), // close(t-1), close(t)
    pattern(`${FEATURE}${SEPARATOR}t(?<step>[+-]${NUMBER}|0?)`, true), // close_t-9 … close_t
    pattern(`t(?<step>[+-]${NUMBER}|0?)${SEPARATOR}${FEATURE_AFTER}`, true), // t-9_close
    pattern(`${FEATURE}${SEPARATOR}(?<step>-${NUMBER}|0)`, true), // close_-9
    pattern(String.raw`${FEATURE}[(\[](?<step>-${NUMBER}|0)[)\]]`, true), // close[-9]
  ],
  [
    pattern(String.raw`\('(?<feature>.+)', '?(?<step>-?${NUMBER})'?\)`), // ('close', 0), a MultiIndex as text
    pattern(String.raw`\('?(?<step>-?${NUMBER})'?, '(?<feature>.+)'\)`),
    pattern(String.raw`${FEATURE}[(\[](?<step>${NUMBER})[)\]]`), // close[0]
    pattern(`${FEATURE}${SEPARATOR}(?:t|step|timestep)_?(?<step>${NUMBER})`), // close_t0
    pattern(`(?:t|step|timestep)_?(?<step>${NUMBER})${SEPARATOR}${FEATURE_AFTER}`), // t0_close
    pattern(`${FEATURE}(?:${SEPARATOR}|-)(?<step>${NUMBER})`), // close_0, close.0, close-0
    pattern(`(?<step>${NUMBER})(?:${SEPARATOR}|-)${FEATURE_AFTER}`), // 0_close
  ],
  [pattern(String.raw`(?<feature>.*\D)(?<step>${NUMBER})`)], // close0
];

/** What may follow a feature's name in its newest step, beside lags. */
const NOW = /\s*[([]t[)\]]$|[_.]t0?$/i;
/** A date, or a time of day: `price_2024-01-31`, `price_09:00`, of which no number by itself is the step. */
const MOMENT = /(?<!\d)(?:\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2})(?!\d)/;
/** `close-1 … close-10` may count forwards or backwards. */
const DASH = new RegExp(`^${FEATURE}-(?<step>${NUMBER})$`);
/** `close_L1` may be a lag. */
const LETTER = /[_.:/\s-][a-z]\d+$/i;

/**
 * How `--columns` says that names are written: `{feature}_{step}`, or `{feature}_l{lag}`, newest first, or `{feature}` alone, where names
 * repeat. Null where it is no such text.
 */
export function parsePattern(text: string): RegExp | null {
  const parts = text.split(/(\{feature\}|\{step\}|\{lag\})/);
  const holes = parts.filter((part) => /^\{.*\}$/.test(part)).sort();
  if (holes.length > 2 || holes[0] !== "{feature}" || holes[1] === "{feature}") return null;
  if (holes.length === 1 && text !== "{feature}") return null;
  const groups: Readonly<Record<string, string>> = {
    "{feature}": "(?<feature>.+?)",
    "{step}": `(?<step>[+-]?${NUMBER})`,
    "{lag}": `(?<lag>${NUMBER})`,
  };
  return new RegExp(`^${parts.map((part) => groups[part] ?? escapeText(part)).join("")}$`);
}

function escapeText(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Reads names as they are written, or as `--columns` says (a result of parsePattern). */
export function readHeader(names: readonly string[], given?: RegExp): HeaderReading {
  const twice = findTwice(names);
  if (twice) return { code: "twice", columns: twice };
  if (given)
    return readBy(names, [{ expression: given, bare: given.source.includes("<lag>") ? "newest" : "oldest" }], 1) ?? { code: "none" };
  const moments = [...names.keys()].filter((column) => MOMENT.test(names[column]));
  if (moments.length >= Math.max(2, names.length / 2)) return { code: "moments", column: moments[0] };
  for (const patterns of PATTERNS) {
    const reading = readBy(names, patterns, Math.max(2, names.length / 2));
    if (reading) return (reading.code === "grid" && findOtherReading(names, reading)) || reading;
  }
  return { code: "none" };
}

function findTwice(names: readonly string[]): [number, number] | null {
  const seen = new Map<string, number>();
  for (const [column, name] of names.entries()) {
    const first = seen.get(name);
    if (first !== undefined && name !== "") return [first, column];
    seen.set(name, column);
  }
  return null;
}

/** What patterns of one rank say; null where none fits at least `least` of the names. */
function readBy(names: readonly string[], patterns: readonly Pattern[], least: number): HeaderReading | null {
  const places = patterns.map((pattern) => placeAll(names, pattern));
  const most = Math.max(...places.map((found) => found.length));
  if (most < least) return null;
  const readings = places.filter((found) => found.length === most).map((found) => ({ found, reading: toReading(names, found) }));
  const fitting = readings.filter(({ reading }) => reading.code === "grid");
  if (fitting.length === 0) return readings[0].reading;
  const [first, ...others] = fitting;
  for (const other of others)
    if (!isAlike(first.reading, other.reading)) return { code: "ambiguous", first: first.found[0], second: other.found[0] };
  return first.reading;
}

function isAlike(a: HeaderReading, b: HeaderReading): boolean {
  return a.code === "grid" && b.code === "grid" && a.order.join() === b.order.join();
}

/** Every name that the pattern fits, and the bare names of features whose newest lag, or first step, is not there. */
function placeAll(names: readonly string[], { expression, bare: bareStep }: Pattern): Place[] {
  const places: Place[] = [];
  const bare: [column: number, name: string][] = [];
  const newest = new Map<string, number>(); // feature → its newest step
  for (const [column, name] of names.entries()) {
    const groups = expression.exec(name)?.groups;
    if (groups === undefined) {
      bare.push([column, name]);
      continue;
    }
    const step = groups.lag === undefined ? Number(groups.step.replaceAll(/\s/g, "")) : -Number(groups.lag) || 0;
    places.push({ column, feature: groups.feature, step });
    newest.set(groups.feature, Math.max(newest.get(groups.feature) ?? Number.NEGATIVE_INFINITY, step));
  }
  if (bareStep === undefined) return places;
  if (bareStep === "oldest") return [...places, ...placeOldest(places, bare)];
  if (places.every(({ step }) => step === 0)) return []; // close_0 alone is no lag
  for (const [column, name] of bare) {
    const feature = name.replace(NOW, "");
    if (newest.get(feature) === -1) places.push({ column, feature, step: 0 });
  }
  return places;
}

/** Bare names as the steps before the lowest, which is 1, or 2 in Excel, or 0 in Polars; none where a feature has no bare name. */
function placeOldest(places: readonly Place[], bare: readonly [column: number, name: string][]): Place[] {
  const lowest = Math.min(...places.map(({ step }) => step));
  const features = new Set(places.map(({ feature }) => feature));
  const own = bare.filter(([, name]) => features.has(name));
  if (lowest < 0 || lowest > 2 || own.length !== features.size) return [];
  return own.map(([column, feature]) => ({ column, feature, step: lowest - 1 }));
}

/** A grid where every feature has the same steps and none is left out. */
function toReading(names: readonly string[], places: readonly Place[]): HeaderReading {
  const columns = new Map<string, Map<number, number>>(); // feature → step → column
  for (const { column, feature, step } of [...places].sort((a, b) => a.column - b.column)) {
    const steps = columns.get(feature) ?? new Map<number, number>();
    const first = steps.get(step);
    if (first !== undefined) return { code: "twice", columns: [first, column] };
    columns.set(feature, steps.set(step, column));
  }
  const features = [...columns.keys()];
  const { from, to } = commonSteps(columns);
  const order: number[] = [];
  for (let step = from; step <= to; step++)
    for (const feature of features) {
      const column = columns.get(feature)?.get(step);
      if (column === undefined)
        return { code: "incomplete", missing: nameLike(names, places, feature, step), features: features.length, timesteps: to - from + 1 };
      order.push(column);
    }
  const placed = new Set(order);
  const rest = [...names.keys()].filter((column) => !placed.has(column));
  return { code: "grid", timesteps: to - from + 1, features, order, rest, isSingle: features.length === 1 };
}

/** The steps from the first to the last of any feature; of a spread that cannot be meant, the first gap alone. */
function commonSteps(columns: ReadonlyMap<string, ReadonlyMap<number, number>>): { from: number; to: number } {
  const steps = [...new Set([...columns.values()].flatMap((places) => [...places.keys()]))].sort((a, b) => a - b);
  const gap = steps.findIndex((step, i) => i > 0 && step !== steps[i - 1] + 1);
  return { from: steps[0], to: gap < 0 ? steps[steps.length - 1] : steps[gap - 1] + 1 };
}

/** The name that a feature's step would have, written like the others. */
function nameLike(names: readonly string[], places: readonly Place[], feature: string, step: number): string {
  const digitsOf = (place: Place): string => String(Math.abs(place.step));
  const numbered = places.filter((place) => names[place.column].replace(place.feature, "").includes(digitsOf(place)));
  const like = numbered.find((place) => place.feature === feature) ?? numbered[0];
  if (like === undefined) return `${feature}_${step}`;
  const name = names[like.column];
  const isLast = name.startsWith(like.feature);
  const at = isLast ? name.lastIndexOf(digitsOf(like)) : name.indexOf(digitsOf(like));
  const written = name.slice(0, at) + String(Math.abs(step)) + name.slice(at + digitsOf(like).length);
  return like.feature === feature ? written : written.replace(like.feature, feature);
}

/** Names that fit one pattern and may still mean something else. */
function findOtherReading(names: readonly string[], { order, features }: Grid): HeaderReading | null {
  const written = order.map((column) => names[column]);
  const steps = written.map((name) => Number(/\d+$/.exec(name)?.[0]));
  const isDashed = written.every((name) => DASH.test(name)) && !steps.includes(0);
  const isLettered = written.every((name) => LETTER.test(name) && !/[_.:/\s-]t\d+$/i.test(name));
  if (!isDashed && !isLettered) return null;
  const place = { column: order[0], feature: isLettered ? written[0].replace(LETTER, "") : features[0], step: steps[0] };
  return { code: "ambiguous", first: place, second: { ...place, step: -place.step } };
}
