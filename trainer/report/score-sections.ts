// What the page says of the test part, in words and tables: verdict, figures, probabilities, decisions.
import type { Estimate, Metrics } from "../../shared/model.ts";
import { count, figure, percent } from "../html/format.ts";
import { classLegend, frame, lineLegend } from "../html/frame.ts";
import { html, type Markup } from "../html/html.ts";
import type { ReportContent } from "./content.ts";
import { drawLosses, drawPrecisionRecall, drawReliability, drawRoc, drawScores, letterOf } from "./score-figures.ts";

/** What the codes mean; another code is shown as it is. */
const VERDICTS: Readonly<Record<string, { readonly title: string; readonly class: string }>> = {
  learned: { title: "✓ Learned", class: "learned" },
  "base-rate-only": { title: "✕ No better than the base rate", class: "failed" },
  "no-better-model-found": { title: "✕ A simpler model is better", class: "failed" },
  "bad-data": { title: "✕ The data cannot be learnt from", class: "failed" },
};

export function verdictSection({ verdict, figures, card, truth }: ReportContent): Markup {
  const { title, class: kind } = VERDICTS[verdict.code] ?? { title: verdict.code, class: "failed" };
  const [{ metrics, intervals }] = figures;
  const keys: [name: string, value: string, note: string][] = [
    [
      "Log loss",
      figure(metrics.logLoss),
      `${plusMinus(intervals.logLoss)} · base rate ${figure(card.baselines["base rate"]?.logLoss ?? metrics.baseRateLogLoss)}`,
    ],
    ["AUC", figure(metrics.auc, 3), `${plusMinus(intervals.auc, 3)} · 0.5 is chance`],
    ["Accuracy", percent(metrics.accuracy), `always the majority: ${percent(metrics.majorityAccuracy)}`],
    ["Test sequences", count(metrics.examples), `${percent(metrics.positiveRate)} positive`],
  ];
  if (truth && Number.isFinite(truth.recovered))
    keys.push(["Of what can be learnt", percent(truth.recovered), `best possible log loss ${figure(truth.bayesLogLoss)}`]);
  return html`
    <section class="verdict ${kind}" aria-label="Verdict">
      <p class="code">${title}</p>
      <p class="text">${verdict.text}</p>
      <p>${verdict.next}</p>
      <dl class="key">${keys.map(([name, value, note]) => html`<div><dt>${name}</dt><dd>${value}<small>${note}</small></dd></div>`)}</dl>
    </section>`;
}

const FIGURES: readonly { readonly key: keyof Metrics; readonly name: string; readonly note: string }[] = [
  { key: "logLoss", name: "Log loss", note: "nats; lower is better" },
  { key: "brier", name: "Brier score", note: "lower is better" },
  { key: "auc", name: "AUC", note: "0.5 is chance" },
  { key: "prAuc", name: "PR-AUC", note: "average precision" },
  { key: "accuracy", name: "Accuracy", note: "label 1 from 0.5 on" },
  { key: "ece", name: "Calibration error", note: "15 bins of equal mass" },
];

export async function figuresSection(content: ReportContent): Promise<Markup> {
  const { figures, card } = content;
  return html`
    <section aria-labelledby="figures">
      <h2 id="figures">Figures on the test part</h2>
      <p class="lead">${count(card.test.examples)} sequences that no choice has seen. ± is half a 95 % interval, by bootstrap${blocks(card.split.by)}.</p>
      <div class="wide"><table class="even">
        <thead><tr><th scope="col">Figure</th>${figures.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
        <tbody>
          ${FIGURES.map(
            ({ key, name, note }) =>
              html`<tr><th scope="row">${name}<small>${note}</small></th>${figures.map(
                ({ metrics, intervals }, i) =>
                  html`<td${i === 0 ? OWN : null}>${figure(metrics[key])}<small>${plusMinus(intervals[key as keyof typeof intervals])}</small></td>`,
              )}</tr>`,
          )}
          <tr><th scope="row">Model’s gain in log loss<small>paired by sequence</small></th>${figures.map(({ gain }, i) =>
            gain === null
              ? html`<td><small>${i === 0 ? "" : "–"}</small></td>`
              : html`<td>${gain.rise > 0 ? "+" : ""}${figure(gain.rise)}<small>${plusMinus(gain.halfWidth)}</small></td>`,
          )}</tr>
        </tbody>
      </table></div>
      <div class="pair">
        ${frame(await drawLosses(content), html`<b>Log loss, with 95 % intervals.</b>`)}
        <div>
          <p class="note">The intervals of two models overlap more than their difference is uncertain, since both answer the same sequences: the paired gain in the table decides.</p>
          <p class="note">An accuracy means something only beside ${figure(card.test.majorityAccuracy)}, the accuracy of always answering the majority.</p>
        </div>
      </div>
    </section>`;
}

