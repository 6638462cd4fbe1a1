// The page's sections in words and tables, each from what the content says. Draws through the figure files.
import type { Metrics } from "../../shared/model.ts";
import type { Padding } from "../../shared/sequence.ts";
import type { ReportContent } from "./content.ts";
import { count, figure, percent, short, together } from "./format.ts";
import { html, type Markup } from "./html.ts";
import { BLUE, ORANGE } from "./palette.ts";
import type { Share } from "./ranking.ts";
import { drawLosses, drawPrecisionRecall, drawReliability, drawRoc, drawScores, LINE_STYLES, letterOf } from "./score-figures.ts";
import { drawChannelImportance, drawDistribution, drawExample, drawFeature, drawLearning, drawStepImportance } from "./training-figures.ts";

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
  const isByTime = card.split.by === "time";
  return html`
    <section aria-labelledby="figures">
      <h2 id="figures">Figures on the test part</h2>
      <p class="lead">${count(card.test.examples)} sequences that no choice has seen. ± is half a 95 % interval, by bootstrap over sequences${isByTime ? "; sequences that follow each other in time resemble each other, so the true intervals are wider" : ""}.</p>
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
      <p class="note">Accuracy of always answering the majority: ${figure(card.test.majorityAccuracy)}. An accuracy means something only beside it.</p>
      <div class="pair">
        ${frame(await drawLosses(content), html`<b>Log loss, with 95 % intervals.</b> Intervals of two models overlap more than their difference is uncertain, since both answer the same sequences: the paired gain in the table decides.`)}
      </div>
    </section>`;
}

const OWN = html` class="own"`;

export async function learningSection(content: ReportContent): Promise<Markup> {
  const { learning, card } = content;
  const { history, bestEpoch, lines } = learning;
  const rates = history.map(({ learningRate }) => learningRate);
  const best = history[bestEpoch - 1];
  const words =
    history.length === 0
      ? html`<p>No epoch was trained.</p>`
      : html`
        <p>${
          best
            ? `The weights of epoch ${bestEpoch} of ${history.length} are kept: the lowest validation loss, ${figure(best.validationLoss)}, before calibration.`
            : `No epoch of ${history.length} bettered the initial weights, which answer the base rate.`
        } ${card.training.optimizer}, batches of ${count(card.training.batch)}, learning rate ${short(rates[0])}${rates[rates.length - 1] === rates[0] ? "" : ` falling to ${short(rates[rates.length - 1])}`}.</p>
        <p class="note">The lines are what ${lines.map(({ name, logLoss }) => `the ${name} (${figure(logLoss)})`).join(" and ")} would lose on the same validation part. A curve that stays at the base rate’s has learnt nothing; a training curve that falls while the validation curve rises is memorising.</p>`;
  return html`
    <section aria-labelledby="learning">
      <h2 id="learning">Learning curves</h2>
      <div class="pair">
        ${history.length === 0 ? null : frame(await drawLearning(content), html`<b>Log loss by epoch.</b> The dot marks the epoch whose weights are kept. The training loss is a mean over each epoch, while the weights still move.`)}
        <div>${words}</div>
      </div>
    </section>`;
}

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
        ${frame(await drawReliability(content), html`<b>Reliability.</b> ${reliability.length} ${reliability.length === 1 ? "bin" : "bins of equal mass"}, ${count(smallest)} sequences or more in each, with 95 % intervals (Wilson). On the dashed line the share of positives is what was predicted.`)}
        ${frame(await drawScores(content), html`<b>Scores by class.</b> Each class in shares of its own size. Lettered lines: the operating points below.`, classLegend())}
      </div>
    </section>`;
}

export async function decisionsSection(content: ReportContent): Promise<Markup> {
  const { decisions, curves, card } = content;
  const hasBoth = curves[0].roc.length > 0;
  return html`
    <section aria-labelledby="decisions">
      <h2 id="decisions">Decisions</h2>
      <p class="lead">An operating point turns a probability into a label: 1 from its threshold on. Thresholds were chosen before the test part was seen; what they do there, with 95 % intervals (Wilson):</p>
      <table>
        <thead><tr><th scope="col">Operating point</th><th scope="col">Threshold</th><th scope="col">Labelled 1</th><th scope="col">Precision</th><th scope="col">Recall</th><th scope="col">False positives<small>of negatives</small></th></tr></thead>
        <tbody>${decisions.map(
          ({ name, threshold, labelled, precision, recall, falsePositiveRate }, i) =>
            html`<tr><th scope="row"><span class="letter">${letterOf(i)}</span>${name}${i === 0 ? html`<small>the default</small>` : null}</th><td>${figure(threshold)}</td>${[labelled, precision, recall, falsePositiveRate].map(shareCell)}</tr>`,
        )}</tbody>
      </table>
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

