// Which columns of a table are not values: the label, an index, and those that the options name. By names only; knows no values.
import { DataError } from "../../shared/errors.ts";
import { isIndex } from "../../shared/index-names.ts";
import { LABEL_NAMES, type Wanted } from "./batch.ts";
import { list, show, UNNAMED } from "./quoting.ts";
import type { Remark } from "./reading.ts";

export interface Roles {
  /** The label, also where nobody wants it; null where there is none. */
  readonly label: number | null;
  /** Of `wanted.columns`, in their order. */
  readonly others: readonly number[];
  /** All columns without a role, in their order. */
  readonly values: readonly number[];
  readonly remarks: readonly Remark[];
}

/** Whether a column is a label by its name: the one that `--label` names, else as people call labels. */
export function isLabel(name: string, label?: string): boolean {
  return label === undefined ? LABEL_NAMES.includes(name.toLowerCase()) : name === label;
}

/** Which columns are labels where none is named: the label of training, else those that are called as labels are. Features of such a name are none. */
export function labelsAmong(names: readonly string[], { columns, rows, known }: Pick<Wanted, "columns" | "rows" | "known">): number[] {
  const isFree = (name: string): boolean => !columns.includes(name) && !rows?.features?.includes(name);
  const learnt = names.findIndex((name) => name === known?.label && isFree(name));
  return learnt >= 0 ? [learnt] : [...names.keys()].filter((column) => isLabel(names[column]) && isFree(names[column]));
}

/** Whether a column says by its name which row is which. */
export function isIdentifier(name: string): boolean {
  return /^id$/i.test(name);
}

/** That a column beside whole sequences is left out; a model that is yet to learn may be given it. */
export function leaveOut(column: string, known: Wanted["known"]): Remark {
  return { code: "column-left-out", column, ...(known === undefined && !isIdentifier(column) && { isOnce: true }) };
}

/** An identifier among rows of series would become a feature. */
export function refuseIdentifier(name: string, source: string): DataError {
  return new DataError(
    source,
    `has the column ${show(name)}: say --key ${name} where it names the series of a row, --id ${name} where it is not read, or name the features with --features`,
  );
}

/** Gives the columns of a table their roles; `header` is null where nothing is named. Throws DataError. */
export function assignRoles(header: readonly string[] | null, count: number, source: string, wanted: Wanted): Roles {
  const all = Array.from({ length: count }, (_, column) => column);
  const others = wanted.columns.map((name) => findColumn(header, name, source));
  const label = findLabel(header, source, wanted);
  const rest = all.filter((column) => column !== label && !others.includes(column));
  if (header === null) return { label, others, values: rest, remarks: [] };
  const features = wanted.rows?.features ?? [];
  const indexes = rest.filter((column) => isIndex(header[column], column) && !features.includes(header[column]));
  const known = rest.filter((column) => !indexes.includes(column) && isKnownId(header[column], wanted));
  const unnamed = rest.find((column) => header[column] === "" && column !== 0);
  if (unnamed !== undefined)
    throw new DataError(source, `has no name for column ${unnamed + 1}: name it in the first line, or leave the column out`);
  const remarks: Remark[] = indexes.map((column) => ({ code: "index-left-out", column: header[column] }));
  remarks.push(...known.map((column): Remark => ({ code: "id-left-out", column: header[column] })));
  if (label !== null && !wanted.labels) remarks.push({ code: "label-left-out", column: header[label] });
  return { label, others, values: rest.filter((column) => !indexes.includes(column) && !known.includes(column)), remarks };
}

/** Whether training knew a column as an id; a feature of that name is none. */
export function isKnownId(name: string, { known, rows, target, statics }: Wanted): boolean {
  return known?.ids.includes(name) === true && ![...(rows?.features ?? []), ...(target?.features ?? []), ...statics].includes(name);
}

/** The column that is named so. Throws DataError where there is none. */
export function findColumn(header: readonly string[] | null, name: string, source: string): number {
  const column = name === UNNAMED && header?.[0] === "" && !header.includes(name) ? 0 : (header?.indexOf(name) ?? -1);
  if (column >= 0 && header?.lastIndexOf(header[column]) !== column)
    throw new DataError(source, `has two columns ${show(name)}: name each once`);
  if (column >= 0) return column;
  const isTitle = header !== null && header.filter((one) => one === "").length > header.length / 2;
  if (isTitle)
    throw new DataError(source, `has no column ${show(name)}: its first line is hardly a header; leave out what stands above the header`);
  throw new DataError(
    source,
    `has no column ${show(name)}${header ? `, only ${listEnds(header)}` : ", since its first line is no header"}`,
  );
}

/** All names, of many the first and the last, among which a label often is. */
function listEnds(header: readonly string[]): string {
  const names = header.map(show);
  return (names.length <= 10 ? names : [...names.slice(0, 5), "…", ...names.slice(-3)]).join(", ");
}

/** The column that `wanted` names, or that is called as labels are. Throws DataError where that is said of two. */
function findLabel(header: readonly string[] | null, source: string, wanted: Wanted): number | null {
  if (wanted.label !== undefined) {
    if (wanted.labels) return findColumn(header, wanted.label, source);
    const column = header?.indexOf(wanted.label) ?? -1;
    return column < 0 ? null : column;
  }
  const named = labelsAmong(header ?? [], wanted);
  if (named.length > 1)
    throw new DataError(source, `has ${named.length} label columns, ${list(header, named)}, expected one: name it with --label`);
  return named[0] ?? null;
}
