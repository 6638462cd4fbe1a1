// What the report says of the test part, in words and tables: verdict, metrics, probabilities, operating points.
import type { Estimate, Metrics } from "../../shared/model.ts";
import { count, formatNumber, percent } from "../html/format.ts";
import { classLegend, frame, lineLegend } from "../html/frame.ts";
import { html, type Markup } from "../html/html.ts";
import { verdictSection } from "../html/verdict-section.ts";
import { wideTable } from "../html/wide-table.ts";
import { describeMeaning } from "../readers/describe.ts";
import { isPlain, learntMeaning } from "../readers/labels.ts";
import { describeMissed, findMissed } from "../statistics/operating-points.ts";
import type { MeasuredPoint, ModelMetrics, ReportContent } from "./content.ts";
import { drawLosses, drawPrecisionRecall, drawReliability, drawRoc, drawScores, letterOf } from "./score-figures.ts";

/** What the codes mean; another code is shown as it is. */
const VERDICTS: Readonly<Record<string, { readonly title: string; readonly isGood: boolean }>> = {
  learned: { title: "✓ Learned", isGood: true },
  "base-rate-only": { title: "✕ No better than the base rate", isGood: false },
  "no-better-model-found": { title: "✕ A simpler model is better", isGood: false },
  "too-few-examples": { title: "✕ Too few examples of one class", isGood: false },
  "bad-data": { title: "✕ The data cannot be learnt from", isGood: false },
};

/** The verdict, and the metrics it rests on. */
export function reportVerdict({ verdict, models, card, truth }: ReportContent): Markup {
  const { code, text, next } = verdict;
  const [{ metrics, intervals }] = models;
  const keys: [name: string, value: string, note: string][] = [
    [
      "Log loss",
      formatNumber(metrics.logLoss),
      `${plusMinus(intervals.logLoss)} · base rate ${formatNumber(card.baselines["base rate"]?.logLoss ?? metrics.baseRateLogLoss)}`,
    ],
    ["AUC", formatNumber(metrics.auc, 3), `${plusMinus(intervals.auc, 3)} · 0.5 is chance`],
    ["Accuracy", percent(metrics.accuracy), `always the majority: ${percent(metrics.majorityAccuracy)}`],
    [
      wasNested(card) ? "Sequences judged" : "Test sequences",
      count(metrics.examples),
      `${percent(metrics.positiveRate)} positive${wordsOf(card)}`,
    ],
  ];
  if (truth && Number.isFinite(truth.recovered))
    keys.push(["Recovered information", percent(truth.recovered), `best possible log loss ${formatNumber(truth.bayesLogLoss)}`]);
  return verdictSection({ ...(VERDICTS[code] ?? { title: code, isGood: false }), text, next, keys });
}

/** `, where 1 is "yes", 0 is "no"`, of labels that are not 1 and 0 themselves. */
function wordsOf({ data }: ReportContent["card"]): string {
  const meaning = learntMeaning(data.facts);
  return meaning === undefined || isPlain(meaning) ? "" : `, where ${describeMeaning(meaning)}`;
}

const METRICS: readonly { readonly key: keyof Metrics; readonly name: string; readonly note: string }[] = [
  { key: "logLoss", name: "Log loss", note: "nats; lower is better" },
  { key: "brier", name: "Brier score", note: "lower is better" },
  { key: "auc", name: "AUC", note: "0.5 is chance" },
  { key: "prAuc", name: "PR-AUC", note: "average precision" },
  { key: "accuracy", name: "Accuracy", note: "threshold 0.5" },
  { key: "ece", name: "Calibration error", note: "15 bins of equal mass" },
];

/** Whether every sequence was judged in turn, and there is no test part. */
function wasNested({ assessment }: ReportContent["card"]): boolean {
  return assessment === "nested-cross-validation";
}

