// Figures as tables and words, as every command prints them.
import type { Card, Estimate, Metrics, OperatingPoint } from "../../shared/model.ts";

/** `0.272` → `27.2 %`. */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `3000` → `3,000`. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** `1 sequence`, `3,000 sequences`. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Whole seconds below 100, else minutes: `12 s`, `3 min`. */
export function formatSeconds(seconds: number): string {
  return seconds < 100 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}

/** What the metrics of a card are measured on, as the title of formatMetrics. */
export function titleOfAssessment({ assessment }: Pick<Card, "assessment">): string {
  return assessment === "nested-cross-validation" ? "nested cross-validation" : "on the test part";
}

/** A table of models against metrics on the sequences that `title` names: one row each, the columns aligned. */
export function formatMetrics(rows: Readonly<Record<string, Metrics>>, title = "on the test part"): string {
  const figure = (x: number | null): string => (x === null ? "–" : x.toFixed(4));
  const table = [
    [title, "log loss", "accuracy", "AUC", "PR-AUC", "Brier", "ECE"],
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

/** Operating points against their metrics, with 95 % intervals: one row each. */
export function formatOperatingPoints(points: readonly OperatingPoint[]): string {
  const figure = (estimate: Estimate | undefined): string =>
    estimate === undefined ? "–" : `${estimate.value.toFixed(3)} (${estimate.low.toFixed(3)}–${estimate.high.toFixed(3)})`;
  const hasCost = points.some(({ figures }) => figures?.cost !== undefined);
  return align([
    ["operating point", "threshold", "precision", "recall", "F1", ...(hasCost ? ["cost"] : [])],
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

/** The first column to the left, all others to the right. */
function align(table: readonly (readonly string[])[]): string {
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  "))
    .join("\n");
}
