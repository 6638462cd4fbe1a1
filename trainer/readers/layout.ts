// Which column of a table holds what, by their names or their number: for CSV and Parquet alike. Roles first (roles.ts), then the
// features and steps of what is left (header.ts). Knows no bytes and no values. Legend: T steps, F features.
import { DataError } from "../../shared/errors.ts";
import { MAX_FEATURES, MAX_TIMESTEPS, type Shape } from "../../shared/sequence.ts";
import { hasDefaultNames, isSameSet, refuseFeatures } from "./align.ts";
import type { Wanted } from "./batch.ts";
import { readHeader } from "./header.ts";
import { writePattern } from "./header-patterns.ts";
import type { Grid, HeaderReading } from "./header-reading.ts";
import {
  adviseOnRepeated,
  describeOther,
  refuseAmbiguous,
  refuseBare,
  refuseByPosition,
  refuseCount,
  refuseGrouped,
  refuseLabelSteps,
  refuseNames,
  refuseRest,
  shapeWithoutNames,
} from "./layout-refusals.ts";
import { list, plainName, quoteWord, show } from "./quoting.ts";
import type { Remark } from "./reading.ts";
import { findBareNames, readRepeated, saysRepeated } from "./repeated-names.ts";
import { assignRoles, findColumn, isIdentifier, isLabel, type Roles, refuseIdentifier } from "./roles.ts";

/** Where a record holds what. */
export interface Layout {
  readonly shape: Shape;
  /** (F) */
  readonly features: readonly string[] | null;
  /** (T·F) the column of step t, feature f at t·F + f */
  readonly order: readonly number[];
  readonly label: number | null;
  /** Of `wanted.columns`, in their order. */
  readonly others: readonly number[];
  /** What there is to say of the columns. */
  readonly remarks: readonly Remark[];
}

type Columns = Pick<Layout, "shape" | "features" | "order"> & { readonly remarks: readonly Remark[] };

/**
 * A header names features and steps, as header.ts reads it, and gives T and F. Without a header columns are as many numbers as the
 * model takes, else 10 × 5, step by step, and perhaps a label behind them. Where rows are wanted, a record is one row: the features
 * that are named, or what is left. `header` is null where nothing is named. Throws DataError, also where two meanings are possible.
 */
export function findLayout(header: readonly string[] | null, count: number, source: string, asked: Wanted): Layout {
  const names = header?.map(plainName).map((name) => asked.rename?.get(name) ?? name) ?? null;
  const roles = assignRoles(names, count, source, asked);
  const wanted = names === null || asked.rows ? asked : { ...asked, pattern: asked.pattern ?? knownPattern(names, roles, asked) };
  const { others } = roles;
  const label = wanted.labels || names === null ? roles.label : null;
  const finish = ({ remarks, ...columns }: Columns): Layout => ({ label, ...columns, others, remarks: [...roles.remarks, ...remarks] });
  if (wanted.rows) return finish(findRow(names, roles, source, wanted));
  if (names === null) return { ...finish(countColumns(roles.values, source, wanted)), ...findBareLabel(roles, wanted) };
  const numbered = sortIntegers(names, roles.values);
  if (numbered) return finish(countNamed(names, numbered, "integer-header", source, wanted));
  const own = roles.values.map((column) => names[column]);
  const repeated = readRepeated(own);
  if (saysRepeated(wanted.pattern)) return finish(takeRepeated(names, roles, repeated, source, wanted));
  const reading = readHeader(own, wanted.pattern, wanted.target?.features);
  const isByPosition =
    wanted.byPosition || (reading.code === "none" && wanted.target !== undefined && hasDefaultNames(wanted.target.features));
  if (isByPosition && (reading.code !== "grid" || reading.isSingle)) {
    if (repeated && !isInOrder(repeated, own.length)) throw refuseGrouped(repeated, source);
    return finish(countNamed(names, roles.values, wanted.byPosition ? "asked" : "default-names", source, wanted));
  }
  if (wanted.byPosition && wanted.target === undefined) throw refuseByPosition(names, roles.values, source);
  checkLabelSteps(names, roles, reading, source, wanted);
  return finish(takeGrid(names, roles, reading, source, wanted));
}