/** The model beside its baselines. */
export async function metricsSection(content: ReportContent): Promise<Markup> {
  const { models, card } = content;
  const best = bestModels(models);
  return html`
    <section aria-labelledby="metrics">
      <h2 id="metrics">${wasNested(card) ? "Metrics by nested cross-validation" : "Metrics on the test part"}</h2>
      <p class="lead">${count(card.test.examples)} sequences${wasNested(card) ? ", each judged by a model that was made without it" : " that were used for no choice"}. ± is half of a 95 % interval, by bootstrap${blocks(card.split.by)}. Bold is the best log loss by paired difference; more than one is bold where the interval of the difference holds 0.</p>
      ${wideTable(html`<table class="equal">
        <thead><tr><th scope="col">Metric</th>${models.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
        <tbody>
          ${METRICS.map(({ key, name, note }) => html`<tr><th scope="row">${name}<small>${note}</small></th>${models.map((model, i) => metricCell(model, key, key === "logLoss" && best.includes(i)))}</tr>`)}
          <tr><th scope="row">Model’s gain in log loss<small>paired by sequence</small></th>${models.map(gainCell)}</tr>
        </tbody>
      </table>`)}
      <div class="pair">
        ${frame(await drawLosses(content), html`<b>Log loss, with 95 % intervals.</b>`)}
        <div>
          <p class="note">Compare two models by the paired gain in the table. Both models answer the same sequences, so their difference is more certain than their two intervals suggest.</p>
          ${wasNested(card) ? html`<p class="note">The base rate of a part is counted on the other parts, so it is a little lower where the part has more 1s: its AUC lies below 0.5.</p>` : null}
          <p class="note">Compare an accuracy with ${formatNumber(card.test.majorityAccuracy)}, the accuracy of always answering the majority.</p>
        </div>
      </div>
    </section>`;
}

/** Positions in `models` of those with the best log loss by paired difference from the first; more than one where a difference may be 0. */
export function bestModels(models: readonly ModelMetrics[]): number[] {
  const gains = models.map(({ metrics, gain }) => gain ?? { rise: metrics.logLoss - models[0].metrics.logLoss, halfWidth: 0 });
  const winners = [...gains.keys()].slice(1).filter((i) => gains[i].rise < -gains[i].halfWidth);
  if (winners.length > 0) return [winners.reduce((a, b) => (gains[b].rise < gains[a].rise ? b : a))];
  return [...gains.keys()].filter((i) => i === 0 || gains[i].rise <= gains[i].halfWidth);
}

function metricCell({ metrics, intervals }: ModelMetrics, key: keyof Metrics, isBest: boolean): Markup {
  return html`<td${isBest ? html` class="best"` : null}>${formatNumber(metrics[key])}<small>${plusMinus(intervals[key as keyof typeof intervals])}</small></td>`;
}

function gainCell({ gain }: ModelMetrics, i: number): Markup {
  if (gain === null) return html`<td><small>${i === 0 ? "" : "–"}</small></td>`;
  return html`<td>${gain.rise > 0 ? "+" : ""}${formatNumber(gain.rise)}<small>${plusMinus(gain.halfWidth)}</small></td>`;
}

/** Neighbours in time resemble each other, and are drawn together. */
function blocks(by: string): string {
  return by === "time" ? " over blocks of sequences that follow each other in time" : " over sequences";
}

/** Reliability, and the scores of both classes. */
export async function probabilitiesSection(content: ReportContent): Promise<Markup> {
  const { network, card, reliability } = content;
  const { slope, intercept } = network;
  const subject = card.stack ? "stack" : "network";
  const smallest = Math.min(...reliability.map(({ examples }) => examples));
  const bins = reliability.length === 1 ? "1 bin" : `${reliability.length} bins of equal mass`;
  const calibration =
    slope === 1 && intercept === 0
      ? `The ${subject}’s probabilities are served as they are: no calibration was better.`
      : `The ${subject}’s logit is calibrated to ${formatNumber(slope, 3)} · logit ${intercept < 0 ? "−" : "+"} ${formatNumber(Math.abs(intercept), 3)}, fitted on ${card.stack ? "predictions out of folds" : "the calibration part"}.`;
  return html`
    <section aria-labelledby="probabilities">
      <h2 id="probabilities">Are the probabilities reliable?</h2>
      <p class="lead">Calibration error ${formatNumber(card.test.ece)}. ${calibration}</p>
      <div class="pair">
        ${frame(await drawReliability(content), html`<b>Reliability.</b> ${bins}, ${count(smallest)} sequences or more in each, with 95 % intervals by bootstrap${blocks(card.split.by)}. On the dashed line the positive rate equals the predicted probability.`)}
        ${frame(await drawScores(content), html`<b>Scores by class.</b> Each class in percent of its own size. The lettered lines are the thresholds of the operating points below.`, classLegend())}
      </div>
    </section>`;
}

/** What each threshold is worth, and the curves on which the thresholds lie. */
export async function operatingPointsSection(content: ReportContent): Promise<Markup> {
  const { operatingPoints, curves, card } = content;
  const hasBoth = curves[0].roc.length > 0;
  const hasCost = operatingPoints.some(({ metrics }) => metrics.cost !== undefined);
  const titles = ["Threshold", "Labelled 1", "Precision", "Recall", "F1", ...(hasCost ? ["Cost"] : [])];
  return html`
    <section aria-labelledby="operating-points">
      <h2 id="operating-points">Operating points</h2>
      <p class="lead">An operating point labels a sequence 1 if its probability is at least the threshold. ${wasNested(card) ? "The thresholds were chosen on predictions out of folds. The table shows percentages by nested cross-validation with" : "The thresholds were chosen before the test part was seen. The table shows percentages on the test part with"} 95 % intervals (Wilson)${hasCost ? "; the cost is the mean of a sequence" : ""}.</p>
      ${wideTable(html`<table class="points">
        <thead><tr><th scope="col">Operating point</th>${titles.map((title) => html`<th scope="col">${title}</th>`)}<th scope="col">False positives<small>of negatives</small></th></tr></thead>
        <tbody>${operatingPoints.map((point, i) => pointRow(point, i, hasCost))}</tbody>
      </table>`)}
      ${findMissed(operatingPoints.map(({ metrics, ...point }) => ({ ...point, figures: metrics }))).map((missed) => html`<p class="note">${describeMissed(missed, wasNested(card) ? "in nested cross-validation" : "on the test part")}</p>`)}
      ${
        hasBoth
          ? html`<div class="pair">
        ${frame(await drawPrecisionRecall(content), html`<b>Precision against recall.</b> The dotted line is the positive rate, ${percent(card.test.positiveRate)}: the precision of labelling at random.`, lineLegend(curves.map(({ name }) => name)))}
        ${frame(await drawRoc(content), html`<b>ROC.</b> The dotted diagonal is chance. The letters are those of the table.`, lineLegend(curves.map(({ name }) => name)))}
      </div>`
          : html`<p class="note">The ${wasNested(card) ? "data hold" : "test part holds"} one class only: there are no curves to draw.</p>`
      }
    </section>`;
}

function pointRow({ name, threshold, labelled, falsePositiveRate, metrics }: MeasuredPoint, i: number, hasCost: boolean): Markup {
  const { precision, recall, f1, cost } = metrics;
  const costCell = html`<td>${nameOfCell("Cost")}${cost && formatNumber(cost.value)}<small>${cost && `${formatNumber(cost.low)}–${formatNumber(cost.high)}`}</small></td>`;
  return html`<tr><th scope="row"><span class="letter">${letterOf(i)}</span>${name}${i === 0 && name !== "default" ? html`<small>the default</small>` : null}</th><td>${nameOfCell("Threshold")}${formatNumber(threshold)}</td>${shareCell("Labelled 1", labelled)}${shareCell("Precision", precision)}${shareCell("Recall", recall)}${shareCell("F1", f1)}${hasCost ? costCell : null}${shareCell("False positives", falsePositiveRate)}</tr>`;
}

/** Whole percents; tenths near the ends, where whole ones would say none or all. */
function bound(share: number): string {
  return share === 0 || share === 1 ? String(100 * share) : (100 * share).toFixed(share < 0.01 || share > 0.99 ? 1 : 0);
}

/** On a phone, where the table's head is left out. */
function nameOfCell(name: string): Markup {
  return html`<span class="of">${name}</span>`;
}

function shareCell(name: string, share: Estimate | null | undefined): Markup {
  if (!share) return html`<td>${nameOfCell(name)}–</td>`;
  return html`<td>${nameOfCell(name)}${percent(share.value)}<small>${bound(share.low)}–${bound(share.high)}</small></td>`;
}

function plusMinus(half: number | undefined, decimals = 4): string {
  return half === undefined || half === 0 ? "" : `±\u00a0${formatNumber(half, decimals)}`;
}
