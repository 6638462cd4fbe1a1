// Many sequences at once: a table of their results, and the same as a file.
import type { ScoreAnswer } from "../scoring/scoring.ts";
import { $, tableRow } from "./elements.ts";

/** Rows of the table; the file has all. */
const MOST_ROWS = 200;

const HEAD = ["sequence", "probability", "label", "out of range"];

const cellsOf = ({ probability, label, outOfRange }: ScoreAnswer["results"][number], n: number): string[] => [
  `${n + 1}`,
  `${probability}`,
  `${label}`,
  outOfRange ? "yes" : "",
];

/** The results as CSV. */
function csvOf({ results }: ScoreAnswer): string {
  return [HEAD, ...results.map(cellsOf)].map((cells) => `${cells.join(",")}\n`).join("");
}

/** Shows the results of several sequences; of one there is no table. */
export function showBatch(answer: ScoreAnswer): void {
  const { results } = answer;
  $("batch").hidden = results.length < 2;
  if (results.length < 2) return;
  const table = $<HTMLTableElement>("batch-table");
  table.caption!.textContent =
    results.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${results.length} results` : `Results of ${results.length} sequences`;
  table.tHead!.replaceChildren(tableRow("th", HEAD));
  table.tBodies[0].replaceChildren(...results.slice(0, MOST_ROWS).map((result, n) => tableRow("td", cellsOf(result, n))));
  const link = $<HTMLAnchorElement>("batch-file");
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([csvOf(answer)], { type: "text/csv" }));
}
