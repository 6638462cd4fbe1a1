// A JSON document that is one object → records: what pandas' to_json writes as a whole table. Knows no sequence and no bytes.
// Definition: pandas.pydata.org/docs/reference/api/pandas.DataFrame.to_json.html (orient)
import { DataError } from "../../shared/errors.ts";
import { show } from "./quoting.ts";

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** What writes any table so that it is read. */
export const RECORDS_ADVICE = 'write it with df.to_json("data.json", orient="records")';

/**
 * The records of a table that pandas wrote with orient="split", "tight" or "table", in their order, each with its place in the table's
 * index; or those that stand in the only field of an object. Null where the object is no table, but a record. Throws DataError: a table
 * whose rows cannot be told from its columns, or that is damaged.
 */
export function readFrame(document: Fields, source: string): readonly Fields[] | null {
  const { columns, data, index, schema } = document;
  if (Array.isArray(columns) && Array.isArray(data)) return readSplit(columns, data, index, source);
  if (isFields(schema) && Array.isArray(data)) return data as readonly Fields[]; // orient="table": records beside their schema
  const [[field, content] = [], second] = Object.entries(document);
  if (second === undefined && field !== "sequence" && Array.isArray(content) && typeof content[0] === "object") return content;
  if (!isNested(document)) return null;
  const names = Object.keys(document).slice(0, 3).map(show).join(", ");
  throw new DataError(
    source,
    `holds objects in ${names}, as pandas' to_json with orient="columns" or "index" writes them, which does not say what is a row, nor the rows' order: ${RECORDS_ADVICE}`,
  );
}

function readSplit(columns: readonly unknown[], data: readonly unknown[], index: unknown, source: string): readonly Fields[] {
  const names = columns.map(nameOf);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new DataError(source, `has two columns ${show(twice)}: name each once`);
  const bad = data.findIndex((row) => !Array.isArray(row) || row.length !== names.length);
  if (bad >= 0)
    throw new DataError(source, `data[${bad}] is no row of ${names.length} cells, one for each of "columns": ${RECORDS_ADVICE}`);
  const places = Array.isArray(index) && index.length === data.length && !names.includes("index") ? index : null;
  return data.map((row, n) =>
    Object.fromEntries([
      ...(places ? [["index", nameOfPlace(places[n])] as const] : []),
      ...names.map((name, i) => [name, (row as unknown[])[i]] as const),
    ]),
  );
}

/** A column's name; levels of a MultiIndex as pandas prints them, `('open', 0)`. */
function nameOf(name: unknown): string {
  if (!Array.isArray(name)) return String(name);
  return `(${name.map((level) => (typeof level === "string" ? `'${level}'` : String(level))).join(", ")})`;
}

function nameOfPlace(place: unknown): unknown {
  return Array.isArray(place) ? place.join(" ") : place;
}

/** Whether every field is an object, all with the same names. */
function isNested(document: Fields): boolean {
  const inner = Object.values(document);
  if (inner.length === 0 || !inner.every(isFields)) return false;
  const names = Object.keys(inner[0] as Fields).join("\0");
  return names !== "" && inner.every((fields) => Object.keys(fields as Fields).join("\0") === names);
}

/** Whether a JSON value is an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