/** How training's columns were named, where the names that stand here are so, too. */
function knownPattern(names: readonly string[], { values }: Roles, { known, target }: Wanted): RegExp | undefined {
  const own = values.map((column) => names[column]);
  const pattern = known?.pattern;
  if (pattern === undefined || target === undefined) return undefined;
  const reading = saysRepeated(pattern) ? readRepeated(own) : readHeader(own, pattern, target.features);
  return reading && "order" in reading && isSameSet(reading.features, target.features) ? pattern : undefined;
}

/** Throws DataError where the steps of a feature may be a label, one-hot: `label_0, label_1`. Coordinates may be called y, too. */
function checkLabelSteps(names: readonly string[], { label, values }: Roles, reading: HeaderReading, source: string, wanted: Wanted): void {
  if (reading.code !== "grid" || label !== null || !wanted.labels || wanted.target) return;
  const { features, order, timesteps } = reading;
  const f = features.findIndex((name) => isLabel(name) && (timesteps === 2 || name.toLowerCase() !== "y"));
  if (f < 0 || features.length === 1) return;
  throw refuseLabelSteps(
    Array.from({ length: Math.min(timesteps, 2) }, (_, t) => names[values[order[t * features.length + f]]]),
    source,
  );
}

/** Columns without names, step by step; one more is the label. */
function countColumns(values: readonly number[], source: string, wanted: Wanted): Columns {
  const shape = shapeWithoutNames(wanted);
  const { timesteps: T, features: F } = shape;
  if (values.length !== T * F && values.length !== T * F + 1) throw refuseCount(values.length, source, wanted);
  return { shape, features: null, order: values.slice(0, T * F), remarks: [{ code: "by-position", reason: "no-names" }] };
}

/** The column behind the last number. */
function findBareLabel({ values }: Roles, wanted: Wanted): Pick<Layout, "label"> {
  const { timesteps: T, features: F } = shapeWithoutNames(wanted);
  return { label: values[T * F] ?? null };
}

/** Columns that have names, taken step by step nevertheless. */
function countNamed(
  names: readonly string[],
  values: readonly number[],
  reason: "integer-header" | "asked" | "default-names",
  source: string,
  wanted: Wanted,
): Columns {
  const { timesteps: T, features: F } = shapeWithoutNames(wanted);
  if (values.length === T * F + 1)
    throw new DataError(
      source,
      `has ${values.length} columns and names no label, expected ${T * F} numbers (${T} × ${F}): name the label with --label, as --label ${quoteWord(names[values[T * F]])}, or what is none with --id`,
    );
  const { shape, features, order } = countColumns(values, source, wanted);
  return { shape, features, order, remarks: [{ code: "by-position", reason }] };
}

/** Columns that are named by different whole numbers, as pandas names those without names, in the order of the numbers; else null. */
function sortIntegers(names: readonly string[], values: readonly number[]): number[] | null {
  const isInteger = values.length > 1 && values.every((column) => /^\d{1,9}$/.test(names[column]));
  if (!isInteger || new Set(values.map((column) => Number(names[column]))).size !== values.length) return null;
  return [...values].sort((a, b) => Number(names[a]) - Number(names[b]));
}

/** The features and steps of a header that says them all, or a sentence that says what would settle it. Throws DataError. */
function takeGrid(names: readonly string[], { values }: Roles, reading: HeaderReading, source: string, wanted: Wanted): Columns {
  const columnName = (place: number): string => names[values[place]];
  switch (reading.code) {
    case "twice":
      throw new DataError(
        source,
        columnName(reading.columns[0]) === columnName(reading.columns[1])
          ? `has two columns ${show(columnName(reading.columns[0]))}: name each once${adviseOnRepeated(names, values, wanted)}`
          : `has two columns for one feature and step, ${reading.columns.map((place) => show(columnName(place))).join(" and ")}: say with --columns how names are written, as --columns "{feature}_{step}"`,
      );
    case "incomplete":
      throw new DataError(
        source,
        `has no column ${show(reading.missing)}, while others name ${reading.features} features and ${reading.timesteps} steps: add the column, rename one with --rename OLD=NEW, or say with --columns how names are written`,
      );
    case "ambiguous":
      throw refuseAmbiguous(columnName(reading.first.column), reading, source);
    case "moments":
      throw new DataError(
        source,
        `names a column ${show(columnName(reading.column))}, whose step is a date or a time of day: number the steps from the oldest, as price_0, price_1, or write one row a line and say --key and --time`,
      );
    case "none":
      throw refuseNames(names, values, source, wanted);
    case "grid":
      return checkGrid(names, values, reading, source, wanted);
  }
}