/** Neighbours in time resemble each other, and are drawn together. */
function blocks(by: string): string {
  return by === "time" ? " over blocks of sequences that follow each other in time" : " over sequences";
}

const OWN = html` class="own"`;

export async function probabilitiesSection(content: ReportContent): Promise<Markup> {
  const { network, card, reliability } = content;
  const smallest = Math.min(...reliability.map(({ examples }) => examples));
  const isIdentity = network.slope === 1 && network.intercept === 0;
  return html`
    <section aria-labelledby="probabilities">
      <h2 id="probabilities">Do the probabilities mean what they say?</h2>
      <p class="lead">Calibration error ${figure(card.test.ece)}. ${
        isIdentity
          ? "The network’s own probabilities are served: no correction proved better."
          : `The network’s logit is corrected to ${figure(network.slope, 3)} · logit ${network.intercept < 0 ? "−" : "+"} ${figure(Math.abs(network.intercept), 3)}, as fitted on the calibration part.`
      }</p>
      <div class="pair">
        ${frame(await drawReliability(content), html`<b>Reliability.</b> ${reliability.length} ${reliability.length === 1 ? "bin" : "bins of equal mass"}, ${count(smallest)} sequences or more in each, with 95 % intervals by bootstrap${blocks(card.split.by)}. On the dashed line the share of positives is what was predicted.`)}
        ${frame(await drawScores(content), html`<b>Scores by class.</b> Each class in shares of its own size. Lettered lines: the operating points below.`, classLegend())}
      </div>
    </section>`;
}

export async function decisionsSection(content: ReportContent): Promise<Markup> {
  const { decisions, curves, card } = content;
  const hasBoth = curves[0].roc.length > 0;
  const hasCost = decisions.some(({ figures }) => figures.cost !== undefined);
  const titles = ["Threshold", "Labelled 1", "Precision", "Recall", "F1", ...(hasCost ? ["Cost"] : [])];
  return html`
    <section aria-labelledby="decisions">
      <h2 id="decisions">Decisions</h2>
      <p class="lead">An operating point turns a probability into a label: 1 from its threshold on. Thresholds were chosen before the test part was seen; what they do there, in percent with 95 % intervals (Wilson)${hasCost ? "; the cost is a sequence’s mean" : ""}:</p>
      <div class="wide"><table>
        <thead><tr><th scope="col">Operating point</th>${titles.map((title) => html`<th scope="col">${title}</th>`)}<th scope="col">False positives<small>of negatives</small></th></tr></thead>
        <tbody>${decisions.map(
          ({ name, threshold, labelled, falsePositiveRate, figures: { precision, recall, f1, cost } }, i) =>
            html`<tr><th scope="row"><span class="letter">${letterOf(i)}</span>${name}${i === 0 ? html`<small>the default</small>` : null}</th><td>${figure(threshold)}</td>${[labelled, precision, recall, f1].map(shareCell)}${hasCost ? html`<td>${cost && figure(cost.value)}<small>${cost && `${figure(cost.low)}–${figure(cost.high)}`}</small></td>` : null}${shareCell(falsePositiveRate)}</tr>`,
        )}</tbody>
      </table></div>
      ${
        hasBoth
          ? html`<div class="pair">
        ${frame(await drawPrecisionRecall(content), html`<b>Precision against recall.</b> The dotted line is the share of positives, ${percent(card.test.positiveRate)}: the precision of labelling at random.`, lineLegend(curves.map(({ name }) => name)))}
        ${frame(await drawRoc(content), html`<b>ROC.</b> The dotted diagonal is chance. Letters stand for the operating points of the table.`, lineLegend(curves.map(({ name }) => name)))}
      </div>`
          : html`<p class="note">The test part holds one class only: there are no curves to draw.</p>`
      }
    </section>`;
}

/** Whole percents; tenths near the ends, where whole ones would say none or all. */
function bound(share: number): string {
  return share === 0 || share === 1 ? String(100 * share) : (100 * share).toFixed(share < 0.01 || share > 0.99 ? 1 : 0);
}

function shareCell(share: Estimate | null | undefined): Markup {
  if (!share) return html`<td>–</td>`;
  return html`<td>${percent(share.value)}<small>${bound(share.low)}–${bound(share.high)}</small></td>`;
}

function plusMinus(half: number | undefined, decimals = 4): string {
  return half === undefined || half === 0 ? "" : `±\u00a0${figure(half, decimals)}`;
}
