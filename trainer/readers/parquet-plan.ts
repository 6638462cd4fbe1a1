// Which columns of a Parquet file are read and what they mean: wide columns, one nested list column, or one row of a series a record.
// Legend: T steps, F features.
import type { SchemaTree } from "hyparquet";
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from "hyparquet/src/schema.js";
import { DataError } from "../../shared/errors.ts";
import { isIndex } from "../../shared/index-names.ts";
import { BATCH_NUMBERS, BATCH_RECORDS, type Batch, type Wanted } from "./batch.ts";
import { readingsOf } from "./encode-inputs.ts";
import { findLayout } from "./layout.ts";
import { type RecordRange, readColumn, readLabels, readNumbers } from "./parquet-cells.ts";
import type { Cursor, Leaf } from "./parquet-cursor.ts";
import { decimalScale } from "./parquet-decimals.ts";
import { readNested } from "./parquet-nested.ts";
import { show } from "./quoting.ts";
import type { Remark } from "./reading.ts";
import { isKnownId, isLabel, labelsAmong, leaveOut } from "./roles.ts";

/** Parquet's types as NumPy calls them. */
const DTYPES: Readonly<Record<string, string>> = { FLOAT: "float32", DOUBLE: "float64", BOOLEAN: "bool", BYTE_ARRAY: "text" };
/** Numbers of a sequence of a list column, whose T and F are not known before it is read. */
const USUAL_NUMBERS = 50;

export interface ParquetPlan {
  readonly leaves: readonly Leaf[];
  /** Records of a batch. */
  readonly batchRecords: number;
  /** The records of a range; one cursor a leaf. */
  read(cursors: readonly Cursor[], range: RecordRange): Batch;
}

/** The leaves come as wanted.columns, then the label if there is one, then the values. Throws DataError. */
export function planColumns(schema: SchemaTree, source: string, wanted: Wanted): ParquetPlan {
  const isList = ({ children, element }: SchemaTree): boolean => children.length > 0 || element.repetition_type === "REPEATED";
  const names = schema.children.filter((column) => !isList(column)).map(({ element }) => element.name);
  const lists = schema.children.filter(isList);
  const list = lists.find(({ element }) => element.name === "sequence") ?? (lists.length === 1 ? lists[0] : undefined);
  if (list === undefined && lists.length > 1 && !wanted.rows) throw refuseLists(lists, source);
  return list && !wanted.rows ? planList(schema, list, names, source, wanted) : planTable(schema, names, source, wanted);
}

/** A list column a feature, as a group-by of Polars or DuckDB gives it. */
function refuseLists(lists: readonly SchemaTree[], source: string): DataError {
  const names = lists.map(({ element }) => element.name);
  return new DataError(
    source,
    `holds lists in ${names.map(show).join(", ")}, expected one, of rows: write one row a line, as explode([${names.map((name) => JSON.stringify(name)).join(", ")}]) of pandas and Polars does, and say --key`,
  );
}

/** One list column of sequences; labels and other columns stand beside it. */
function planList(schema: SchemaTree, list: SchemaTree, names: readonly string[], source: string, wanted: Wanted): ParquetPlan {
  for (const name of [...wanted.columns, ...(wanted.labels && wanted.label !== undefined ? [wanted.label] : [])])
    if (!names.includes(name)) throw new DataError(source, `has no column ${show(name)} of single values`);
  if (wanted.pattern)
    throw new DataError(
      source,
      `holds sequences in ${show(list.element.name)} and no wide table, whose names --columns would say: leave --columns out`,
    );
  const [usual, second] = labelsAmong(names, wanted).map((column) => names[column]);
  if (second !== undefined && wanted.label === undefined)
    throw new DataError(source, `has 2 label columns, ${show(usual)}, ${show(second)}, expected one: name it with --label`);
  const label = wanted.labels ? (wanted.label ?? usual ?? null) : null;
  const leaf = leafOf(schema, leafPath(list, source));
  const beside = planBeside(schema, label, wanted);
  const what = `column ${show(list.element.name)}`;
  const remarks = names.flatMap((column, i): Remark[] => {
    if (column === label || wanted.columns.includes(column)) return [];
    if (isKnownId(column, wanted)) return [{ code: "id-left-out", column }];
    if (isIndex(column, i)) return [{ code: "index-left-out", column }];
    const isLabelled = column === usual || isLabel(column) || column === wanted.label;
    return [isLabelled ? { code: "label-left-out", column } : leaveOut(column, wanted.known)];
  });
  return {
    leaves: [...beside.leaves, leaf],
    batchRecords: Math.ceil(BATCH_NUMBERS / USUAL_NUMBERS),
    read(cursors, range) {
      const facts = beside.read(cursors, range);
      const nested = readNested(cursors[cursors.length - 1], leaf.repetition, what, range, wanted);
      return { ...facts, ...nested, features: null, dtype: dtypeOf([leaf]), remarks };
    },
  };
}