/** The columns of one name as its steps. Throws DataError where names do not repeat, or repeat unlike. */
function takeRepeated(
  names: readonly string[],
  { values }: Roles,
  repeated: ReturnType<typeof readRepeated>,
  source: string,
  wanted: Wanted,
): Columns {
  if (repeated) return checkGrid(names, values, { ...repeated, isSingle: false, from: 0 }, source, wanted);
  throw new DataError(
    source,
    `names its columns ${list(names, values)}, of which no name stands as often as the others, as --columns "{feature}" has it: leave --columns out, or say {step} or {lag} in it`,
  );
}

/** Whether names that repeat stand step by step, and nothing else does. */
function isInOrder({ order }: Grid, columns: number): boolean {
  return order.length === columns && order.every((place, i) => place === i);
}

/** Throws DataError where columns are left, or where one name and a number may mean steps or features. */
function checkGrid(
  names: readonly string[],
  values: readonly number[],
  { rest, isSingle, from, timesteps: T, features, order }: Omit<Extract<HeaderReading, { code: "grid" }>, "code">,
  source: string,
  wanted: Wanted,
): Columns {
  const F = features.length;
  if (F > MAX_FEATURES || T > MAX_TIMESTEPS)
    throw new DataError(source, `names ${F} features and ${T} steps, expected at most ${MAX_FEATURES} and ${MAX_TIMESTEPS}`);
  const isSettled = wanted.pattern !== undefined || wanted.target?.features.join() === features.join();
  if (isSingle && !isSettled)
    throw new DataError(
      source,
      `names its columns ${show(features[0])} and a number, which may be ${T} steps of one feature or ${describeOther(T, wanted)}: say --columns "${writePattern(names[values[order[0]]], features[0], from) ?? "{feature}_{step}"}" for steps, or --by-position for columns step by step`,
    );
  const bare = findBareNames(
    values.map((column) => names[column]),
    { features, order, rest },
  );
  if (bare) throw refuseBare(names[values[bare.bare]], names[values[bare.next]], source);
  if (rest.length > 0)
    throw refuseRest(
      names,
      rest.map((place) => values[place]),
      source,
      wanted,
    );
  return { shape: { timesteps: T, features: F }, features, order: order.map((place) => values[place]), remarks: [] };
}

/** One row a record. */
function findRow(header: readonly string[] | null, roles: Roles, source: string, { rows, target, statics, known }: Wanted): Columns {
  const features = rows?.features;
  if (header === null) throw new DataError(source, "has no header, which rows of a series need: name the columns in the first line");
  const names = roles.values.map((column) => header[column]);
  if (target && features?.some((name) => !header.includes(name))) throw refuseFeatures(names, target, source);
  const identifier = features ? undefined : names.find(isIdentifier);
  if (identifier !== undefined) throw refuseIdentifier(identifier, source);
  const beside = statics.map((name) => findColumn(header, name, source));
  const order = features
    ? features.map((name) => findColumn(header, name, source))
    : [...roles.values.filter((column) => !beside.includes(column)), ...beside];
  if (order.length === 0 || order.length > MAX_FEATURES)
    throw new DataError(source, `has ${order.length} features in a row, expected 1 to ${MAX_FEATURES}: name them with --features`);
  const twice = order.find((column, i) => order.findIndex((other) => header[other] === header[column]) !== i);
  if (twice !== undefined) throw new DataError(source, `has two columns ${show(header[twice])}: name each once`);
  const left = roles.values.filter((column) => !order.includes(column));
  for (const column of left) checkKnown(header[column], source, known);
  const remarks = left.map((column): Remark => ({ code: "column-left-out", column: header[column] }));
  return { shape: { timesteps: 1, features: order.length }, features: order.map((i) => header[i]), order, remarks };
}

/** Throws DataError where a column that nobody names told training which series a row belongs to, or when it was. */
function checkKnown(name: string, source: string, known: Wanted["known"]): void {
  const role = (["key", "time"] as const).find((one) => known?.series?.[one] === name);
  if (role === undefined) return;
  const did = role === "key" ? "which named the series of training" : "in whose order training read rows";
  throw new DataError(
    source,
    `has the column ${show(name)}, ${did}: say --${role} ${quoteWord(name)}, or --id ${quoteWord(name)} to leave it out`,
  );
}
