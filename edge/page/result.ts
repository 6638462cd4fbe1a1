// One score: the answer as a number, a label, and bars of what it rests on.
import type { ScoreAnswer } from "../scoring/scoring.ts";
import { $, element } from "./elements.ts";
import { session } from "./service.ts";

/** Probabilities of one answer that are listed beside the first. */
const MOST_SHOWN = 100;

/** Says what is wrong, and takes the last result away: it belongs to another sequence. */
export function fail(message: string): void {
  $("problem").textContent = message;
  $("probability").textContent = "–";
  $("bar").style.width = "0";
  $("label").textContent = "no score yet";
  $("decision").textContent = "";
  for (const id of ["threshold", "range", "explanation", "others", "batch"]) $(id).hidden = true;
  $("sequence").focus();
}

/** The first result of an answer, and the probabilities of all. */
export function showResult({ results, operatingPoint }: ScoreAnswer): void {
  const [result] = results;
  const threshold = session.card?.operatingPoints.find(({ name }) => name === operatingPoint)?.threshold;
  $("probability").textContent = result.probability.toFixed(4);
  $("bar").style.width = `${100 * result.probability}%`;
  $("threshold").hidden = threshold === undefined;
  $("threshold").style.left = `calc(${100 * (threshold ?? 0)}% - 1px)`;
  $("label").textContent = `Label ${result.label}${wordOf(result.label)}`;
  $("decision").textContent = `at ${operatingPoint}${threshold === undefined ? "" : `: 1 from ${threshold.toFixed(4)} on`}`;
  $("others").hidden = results.length === 1;
  $("others").textContent =
    `The first of ${results.length} sequences. All: ` +
    `${results
      .slice(0, MOST_SHOWN)
      .map(({ probability }) => probability.toFixed(4))
      .join(", ")}${results.length > MOST_SHOWN ? ", …" : ""}`;
  $("range").hidden = result.outOfRange !== true;
  const { explanation } = result;
  if (explanation === undefined) return;
  $("explanation").hidden = false;
  const last = explanation.steps.length;
  fillStrip(
    "steps",
    explanation.steps.map((change, t) => [t + 1 === last ? "last step" : `step −${last - 1 - t}`, change]),
  );
  fillStrip(
    "features",
    explanation.features.map((change, f) => [session.card?.features[f] ?? `feature ${f + 1} of a row`, change]),
  );
}

/** What the label stands for, where the data had other words for it. */
function wordOf(label: 0 | 1): string {
  if (session.card?.labels === undefined) return "";
  const { name, one, zero } = session.card.labels;
  const word = label === 1 ? one : (zero ?? `not ${one}`);
  return word === label ? "" : ` (${name}: ${word})`;
}

/** A row a step or feature: its name, its change as a number, and a bar of that length beside the number. */
function fillStrip(id: string, changes: readonly (readonly [string, number | null])[]): void {
  const max = Math.max(...changes.map(([, change]) => Math.abs(change ?? 0)), 1e-12);
  $(id).replaceChildren(
    ...changes.map(([name, change]) => {
      const row = document.createElement("tr");
      const cell = document.createElement("td");
      cell.append(element("span", change === null ? "padding" : `${change < 0 ? "−" : "+"}${Math.abs(change).toFixed(3)}`));
      if (change !== null) {
        const width = (100 * Math.abs(change)) / max;
        const colour = change < 0 ? "var(--down-rgb)" : "var(--up-rgb)";
        const bar = document.createElement("i");
        bar.style.width = `${width}%`;
        bar.style.background = `rgba(${colour}, .6)`;
        cell.prepend(bar);
      }
      row.append(element("th", name), cell);
      row.firstElementChild!.setAttribute("scope", "row");
      return row;
    }),
  );
}
