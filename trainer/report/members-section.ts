// What the report says of a model of several learners: who was fitted, what each is worth alone, and how much each says.
import { formatNumber } from "../html/format.ts";
import { html, type Markup } from "../html/html.ts";
import { wideTable } from "../html/wide-table.ts";
import type { ReportContent } from "./content.ts";

/** What people read of a learner, by its name in the card. */
const SEES: Readonly<Record<string, string>> = {
  linear: "logistic regression on columns: steps, changes and statistics of every feature",
  trees: "boosted trees on the same columns",
  "greedy trees": "boosted trees on the same columns, each split at the best of all thresholds",
  "quantile trees": "boosted trees on quantiles of intervals",
  lstm: "recurrent networks on the channels of the feature search",
  layers: "networks of the layers that were asked for, on the channels of the feature search",
};

/** The learners, a row each; nothing where one network speaks alone. */
export function membersSection({ card: { stack } }: ReportContent): Markup | null {
  if (stack === undefined) return null;
  const { learners, logLoss, folds, gate, kept } = stack;
  const unseen = folds === 1 ? "on one held-out part" : `on ${folds} folds, each by members that had not seen the fold`;
  return html`
    <section aria-labelledby="members">
      <h2 id="members">Who speaks in the model</h2>
      <p class="lead">The model is a weighted sum of its learners’ logits. The weights need not sum to 1: a sum above 1 takes probabilities farther from 0.5 than the learners have them. Log losses are of sequences that were not learnt from: ${unseen}.</p>
      ${wideTable(html`<table>
        <thead><tr><th scope="col">Learner</th><th scope="col">Log loss alone</th><th scope="col">Weight</th><th scope="col">What it is</th></tr></thead>
        <tbody>${learners.map(
          ({ name, logLoss: own, weight }) =>
            html`<tr><th scope="row">${name}</th><td>${formatNumber(own)}</td><td>${weight > 0 ? formatNumber(weight, 2) : "left out"}</td><td>${SEES[name] ?? ""}</td></tr>`,
        )}<tr><th scope="row">stack</th><td>${formatNumber(logLoss)}</td><td></td><td>all that have a weight</td></tr></tbody>
      </table>`)}
      ${
        gate
          ? html`<p class="note">The ${gate.learner === "layers" ? "network of layers" : "lstm"} ${gate.joins ? "joined" : "was left out"}: beside the others it gains ${formatNumber(gate.gain)} nats (standard error ${formatNumber(gate.standardError)}) out of folds. ${gate.asked === 0 ? "Any gain" : `A gain above ${gate.asked === 1 ? "one standard error" : "two standard errors"}`} is asked for, and any gain on the fold that the feature search did not see.</p>`
          : null
      }
      ${
        kept
          ? html`<p class="note">The gain over the base rate may be chance: ${formatNumber(kept.gain)} nats (standard error ${formatNumber(kept.standardError)}) out of folds. The model keeps ${formatNumber(100 * kept.share, 0)} % of its distance from the base rate.</p>`
          : null
      }
    </section>`;
}
