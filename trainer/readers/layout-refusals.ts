// What a table's layout says of names that it cannot read: where, what was expected, and the option that settles it. Decides nothing.
// Legend: T steps, F features.
import { DataError } from "../../shared/errors.ts";
import { DEFAULT_SHAPE, type Shape } from "../../shared/sequence.ts";
import type { Wanted } from "./batch.ts";
import { writePattern } from "./header-patterns.ts";
import type { Grid, Place } from "./header-reading.ts";
import { list, quoteWord, show, UNNAMED } from "./quoting.ts";
import { REPEATED_ADVICE, readRepeated } from "./repeated-names.ts";

/** T and F where nothing names them. */
export function shapeWithoutNames({ target }: Wanted): Shape {
  return target ? { timesteps: target.timesteps, features: target.features.length } : DEFAULT_SHAPE;
}

/** A count of columns that fits no shape; `names` where a header names them, an empty one for an index without a name. */
export function refuseCount(columns: number, source: string, wanted: Wanted, names: readonly string[] = []): DataError {
  const { timesteps: T, features: F } = shapeWithoutNames(wanted);
  const own = names.filter((name) => name !== "");
  const which = own.length === 0 ? "" : ` (${list(own, [...own.keys()])})`;
  const { series } = wanted.known ?? {};
  const advice = series
    ? adviseOnSeries(series, T)
    : `for another shape name the columns <feature>_<step>, for one row a line say --key, or --window where all rows are one series${adviseOnRoles(names)}`;
  return new DataError(
    source,
    `has ${columns === 1 ? "1 column" : `${columns} columns`}${which}, expected ${T * F} numbers (${T} × ${F}, step by step) and perhaps a label: ${advice}`,
  );
}

/** A key or a window says that records are rows; what else training was told of rows the model knows. */
function adviseOnSeries({ key, time }: { readonly key?: string; readonly time?: string }, T: number): string {
  const named = Object.entries({ key, time }).flatMap(([option, name]) => (name === undefined ? [] : [`--${option} ${quoteWord(name)}`]));
  const options = [...named, ...(key === undefined ? [`--window ${T}`] : [])];
  return `the model learnt from rows, so say as in training ${options.join(" ")}`;
}

/** Names that people give to columns that are no features, in rows of series. */
const ROLE_NAMES = {
  key: /^(?:symbol|ticker|instrument|stock|isin|device|sensor|machine|unit|engine|user|customer|account|client|patient|subject|store|item|product|station|series|key|group|.*[_ ]?id)$/i,
  time: /^(?:date|time|timestamp|date_?time|ts|at|day|hour|minute|month|when|epoch|.*_(?:at|date|time|ts|timestamp))$/i,
  label:
    /^(?:class|outcome|result|event|churn(?:ed)?|fraud|anomaly|fail(?:ure|s|ed)?|default(?:ed)?|up|down|rises?|falls?|is_.*|has_.*|.*_?(?:label|target))$/i,
} as const;

/** The columns whose names sound like a key, a time and a label, each with its option. */
function adviseOnRoles(names: readonly string[]): string {
  const used = new Set<string>();
  const said = (["time", "key", "label"] as const).flatMap((role) => {
    const name = names.find((one) => (ROLE_NAMES[role].test(one) || (role === "time" && one === "")) && !used.has(one));
    if (name === undefined) return [];
    used.add(name);
    return [`${name === "" ? "a first column without a name" : show(name)} may be the ${role} (--${role} ${quoteWord(name || UNNAMED)})`];
  });
  return said.length === 0 ? "" : `; ${said.join(", ")}`;
}

/** What would settle names that stand twice, where something does. */
export function adviseOnRepeated(names: readonly string[], values: readonly number[], wanted: Wanted): string {
  if (readRepeated(values.map((column) => names[column]))) return `, or say ${REPEATED_ADVICE}`;
  const { timesteps: T, features: F } = shapeWithoutNames(wanted);
  return values.length === T * F ? `, or say --by-position to take the columns as ${T} × ${F}, step by step` : "";
}

/** Names that repeat, in an order that --by-position would misread. */
export function refuseGrouped({ features }: Grid, source: string): DataError {
  return new DataError(
    source,
    `has columns of one name, ${show(features[0])}, that do not stand step by step, as --by-position takes them: say ${REPEATED_ADVICE}`,
  );
}

