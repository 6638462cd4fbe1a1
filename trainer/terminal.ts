// Where a command's words go, and how figures look in them.
import type { Metrics } from "../shared/model.ts";

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
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  "))
    .join("\n");
}