/** A column a number, as findLayout orders them. */
function planTable(schema: SchemaTree, names: readonly string[], source: string, wanted: Wanted): ParquetPlan {
  const layout = findLayout(names, names.length, source, wanted);
  const { shape, features, order, remarks } = layout;
  const label = wanted.labels && layout.label !== null ? names[layout.label] : null;
  const leaves = order.map((i) => leafOf(schema, [names[i]]));
  const readings = readingsOf(features, shape.features, wanted);
  const beside = planBeside(schema, label, wanted);
  return {
    leaves: [...beside.leaves, ...leaves],
    batchRecords: Math.max(1, Math.min(BATCH_RECORDS, Math.floor(BATCH_NUMBERS / order.length))),
    read(cursors, range) {
      const facts = beside.read(cursors, range);
      const values = new Float64Array(range.count * order.length);
      for (const [i, cursor] of cursors.slice(-order.length).entries())
        readNumbers(cursor, names[order[i]], range, wanted, {
          values,
          offset: i,
          step: order.length,
          input: readings?.[i % shape.features],
        });
      return { ...facts, values, shape, features, dtype: dtypeOf(leaves), remarks };
    },
  };
}

/** What stands beside the values: wanted.columns, and the label where it is not null. */
function planBeside(schema: SchemaTree, label: string | null, wanted: Wanted) {
  const names = [...wanted.columns, ...(label === null ? [] : [label])];
  return {
    leaves: names.map((name) => leafOf(schema, [name])),
    read(cursors: readonly Cursor[], range: RecordRange): Pick<Batch, "labels" | "labelName" | "columns" | "probability" | "test"> {
      const columns = wanted.columns.map((name, i) => [
        name,
        wanted.statics.includes(name) ? readStatic(cursors[i], name, range, wanted) : readColumn(cursors[i], name, range),
      ]);
      const labels = label === null ? null : readLabels(cursors[wanted.columns.length], label, range, wanted);
      return { labels, labelName: label, columns: Object.fromEntries(columns), probability: null, test: null };
    },
  };
}

/** (count) numbers of a static input, or codes. */
function readStatic(cursor: Cursor, name: string, range: RecordRange, wanted: Wanted): Float64Array {
  const values = new Float64Array(range.count);
  readNumbers(cursor, name, range, wanted, { values, offset: 0, step: 1, input: wanted.inputs?.of(name) });
  return values;
}

function leafOf(schema: SchemaTree, path: string[]): Leaf {
  const nodes = getTreePath(schema, path);
  return { path: nodes, definition: getMaxDefinitionLevel(nodes), repetition: getMaxRepetitionLevel(nodes) };
}

/** The path of the one leaf below a list column. */
function leafPath(list: SchemaTree, source: string): string[] {
  let node = list;
  while (node.children.length === 1) node = node.children[0];
  if (node.children.length > 1)
    throw new DataError(source, `column ${show(list.element.name)} holds structures, expected a list of rows, each a list of numbers`);
  return node.path;
}

/** As NumPy calls the types of these leaves, each once. */
function dtypeOf(leaves: readonly Leaf[]): string {
  const names = leaves.map(({ path }) => {
    const { element } = path[path.length - 1];
    if (decimalScale(element) !== undefined) return "decimal";
    if (element.logical_type?.type === "FLOAT16") return "float16";
    return DTYPES[element.type ?? ""] ?? (/utf8/i.test(String(element.type)) ? "text" : String(element.type).toLowerCase());
  });
  return [...new Set(names)].join(" and ");
}
