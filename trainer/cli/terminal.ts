// Where a command's words go, and how figures look in them.
import type { Estimate, Metrics, OperatingPoint } from "../../shared/model.ts";

export interface Terminal {
  /** Progress and prose: stderr. */
  say(text: string): void;
  /** A line that the next one overwrites; nothing where nobody watches. */
  progress(text: string): void;
  /** The result: stdout. */
  print(text: string): void;
}

export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** A table of models against figures, one row each, the columns aligned. */
export function formatMetrics(rows: Readonly<Record<string, Metrics>>): string {
  const figure = (x: number | null): string => (x === null ? "–" : x.toFixed(4));
  const table = [
    ["on the test part", "log loss", "accuracy", "AUC", "PR-AUC", "Brier", "ECE"],
    ...Object.entries(rows).map(([name, m]) => [
      name,
      figure(m.logLoss),
      figure(m.accuracy),
      figure(m.auc),
      figure(m.prAuc),
      figure(m.brier),
      figure(m.ece),
    ]),
  ];
  return align(table);
}

/** Operating points against what each is worth, with 95 % intervals: one row each. */
export function formatOperatingPoints(points: readonly OperatingPoint[]): string {
  const figure = (estimate: Estimate | undefined): string =>
    estimate === undefined ? "–" : `${estimate.value.toFixed(3)} (${estimate.low.toFixed(3)}–${estimate.high.toFixed(3)})`;
  const hasCost = points.some(({ figures }) => figures?.cost !== undefined);
  return align([
    ["label 1", "from", "precision", "recall", "F1", ...(hasCost ? ["cost"] : [])],
    ...points.map(({ name, threshold, figures = {} }) => [
      name,
      threshold.toFixed(4),
      figure(figures.precision),
      figure(figures.recall),
      figure(figures.f1),
      ...(hasCost ? [figure(figures.cost)] : []),
    ]),
  ]);
}

function align(table: readonly (readonly string[])[]): string {
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  "))
    .join("\n");
}