const PADDINGS: Readonly<Record<Padding, string>> = {
  leading: "All-zero rows before the first other row are padding.",
  any: "All-zero rows are padding wherever they stand.",
  none: "No row is padding: all-zero rows are data.",
};

export async function dataSection({ training, card }: ReportContent): Promise<Markup> {
  const { features, longest, shortest, timesteps: T } = training;
  const sameLength = shortest === longest;
  const plots = await Promise.all(
    features.map(
      async (feature) =>
        html`<figure><p class="title">${feature.name}${feature.histogram.beyond > 0 ? html` <span>without ${percent(feature.histogram.beyond / (feature.histogram.beyond + total(feature.histogram.counts)))} in the tails</span>` : null}</p>${await drawFeature(feature)}</figure>`,
    ),
  );
  const { examples } = card.split;
  return html`
    <section aria-labelledby="data">
      <h2 id="data">The data as it came</h2>
      <p class="lead">Sequences of up to ${T} rows of ${features.length} features; the training part, ${count(training.sequences)} sequences${training.sampled < training.sequences ? ` (features: ${count(training.sampled)} of them, evenly spaced)` : ""}. ${PADDINGS[training.padding]} ${
        training.paddingShare === 0 ? "There is none." : `${percent(training.paddingShare)} of all rows are padding.`
      } ${training.zeroRows > 0 ? `${count(training.zeroRows)} all-zero rows count as data. ` : ""}${
        sameLength
          ? `Every sequence has ${longest} valid ${longest === 1 ? "row" : "rows"}.`
          : `Valid rows a sequence: ${shortest} to ${longest}.`
      }</p>
      ${classLegend()}
      <div class="small">
        ${plots}
        ${sameLength ? null : html`<figure><p class="title">valid rows <span>a sequence</span></p>${await drawDistribution("valid rows a sequence", training.lengths)}</figure>`}
      </div>
      <p class="note">Over valid rows, each class in shares of its own size.${sameLength ? "" : " Where the lengths of the two classes differ, length alone gives part of the label away."}</p>
      <h3>By feature</h3>
      <table>
        <thead><tr><th scope="col">Feature</th><th scope="col">Median</th><th scope="col">Middle 98 %</th><th scope="col">Zeros</th><th scope="col">Offset<small>÷ spread</small></th><th scope="col">Step<small>÷ spread</small></th></tr></thead>
        <tbody>${features.map(({ name, low, median, high, zeroShare, offset, step }) => {
          const [lowText, medianText, highText] = together([low, median, high]);
          return html`<tr><th scope="row">${name}</th><td>${medianText}</td><td>${lowText} … ${highText}</td><td>${percent(zeroShare)}</td><td>${offset === null ? "constant" : short(offset)}</td><td>${step === null ? "–" : short(step)}</td></tr>`;
        })}</tbody>
      </table>
      <p class="note">Offset: the mean’s distance from zero; step: the median change from one row to the next; both in standard deviations of the feature. A network that is given a large offset and small steps sees constants.</p>
      <h3>Parts</h3>
      <table>
        <thead><tr><th scope="col">Part</th><th scope="col">Sequences</th><th scope="col">What it decided</th></tr></thead>
        <tbody>
          <tr><th scope="row">training</th><td>${count(examples.train)}</td><td>recipe, weights, baselines</td></tr>
          <tr><th scope="row">validation</th><td>${count(examples.validation)}</td><td>when to stop, operating points</td></tr>
          <tr><th scope="row">calibration</th><td>${count(examples.calibration)}</td><td>calibration</td></tr>
          <tr><th scope="row">test</th><td>${count(examples.test)}</td><td>nothing: the figures above</td></tr>
        </tbody>
      </table>
      <p class="note">Split by ${card.split.by}.</p>
    </section>`;
}

function total(counts: readonly (readonly number[])[]): number {
  return counts.flat().reduce((sum, n) => sum + n, 0);
}

