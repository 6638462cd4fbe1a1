// What was found in a data set, as lines for a terminal: a table of features and a sentence a warning. Knows no files.
import { count, percent, range, short } from "../html/format.ts";
import { type InspectedFeature, type Inspection, type InspectionWarning, MAX_DISTINCT } from "./inspection.ts";

const BARS = "▁▂▃▄▅▆▇█";
/** Bars of a histogram in the table. */
const WIDTH = 15;

/** The table, what there is to say of lengths and copies, and the warnings. */
export function listInspection({ features, distributions, copies, warnings }: Inspection): string[] {
  const rows = features.map((feature, f) => {
    const [zeros, ones] = distributions.features[f].histogram.counts;
    const isEmpty = feature.type === "nothing";
    return [...featureCells(feature), isEmpty ? "" : drawBars(zeros.map((n, b) => n + ones[b]))];
  });
  const { shortest, longest, paddingShare } = distributions;
  const lines = [
    "",
    ...align([["feature", "type", "range", "gaps", "distinct", "histogram"], ...rows]),
    "",
    shortest === longest
      ? `lengths: all sequences have ${count(longest)} rows`
      : `lengths: ${count(shortest)} to ${count(longest)} rows, ${percent(paddingShare)} of all rows are padding in front`,
    `copies: ${copies === 0 ? "no sequence is there twice" : `${count(copies)} ${copies === 1 ? "sequence is" : "sequences are"} equal to one before`}`,
    ...(warnings.length === 0 ? [] : ["", ...warnings.map((warning) => `- ${describeWarning(warning)}`)]),
  ];
  return lines.map((line) => line.replaceAll("\u00a0", " ")); // the page's spaces that do not break
}

/** Name, type, range, gaps, different values. */
export function featureCells({ name, type, min, max, gaps, isConstant, distinct }: InspectedFeature): string[] {
  const span = min === null || max === null ? "–" : isConstant ? `always ${range(min, max)}` : range(min, max);
  return [name, type, span, gaps === 0 ? "–" : count(gaps), distinct >= MAX_DISTINCT ? `${count(MAX_DISTINCT)}+` : count(distinct)];
}

/** Counts as bars of equal width, the highest in full. */
function drawBars(counts: readonly number[]): string {
  const bins = Math.min(WIDTH, counts.length);
  const sums = Array.from({ length: bins }, (_, b) =>
    counts.slice(Math.floor((b * counts.length) / bins), Math.floor(((b + 1) * counts.length) / bins)).reduce((sum, n) => sum + n, 0),
  );
  const highest = Math.max(...sums, 1);
  return sums.map((n) => (n === 0 ? " " : BARS[Math.min(7, Math.floor((8 * n) / (highest + 1)))])).join("");
}

/** One sentence, with the option that settles it where there is one. */
export function describeWarning(warning: InspectionWarning): string {
  switch (warning.code) {
    case "no-labels":
      return "the data hold no labels, which train needs: name their column with --label, or their file with --labels";
    case "one-class":
      return `all labels are ${warning.label}: train needs both; --positive says which label is 1`;
    case "too-few":
      return `${count(warning.sequences)} sequences are too few: train needs at least ${warning.min}`;
    case "gaps":
      return `${describeGaps(warning.features)}: train fills each from the row before it, else by the median; --missing refuse refuses them`;
    case "empty":
      return `${warning.feature} has no number at all: leave the column out`;
    case "constant":
      return `${warning.feature} never changes: train leaves it out`;
    case "far":
      return describeFar(warning);
    case "copies":
      return `sequences that are copies of one before: ${count(warning.copies)}${warning.contradictory === 0 ? "" : `, ${count(warning.contradictory)} of them with another label`}; copies stay in one part`;
    case "overlap":
      return "sequences share rows, as windows of one series do: train splits them by time; --split decides it";
    case "zero-rows":
      return `rows inside sequences that are all zero: ${count(warning.rows)}; --padding says whether they are padding`;
    case "float32":
      return "the numbers were saved as float32 or less, in which small changes of large numbers are lost: save float64 where you have it";
  }
}

function describeFar(warning: Extract<InspectionWarning, { code: "far" }>): string {
  const [farthest, min, max] = [warning.farthest, warning.min, warning.max].map(short);
  const isOne = warning.count === 1;
  const what = isOne ? `one number, ${farthest}, that stands` : `${count(warning.count)} numbers, the farthest ${farthest}, that stand`;
  return `${warning.feature} has ${what} far outside the others, ${min} to ${max}: where ${isOne ? "it is a mistake, leave the cell" : "they are mistakes, leave the cells"} empty`;
}

function describeGaps(features: Extract<InspectionWarning, { code: "gaps" }>["features"]): string {
  const [{ feature, gaps }] = features;
  if (features.length === 1) return `${feature} has ${count(gaps)} ${gaps === 1 ? "gap" : "gaps"}`;
  return `${count(features.length)} features have gaps, ${features.map((one) => `${one.feature} ${count(one.gaps)}`).join(", ")}`;
}

function align(table: readonly (readonly string[])[]): string[] {
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table.map((row) =>
    row
      .map((cell, column) => (isText(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join("  ")
      .trimEnd(),
  );
}

/** Columns of text stand to the left, of numbers to the right. */
function isText(column: number): boolean {
  return column <= 1 || column === 5;
}
