// What people paste, as the API takes it: JSON, or rows of cells; and the fields of what is given once a sequence.
import { isIndex } from "../../shared/index-names.ts";
import { placeOfUnexpected } from "../http/json-place.ts";
import { $, element } from "./elements.ts";
import { type Input, session } from "./service.ts";

type Cell = string | number | null;

/** What stands in the fields of what is given once a sequence; undefined where the model takes nothing of the kind. */
function readStatics(): Record<string, Cell> | undefined {
  const statics = staticInputs();
  if (statics.length === 0) return undefined;
  return Object.fromEntries(
    statics.map(({ name, levels }, i) => [name, readCell($<HTMLInputElement>(`static-${i}`).value.trim(), levels)]),
  );
}

function staticInputs(): readonly Input[] {
  return session.card?.recipe.inputs?.filter((input) => input.static) ?? [];
}

/** What the API takes: a whole body as it is; else JSON of a sequence, or rows. What is given once a sequence comes from its fields. */
export function parseBody(source: string): object {
  const trimmed = source.trim();
  sayLeftOut([]);
  if (trimmed === "") throw new Error("There is nothing to score: write rows, or load the sample.");
  if (trimmed.startsWith("{")) return parseJson(source) as object;
  const given = trimmed.startsWith("[") ? parseList(parseJson(source) as readonly unknown[]) : parseBlocks(splitSequences(trimmed));
  const statics = readStatics();
  if (statics === undefined) return given;
  return { ...given, static: "sequences" in given ? given.sequences.map(() => statics) : statics };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.trim());
  } catch (error) {
    throw new Error(`This is not JSON: ${(error as Error).message}${placeOfUnexpected(text)}`);
  }
}

interface Many {
  readonly sequences: readonly unknown[];
  readonly times?: readonly (readonly string[])[];
}

/** One sequence is a list of rows, several a list of those. A row is a list, or an object that names its values. */
function parseList(list: readonly unknown[]): { readonly sequence: readonly unknown[] } | Many {
  const [first] = list;
  return Array.isArray(first) && typeof (first[0] ?? 0) === "object" ? { sequences: list } : { sequence: list };
}

/** What the column is called that says which sequence a row is of, where it is no feature. */
const GROUP = /^(?:sequence|sequence_id|id)$/i;

/**
 * The texts of sequences, each under the names where there are some: an empty line stands between two, or the rows name theirs in a
 * column `sequence` or `id`.
 */
function splitSequences(trimmed: string): readonly string[] {
  const blocks = trimmed.split(/\n\s*\n/);
  const [header, ...lines] = blocks[0].split("\n");
  const cells = header.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
  const column = cells.findIndex((cell) => GROUP.test(cell) && !rowNames().includes(cell));
  const isHeader = cells.every((cell) => Number.isNaN(Number(cell)));
  if (column < 0 || blocks.length > 1 || !isHeader)
    return isHeader ? blocks.map((block, i) => (i === 0 ? block : `${header}\n${block}`)) : blocks;
  const without = (line: string): string => line.split(",").toSpliced(column, 1).join(",");
  const groups = Map.groupBy(
    lines.filter((line) => line.trim() !== ""),
    (line) => line.split(",")[column].trim(),
  );
  return [...groups.values()].map((rows) => [header, ...rows].map(without).join("\n"));
}

function parseBlocks(blocks: readonly string[]): ReturnType<typeof parseRows> | Many {
  const parsed = blocks.map(parseRows);
  if (parsed.length === 1) return parsed[0];
  const times = parsed.flatMap((block) => (block.times === undefined ? [] : [block.times]));
  return { sequences: parsed.map(({ sequence }) => sequence), ...(times.length > 0 && { times }) };
}

/** What people write for a number that is missing. */
const MISSING = /^(?:#?n\/?a|<na>|nan|null|none|)$/i;

/** A number, null for one that is missing where that may be, and any other text as it is: a category's level, or for the API to refuse. */
function readCell(cell: string, levels?: readonly string[]): Cell {
  if (MISSING.test(cell) && (levels !== undefined || session.card?.recipe.gaps !== undefined)) return null;
  return cell === "" || levels !== undefined || Number.isNaN(Number(cell)) ? cell : Number(cell);
}

/**
 * Rows of values separated by commas or semicolons, else by white space; under a first row of names, in the order in which the model takes
 * them. Times that are no numbers stand beside.
 */
function parseRows(trimmed: string): { readonly sequence: readonly (readonly Cell[])[]; readonly times?: readonly string[] } {
  const separator = /[,;]/.test(trimmed) ? /\s*[,;]\s*/ : /\s+/;
  const rows = trimmed
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => line.trim().split(separator))
    .map((row) => row.map((cell) => cell.replace(/^"(.*)"$/, "$1")));
  const own = session.card?.recipe.inputs?.filter((input) => !input.static);
  const takesNumbers = own === undefined || own.some(({ levels }) => levels === undefined);
  if (rows.length === 1 && (rowNames().every((name) => rows[0].includes(name)) || (takesNumbers && rows[0].every(isWord))))
    throw new Error("These are names alone: write rows under them.");
  const ordered = isNamed(rows) ? orderByName(rows[0], rows.slice(1)) : rows;
  const times = ordered.map((row) => row[row.length - 1]);
  const isTimed = session.card?.recipe.clock !== undefined && times.some((cell) => Number.isNaN(Number(cell)));
  const sequence = ordered.map((row) => (isTimed ? row.slice(0, -1) : row).map((cell, i) => readCell(cell, own?.[i]?.levels)));
  return { sequence, ...(isTimed && { times }) };
}