export async function recipeSection({ channels, examples, training }: ReportContent): Promise<Markup> {
  const features = training.features.map(({ name }) => name);
  const plots = await Promise.all(
    examples.map(
      async (example) =>
        html`<figure><p class="title">${example.title} <span>probability ${figure(example.probability, 3)}, label ${example.label}</span></p>${await drawExample(example, features, channels)}</figure>`,
    ),
  );
  return html`
    <section aria-labelledby="recipe">
      <h2 id="recipe">What the recipe makes of a sequence</h2>
      <p class="lead">${count(features.length)} raw ${features.length === 1 ? "feature becomes" : "features become"} ${count(channels.length)} ${channels.length === 1 ? "channel" : "channels"}: ${channels.join(", ")}. Three test sequences, each raw feature on a scale of its own, each channel in standard deviations of the training part.</p>
      <div class="scale" aria-hidden="true">far below the mean ${Array.from({ length: 9 }, (_, i) => html`<i style="background:var(--heat-${i})"></i>`)} far above</div>
      <div class="three">${plots}</div>
      <p class="note">Colours change at ±0.25, ±0.75, ±1.5 and ±2.5 standard deviations; a blank cell is padding or a first difference, which is undefined. At the right: lowest and highest value.</p>
    </section>`;
}

export async function importanceSection({ importance, channels }: ReportContent): Promise<Markup> {
  const { sequences, repeats, steps } = importance;
  return html`
    <section aria-labelledby="importance">
      <h2 id="importance">What matters to the model</h2>
      <p class="lead">How much the log loss rises when a channel, or a row, is dealt out anew among ${count(sequences)} test sequences of the same length; mean of ${repeats} ${repeats === 1 ? "deal" : "deals"}, with 95 % intervals over sequences.</p>
      <div class="pair">
        ${frame(await drawChannelImportance(importance.channels, channels), html`<b>By channel</b>, all its rows at once. Channels that say the same share or hide each other’s weight: a low rise means “not needed while the others are there”.`)}
        ${frame(await drawStepImportance(steps), html`<b>By row</b>, all its channels at once.`)}
      </div>
    </section>`;
}

export function originSection({ card, id, network, channels, training }: ReportContent): Markup {
  const facts: [name: string, value: string | Markup][] = [
    ["Model", html`<code>${id}</code>`],
    [
      "Network",
      `LSTM, ${count(network.units)} units on ${count(channels.length)} channels, ${count(network.parameters)} parameters; at most ${count(training.timesteps)} rows`,
    ],
    ["Data", html`${card.data.name}, ${card.data.float32 ? "float32" : "float64"}, SHA-256 <code>${card.data.sha256}</code>`],
    ["Recipe", card.training.recipe],
    ["Seed", String(card.training.seed)],
    ["Versions", `quickstep ${card.versions.quickstep}, Node ${card.versions.node}, ${card.versions.path}`],
  ];
  return html`
    <section aria-labelledby="origin">
      <h2 id="origin">How it was made</h2>
      ${card.warnings.length > 0 ? html`<h3>To keep in mind</h3><ul class="warnings">${card.warnings.map((warning) => html`<li>${warning}</li>`)}</ul><h3>Facts</h3>` : null}
      <dl class="facts">${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
    </section>
    <footer>Every figure comes from the finished artifact and the kernel that serves it. This page shows rows of the data it was made from; the artifact holds none.</footer>`;
}

function frame(svg: Markup, caption: Markup, legend: Markup | null = null): Markup {
  return html`<figure>${legend}${svg}<figcaption>${caption}</figcaption></figure>`;
}

function lineLegend(names: readonly string[]): Markup {
  return html`<ul class="legend">${names.map((name, i) => {
    const { color, strokeWidth, strokeDash } = LINE_STYLES[i % LINE_STYLES.length];
    return html`<li><svg viewBox="0 0 26 10" aria-hidden="true"><line x1="0" x2="26" y1="5" y2="5" stroke="${color}" stroke-width="${strokeWidth}" stroke-dasharray="${strokeDash.join(" ")}"/></svg>${name}</li>`;
  })}</ul>`;
}

function classLegend(): Markup {
  const swatch = (colour: string, opacity: number): Markup =>
    html`<svg viewBox="0 0 26 10" aria-hidden="true"><rect x="1" y="1" width="24" height="8" fill="${colour}" fill-opacity="${opacity}" stroke="${colour}"/></svg>`;
  return html`<ul class="legend"><li>${swatch(BLUE.light, 0.28)}label 0</li><li>${swatch(ORANGE.light, 0.16)}label 1</li></ul>`;
}

function shareCell(share: Share | null): Markup {
  if (share === null) return html`<td>–</td>`;
  const [low, high] = share.interval;
  return html`<td>${percent(share.value)}<small>${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)} %</small></td>`;
}

function plusMinus(half: number | undefined, decimals = 4): string {
  return half === undefined || half === 0 ? "" : `± ${figure(half, decimals)}`;
}
