// Names of a wide table's columns → which feature and step each one is, in whatever order the columns stand. Knows names only, no
// roles and no values. Legend: T steps, F features.
import { isSameSet } from "./align.ts";
import { PATTERNS, type Pattern, stepOf } from "./header-patterns.ts";
import type { HeaderReading, Place } from "./header-reading.ts";
import { findOtherReading, isMoment, isMomentNumber } from "./other-readings.ts";

/** What may follow a feature's name in its newest step, beside lags. */
const NOW = /\s*[([]t[)\]]$|[_.]t0?$/i;

/** Reads names as they are written, or as `--columns` says (a result of parsePattern); `known` features, a model's, settle which of two readings is meant. */
export function readHeader(names: readonly string[], given?: RegExp, known?: readonly string[]): HeaderReading {
  const twice = findTwice(names);
  if (twice) return { code: "twice", columns: twice };
  if (given)
    return readBy(names, [{ expression: given, bare: given.source.includes("<lag>") ? "newest" : "oldest" }], 1, known) ?? { code: "none" };
  const least = Math.max(2, names.length / 2);
  const moments = readMoments(names, isMoment, least);
  if (moments) return moments;
  for (const [rank, patterns] of PATTERNS.entries()) {
    const reading = readBy(names, patterns, least, known);
    if (reading?.code === "grid" && rank > 0) return findOtherReading(names, reading, isKnown(reading, known)) ?? reading;
    if (reading?.code === "incomplete") return readMoments(names, isMomentNumber, least) ?? reading;
    if (reading) return reading;
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

/** Names of which at least `least` hold a date or a time of day; else null. */
function readMoments(names: readonly string[], holdsMoment: (name: string) => boolean, least: number): HeaderReading | null {
  const columns = [...names.keys()].filter((column) => holdsMoment(names[column]));
  return columns.length >= least ? { code: "moments", column: columns[0] } : null;
}

/** What patterns of one rank say; null where none fits at least `least` of the names. */
function readBy(
  names: readonly string[],
  patterns: readonly Pattern[],
  least: number,
  known: readonly string[] | undefined,
): HeaderReading | null {
  const places = patterns.map((pattern) => placeAll(names, pattern));
  const most = Math.max(...places.map((found) => found.length));
  if (most < least) return null;
  const readings = places.filter((found) => found.length === most).map((found) => ({ found, reading: toReading(names, found) }));
  const fitting = readings.filter(({ reading }) => reading.code === "grid");
  if (fitting.length === 0) return readings[0].reading;
  const meant = fitting.find(({ reading }) => isKnown(reading, known));
  const [first, ...others] = meant ? [meant] : fitting;
  for (const other of others) if (!isAlike(first.reading, other.reading)) return toAmbiguous(first.found, other.found);
  return first.reading;
}

/** Whether a grid has the features of a model. */
function isKnown(reading: HeaderReading, known: readonly string[] | undefined): boolean {
  return reading.code === "grid" && known !== undefined && isSameSet(reading.features, known);
}

/** Two readings, by a column whose step is not 0 in either and of which they say different things. */
function toAmbiguous(first: readonly Place[], second: readonly Place[]): HeaderReading {
  const others = new Map(second.map((place) => [place.column, place]));
  const pairs = first.flatMap((place) => {
    const other = others.get(place.column);
    return other && (other.feature !== place.feature || other.step !== place.step) ? [{ first: place, second: other }] : [];
  });
  const pair = pairs.find((one) => one.first.step !== one.second.step) ?? pairs[0];
  return { code: "ambiguous", ...(pair ?? { first: first[0], second: second[0] }) };
}

function isAlike(a: HeaderReading, b: HeaderReading): boolean {
  return a.code === "grid" && b.code === "grid" && a.timesteps === b.timesteps && a.order.join() === b.order.join();
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
    const step = stepOf(groups);
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
  return { code: "grid", timesteps: to - from + 1, features, order, rest, isSingle: features.length === 1, from };
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
