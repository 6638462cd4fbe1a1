// A thousand tables that something happened to: each is read rightly, or refused with one sentence; none is misread. The generator
// knows the right values. Names exchanged, and columns permuted under no header, cannot be seen and are left out.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isQuickstepError } from "../../../shared/errors.ts";
import type { ReadOptions } from "../../../trainer/readers/options.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { type Column, FEATURES, readForModel, T, toColumns, WAYS } from "./forms.ts";

const TABLES = 1000;
const F = FEATURES.length;
const random = createRandom(20);
const pick = <A>(list: readonly A[]): A => list[random.integer(list.length)];
const folder = mkdtempSync(join(tmpdir(), "quickstep-mutations-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A table in the making. */
interface Table {
  columns: Column[];
  /** (N) the right values, of sequences as they stand; shorter where steps are left out. */
  expected: number[][];
  fate: "read" | "refused";
  isHeaderless: boolean;
  options: ReadOptions;
  /** The text that the lines become. */
  finish: ((lines: string[][]) => string) | null;
  readonly log: string[];
}

type Mutation = (table: Table) => void;

const isFeature = ({ columns }: Table, i: number): boolean => FEATURES.some((feature) => columns[i].name.toLowerCase().includes(feature));
const pickValue = (table: Table): number => pick([...table.columns.keys()].filter((i) => isFeature(table, i)));
const at = <A>(list: readonly A[], i: number, entry: A): A[] => list.map((old, k) => (k === i ? entry : old));
const column = (name: string, cells: readonly (string | number)[]): Column => ({ name, cells: cells.map(String) });

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  permuted(table) {
    const order = Int32Array.from(table.columns.keys());
    random.shuffle(order);
    const [first] = table.columns; // an index without a name stands in front, or is asked about
    table.columns = Array.from(order, (i) => table.columns[i]);
    if (first.name === "" && table.columns[0] !== first) table.fate = "refused";
  },
  renamed(table) {
    const i = pickValue(table);
    table.columns = at(table.columns, i, { ...table.columns[i], name: pick(["foo", "x_3", "open_x", "Close", "adj_close_2"]) });
    table.fate = "refused";
  },
  recased(table) {
    table.columns = table.columns.map((one) => ({ ...one, name: one.name.toUpperCase() }));
    table.fate = "refused";
  },
  dropped(table) {
    const i = pickValue(table);
    table.columns = table.columns.filter((_, k) => k !== i);
    table.fate = "refused";
  },
  "a feature dropped"(table) {
    const feature = pick(FEATURES);
    table.columns = table.columns.filter(({ name }) => !name.includes(feature));
    table.fate = "refused";
  },
  doubled(table) {
    const i = pickValue(table);
    const twin = pick([table.columns[i].name, `${table.columns[i].name}.1`, `${table.columns[i].name} copy`]);
    table.columns = [...table.columns, { ...table.columns[i], name: twin }];
    table.fate = "refused";
  },
  "a column more"(table) {
    const cells = table.expected.map((_, n) => pick(["a", "b", String(n), "0.5"]));
    const isNamed = random.uniform() < 0.5;
    table.columns = [...table.columns, column("extra", cells)];
    if (isNamed) table.options = { ...table.options, id: ["extra"] };
    else table.fate = "refused";
  },
  "without a header"(table) {
    table.isHeaderless = true;
    table.columns = table.columns.filter(({ name }) => !/^(|index|Unnamed: 0)$/.test(name)); // it would pass for a number
  },
  "rows shuffled"(table) {
    const order = Int32Array.from(table.expected.keys());
    random.shuffle(order);
    table.columns = table.columns.map((one) => ({ ...one, cells: Array.from(order, (n) => one.cells[n]) }));
    table.expected = Array.from(order, (n) => table.expected[n]);
  },
  blanked(table) {
    const i = pickValue(table);
    const cells = at(table.columns[i].cells, random.integer(table.expected.length), pick(["", " ", "NA", "nan", "null", "NaN"]));
    table.columns = at(table.columns, i, { ...table.columns[i], cells });
    table.fate = "refused";
  },
  "a word in a cell"(table) {
    const i = pickValue(table);
    const cells = at(
      table.columns[i].cells,
      random.integer(table.expected.length),
      pick(["abc", "0x10", "1e999", "1.2.3", "12:30", "2024-01-01", "--"]),
    );
    table.columns = at(table.columns, i, { ...table.columns[i], cells });
    table.fate = "refused";
  },
  "thousands separated"(table) {
    table.columns = table.columns.map((one, i) => (isFeature(table, i) ? { ...one, cells: one.cells.map(separateThousands) } : one));
    table.fate = "refused";
  },
  quoted(table) {
    table.finish ??= (lines) => lines.map((line) => line.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")).join("\n");
  },
  semicolons(table) {
    table.finish ??= (lines) => join_(lines, ";");
  },
  tabs(table) {
    table.finish ??= (lines) => join_(lines, "\t");
  },
  pipes(table) {
    table.finish ??= (lines) => join_(lines, "|");
  },
  "decimal commas"(table) {
    table.finish ??= (lines) =>
      join_(
        lines.map((line) => line.map((cell) => (Number.isNaN(Number(cell)) ? cell : cell.replace(".", ",")))),
        ";",
      );
  },
  "Windows' lines and a byte order mark"(table) {
    table.finish ??= (lines) => `\uFEFF${join_(lines, ",").replaceAll("\n", "\r\n")}\r\n`;
  },
  "separators behind"(table) {
    table.finish ??= (lines) => lines.map((line) => `${join_([line], ",")},`).join("\n");
  },
  "a comment in front"(table) {
    table.finish ??= (lines) => `# made by hand\n${join_(lines, ",")}`;
  },
  "scientific numbers"(table) {
    table.columns = table.columns.map((one, i) => (isFeature(table, i) ? { ...one, cells: one.cells.map(toScientific) } : one));
  },
  "blanks around cells"(table) {
    table.columns = table.columns.map((one) => ({ ...one, cells: one.cells.map((cell) => ` ${cell} `) }));
  },
  "a line cut short"(table) {
    table.finish ??= (lines) => join_(at(lines, 2, lines[2].slice(0, -2)), ",");
    table.fate = "refused";
  },
  "a cell more in a line"(table) {
    table.finish ??= (lines) => join_(at(lines, 3, [...lines[3], "7"]), ",");
    table.fate = "refused";
  },
  "the header once more"(table) {
    table.finish ??= (lines) => join_([...lines, lines[0]], ",");
    table.fate = "refused";
  },
  turned(table) {
    table.finish ??= (lines) =>
      join_(
        lines[0].map((_, i) => lines.map((line) => line[i])),
        ",",
      );
    table.fate = "refused";
  },
  "a name left empty"(table) {
    const i = pickValue(table);
    table.columns = at(table.columns, i, { ...table.columns[i], name: "" });
    table.fate = "refused";
  },
};

/** Mutations that a header shows. */
const HEADER_NEEDED = new Set([
  ...["permuted", "renamed", "recased", "dropped", "a feature dropped", "doubled", "a column more", "a name left empty"],
  ...["the header once more", "turned"],
]);
/** Mutations of the text, of which one can be made. */
const WRITERS = new Set([
  ...["quoted", "semicolons", "tabs", "pipes", "decimal commas", "Windows' lines and a byte order mark", "separators behind"],
  ...["a comment in front", "a line cut short", "a cell more in a line", "the header once more", "turned"],
]);

function join_(lines: readonly (readonly string[])[], separator: string): string {
  const quote = (cell: string): string => (cell.includes(separator) || cell.includes('"') ? `"${cell.replaceAll('"', '""')}"` : cell);
  return lines.map((line) => line.map(quote).join(separator)).join("\n");
}

function separateThousands(cell: string): string {
  const [whole, decimals] = Number(cell).toFixed(2).split(".");
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${decimals}`;
}

function toScientific(cell: string): string {
  return Number.isFinite(Number(cell)) && cell.trim() !== "" ? Number(cell).toExponential() : cell;
}

function makeTable(): Table {
  const N = 4 + random.integer(4);
  const truth = Array.from({ length: N }, () =>
    Array.from({ length: T * F }, (_, i) => 1400 * (1 + 0.01 * random.normal()) * (i % F === 4 ? 1e6 : 1)),
  );
  const [example, write] = pick(WAYS);
  const columns = toColumns(truth, write);
  const names = Array.from(truth.keys());
  const front = pick([[], [], [column("", names)], [column("index", names)], [column("Unnamed: 0", names)]]);
  const behind = pick([
    [],
    [],
    [
      column(
        "label",
        names.map((n) => n % 2),
      ),
    ],
    [
      column(
        "y",
        names.map((n) => (n % 2 ? "True" : "False")),
      ),
    ],
  ]);
  return {
    columns: [...front, ...columns, ...behind],
    expected: truth,
    fate: "read",
    isHeaderless: false,
    options: {},
    finish: null,
    log: [example, ...front.map(({ name }) => `index "${name}"`), ...behind.map(({ name }) => name)],
  };
}

function mutate(): Table {
  const table = makeTable();
  const names = Object.keys(MUTATIONS);
  const chosen = new Set<string>();
  for (let i = 1 + random.integer(3); i > 0; i--) {
    const name = pick(names);
    if (WRITERS.has(name) && [...chosen].some((other) => WRITERS.has(other))) continue;
    const isBare = chosen.has("without a header") || name === "without a header";
    if (isBare && [name, ...chosen].some((other) => HEADER_NEEDED.has(other))) continue;
    if (["doubled", "dropped"].every((other) => other === name || chosen.has(other))) continue; // they may undo each other
    chosen.add(name);
  }
  for (const name of chosen) {
    MUTATIONS[name](table);
    table.log.push(name);
  }
  return table;
}

function toText({ columns, isHeaderless, finish }: Table): string {
  const lines = columns[0].cells.map((_, n) => columns.map(({ cells }) => cells[n]));
  const all = isHeaderless ? lines : [columns.map(({ name }) => name), ...lines];
  return finish?.(all) ?? join_(all, ",");
}

test(`of ${TABLES} tables none is misread`, async () => {
  const counts = { read: 0, refused: 0 };
  for (let i = 0; i < TABLES; i++) {
    const table = mutate();
    const path = join(folder, `${i}.csv`);
    writeFileSync(path, toText(table));
    const told = `table ${i}: ${table.log.join(", ")}`;
    const result = await readForModel(path, table.options).catch((error) => {
      expect(isQuickstepError(error), `${told}: ${error.stack}`).toBe(true);
      expect(error.message.split("\n"), told).toHaveLength(1);
      return error as Error;
    });
    if (result instanceof Error) {
      expect(table.fate, `${told}: ${result.message}`).not.toBe("read");
      counts.refused++;
    } else {
      expect(table.fate, told).not.toBe("refused");
      expect(result.values, told).toEqual(table.expected);
      counts.read++;
    }
  }
  expect(counts.read).toBeGreaterThan(TABLES / 5);
  expect(counts.refused).toBeGreaterThan(TABLES / 5);
}, 300_000);