/** Whether a cell is no number, missing number, date or level: alone in its row with such cells, it is a name. */
const isWord = (cell: string): boolean =>
  Number.isNaN(Number(cell)) &&
  !MISSING.test(cell) &&
  Number.isNaN(Date.parse(cell)) &&
  !session.card?.recipe.inputs?.some(({ levels }) => levels?.includes(cell));

/** Whether the first row is names: no cell of it is a number, and it is no row of categories alone. */
function isNamed(rows: readonly (readonly string[])[]): boolean {
  const isText = rows[0].every((cell, i) => Number.isNaN(Number(cell)) || (i === 0 && cell === ""));
  const levels = session.card?.recipe.inputs?.flatMap((input) => input.levels ?? []) ?? [];
  return rows.length > 1 && isText && !rows[0].every((cell) => levels.includes(cell));
}

/**
 * The cells under the model's names, in its order, without other columns, which the page names; by position where its features have no
 * names. Throws where a name is missing or comes twice.
 */
function orderByName(header: readonly string[], rows: readonly (readonly string[])[]): string[][] {
  const names = rows.every((row) => row.length === header.length + 1) ? ["", ...header] : header; // as R writes row names
  const short = rows.findIndex((row) => row.length !== names.length);
  if (short >= 0) throw new Error(`Row ${short + 1} has ${rows[short].length} cells under ${names.length} names.`);
  takeStatics(names, rows[rows.length - 1]);
  const features = rowNames();
  const isStatic = (name: string): boolean => staticInputs().some((input) => input.name === name);
  const others = [...names.keys()].filter((i) => !features.includes(names[i]));
  const times = others.filter((i) => isTimes(rows.map((row) => row[i])));
  for (const i of times)
    refuseBackwards(
      names[i],
      rows.map((row) => row[i]),
    );
  if (features.every((name, f) => name === `f${f}`)) {
    const plain = [...names.keys()].filter((i) => !isIndex(names[i], i) && !isStatic(names[i]));
    const kept = plain.length > features.length ? plain.filter((i) => !times.includes(i)) : plain;
    sayLeftOut(plain.filter((i) => !kept.includes(i)).map((i) => names[i]));
    return rows.map((row) => kept.map((i) => row[i]));
  }
  const missing = features.filter((name) => names.indexOf(name) < 0);
  if (missing.length > 0)
    throw new Error(
      `The first row has no column ${missing.join(", ")}, only ${names.filter((name) => name !== "").join(", ")}. The model takes ${features.join(", ")}: name the columns so.`,
    );
  const twice = features.find((name) => names.indexOf(name) !== names.lastIndexOf(name));
  if (twice !== undefined) throw new Error(`The first row names ${twice} twice.`);
  sayLeftOut(others.filter((i) => !isIndex(names[i], i) && !isStatic(names[i])).map((i) => names[i]));
  return rows.map((row) => features.map((name) => row[names.indexOf(name)]));
}

/** Whether cells are dates or times in words, such as 2026-11-25 or 2026-11-25 09:30. */
const isTimes = (cells: readonly string[]): boolean =>
  cells.every((cell) => /^\d{4}-\d\d-\d\d/.test(cell) && !Number.isNaN(Date.parse(cell)));

/** Throws where `times` go back: the last row is what a sequence ends with. */
function refuseBackwards(name: string, times: readonly string[]): void {
  const back = times.findIndex((time, t) => t > 0 && Date.parse(time) < Date.parse(times[t - 1]));
  if (back < 0) return;
  throw new Error(
    `Rows go from the oldest to the newest; by ${name || "the first column"}, row ${back + 1} (${times[back]}) is before row ${back}.`,
  );
}

/** Names the columns that were not taken: whoever meant one of them sees that it does not count. */
function sayLeftOut(names: readonly string[]): void {
  $("left-out").textContent = names.length === 0 ? "" : `Left out, since the model does not take it: ${names.join(", ")}.`;
}

/** What a row has: its inputs, else the features; and its time. */
export function rowNames(): readonly string[] {
  const { recipe, features = [] } = session.card ?? {};
  if (recipe?.inputs === undefined) return features;
  return [...recipe.inputs.filter((input) => !input.static).map(({ name }) => name), ...(recipe.clock === undefined ? [] : [recipe.clock])];
}

/** Columns of what is given once a sequence go from the last row into their fields. */
export function takeStatics(names: readonly string[], row: readonly string[]): void {
  for (const [i, { name }] of staticInputs().entries())
    if (names.includes(name)) $<HTMLInputElement>(`static-${i}`).value = row[names.indexOf(name)];
}

/** A field for each input that is given once a sequence: its levels to choose from, or a number. */
export function showStatics(): void {
  const statics = staticInputs();
  $("statics").hidden = statics.length === 0;
  $("static-fields").replaceChildren(
    ...statics.flatMap(({ name, levels }, i) => {
      const label = element("label", `${name} `);
      const field = element("input", "") as HTMLInputElement;
      field.id = `static-${i}`;
      field.autocomplete = "off";
      label.append(field);
      if (levels === undefined) {
        field.inputMode = "decimal";
        return [label];
      }
      const list = element("datalist", "");
      list.id = `levels-${i}`;
      list.append(...levels.filter((level) => level !== "").map((level) => new Option(level, level)));
      field.setAttribute("list", list.id);
      return [label, list];
    }),
  );
}