/** Names that say nothing. */
export function refuseNames(names: readonly string[], values: readonly number[], source: string, wanted: Wanted): DataError {
  const { timesteps: T, features: F } = shapeWithoutNames(wanted);
  if (values.length !== T * F && values.length !== T * F + 1) {
    const own = values.map((column) => names[column]);
    return refuseCount(values.length, source, wanted, names[0] === "" ? ["", ...own] : own);
  }
  const { known, target } = wanted;
  if (known?.series && target?.features.every((name) => names.includes(name)))
    return new DataError(source, `names its columns ${list(names, values)}: ${adviseOnSeries(known.series, T)}`);
  return new DataError(
    source,
    `names its columns ${list(names, values)}, which say no feature and step: say how names are written, as --columns "{feature}_{step}", or --by-position to take them as ${T} × ${F}, step by step`,
  );
}

/** Names that say features and steps, which --by-position would pass over. */
export function refuseByPosition(names: readonly string[], values: readonly number[], source: string): DataError {
  return new DataError(
    source,
    `names features and steps in its columns ${list(names, values)}: leave --by-position out, or take the header out where its names are wrong`,
  );
}

/** What T numbered columns of one name may be beside T steps. */
export function describeOther(T: number, wanted: Wanted): string {
  const shape = shapeWithoutNames(wanted);
  return T === shape.timesteps * shape.features ? `${shape.timesteps} × ${shape.features}` : `${T} features`;
}

/** A name that two ways of writing fit, and how `--columns` says each. */
export function refuseAmbiguous(
  name: string,
  { first, second }: { readonly first: Place; readonly second: Place },
  source: string,
): DataError {
  const [as, or] = [first, second].map((place) => writePattern(name, place.feature, place.step));
  const advice =
    as === undefined || or === undefined
      ? `as --columns "{feature}_{step}"`
      : `as --columns "${as}", or --columns "${or}"${or.includes("{lag}") ? " where the highest number is the oldest" : ""}`;
  return new DataError(
    source,
    `names a column ${show(name)}, which may be ${describePlace(first)} or ${describePlace(second)}: say how names are written, ${advice}`,
  );
}

function describePlace({ feature, step }: Place): string {
  return step < 0 ? `lag ${-step} of ${show(feature)}` : `step ${step} of ${show(feature)}`;
}

/** `open` beside `open.1`: the oldest step, or the newest lag. */
export function refuseBare(bare: string, next: string, source: string): DataError {
  const [steps, lags] = ["{step}", "{lag}"].map((hole) => next.replace(bare, "{feature}").replace(/\d+(?=\D*$)/, hole));
  return new DataError(
    source,
    `has columns ${show(bare)} and ${show(next)}: say --columns "${steps}" where ${show(bare)} is the oldest step, or --columns "${lags}" where it is the newest`,
  );
}

/** Whether two names differ behind their last `_` alone, as pandas' get_dummies writes one label. */
function isOneHot([a, b]: readonly string[]): boolean {
  return a.lastIndexOf("_") > 0 && a.slice(0, a.lastIndexOf("_")) === b.slice(0, b.lastIndexOf("_"));
}

function adviseOnOneHot(names: readonly string[]): string {
  return `where they are one label, one-hot, say --label ${quoteWord(names[1])} --id ${quoteWord(names[0])}; else `;
}

/** A feature whose name is a label's, in a table that has no other label. */
export function refuseLabelSteps(columns: readonly string[], source: string): DataError {
  const [first, second = first] = columns;
  return new DataError(
    source,
    `has columns ${columns.map(show).join(", ")}, which may be a label, one-hot, or steps of a feature: for a label say --label ${quoteWord(second)} --id ${quoteWord(first)}, for a feature rename it, as --rename "${first}=my_${first},${second}=my_${second}"`,
  );
}

/** Columns beside the features. */
export function refuseRest(names: readonly string[], rest: readonly number[], source: string, wanted: Wanted): DataError {
  const word = quoteWord(names[rest[0]]);
  const own = rest.map((column) => names[column]);
  const oneHot = wanted.labels && wanted.label === undefined && rest.length === 2 && isOneHot(own) ? adviseOnOneHot(own) : "";
  const time = wanted.target ? undefined : own.find((name) => ROLE_NAMES.time.test(name));
  const ofTime = time === undefined ? "" : `, or --time ${quoteWord(time)} where sequences follow each other by it`;
  const isLabelKnown = wanted.label !== undefined || !wanted.labels;
  if (rest.length > 1)
    return new DataError(
      source,
      `has columns ${list(names, rest)} beside the features: ${oneHot}name ${isLabelKnown ? "" : "the label with --label, "}with --static what is given once a sequence, and with --id what is neither label nor feature${ofTime}`,
    );
  return new DataError(
    source,
    `has the column ${show(names[rest[0]])} beside the features: say what it is with ${isLabelKnown ? `--id ${word}, or --static ${word} where it is given once a sequence (or --label ${word})` : `--label ${word} or --id ${word}, or --static ${word} where it is given once a sequence`}${ofTime}`,
  );
}
