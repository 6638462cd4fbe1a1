// What the page says of how the model came about, in words and tables: learning, data, recipe, importance, origin.
import type { Padding } from "../../shared/sequence.ts";
import { count, figure, percent, range, short, together } from "../html/format.ts";
import { classLegend, frame } from "../html/frame.ts";
import { html, type Markup } from "../html/html.ts";
import type { ReportContent } from "./content.ts";
import { drawDistribution, drawExample, MAX_CHANNELS, MAX_RAW } from "./data-figures.ts";
import { drawChannelImportance, drawLearning, drawStepImportance, MAX_EFFECTS } from "./training-figures.ts";

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
        } Optimizer ${card.training.optimizer}, batches of ${count(card.training.batch)}, learning rate ${short(rates[0])}${rates[rates.length - 1] === rates[0] ? "" : ` falling to ${short(rates[rates.length - 1])}`}.</p>
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

const PADDINGS: Readonly<Record<Padding, string>> = {
  leading: "All-zero rows before the first other row are padding.",
  any: "All-zero rows are padding wherever they stand.",
  none: "No row is padding: all-zero rows are data.",
};

const PARTS = [
  ["training", "recipe, weights, baselines"],
  ["validation", "when to stop, operating points"],
  ["calibration", "calibration"],
  ["test", "nothing: every figure above is from here"],
] as const;

export async function dataSection({ training, card, parts, leftOut }: ReportContent): Promise<Markup> {
  const { features, longest, shortest, timesteps: T } = training;
  const sameLength = shortest === longest;
  const plots = await Promise.all(
    features.map(
      async (feature) =>
        html`<figure><p class="title">${feature.name}${feature.histogram.beyond > 0 ? html` <span>without ${percent(feature.histogram.beyond / (feature.histogram.beyond + total(feature.histogram.counts)))} in the tails</span>` : null}</p>${await drawDistribution(feature.name, feature.histogram)}</figure>`,
    ),
  );
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
      <div class="wide"><table>
        <thead><tr><th scope="col">Feature</th><th scope="col">Median</th><th scope="col">Middle 98 %</th><th scope="col">Zeros</th><th scope="col">Offset<small>÷ spread</small></th><th scope="col">Step<small>÷ spread</small></th></tr></thead>
        <tbody>${features.map(({ name, low, median, high, zeroShare, offset, step }) => {
          const [, medianText] = together([low, median, high]);
          return html`<tr><th scope="row">${name}</th><td>${medianText}</td><td>${range(low, high)}</td><td>${percent(zeroShare)}</td><td>${offset === null ? "constant" : short(offset)}</td><td>${step === null ? "–" : short(step)}</td></tr>`;
        })}</tbody>
      </table></div>
      <p class="note">Offset: the mean’s distance from zero; step: the median change from one row to the next; both in standard deviations of the feature. A network that is given a large offset and small steps sees constants.</p>
      <h3>Parts</h3>
      <div class="wide"><table class="parts">
        <thead><tr><th scope="col">Part</th><th scope="col">Sequences</th><th scope="col">Positive</th><th scope="col">It decided</th></tr></thead>
        <tbody>${parts.map(({ sequences, positives }, i) => {
          const [name, decided] = PARTS[i];
          return html`<tr><th scope="row">${name}</th><td>${count(sequences)}</td><td>${percent(positives / sequences)}</td><td>${decided}</td></tr>`;
        })}</tbody>
      </table></div>
      <p class="note">Split ${card.split.by === "random" ? "at random" : `by ${card.split.by}`}.${leftOut > 0 ? ` ${count(leftOut)} ${leftOut === 1 ? "sequence" : "sequences"} of nothing but padding left out.` : ""}</p>
    </section>`;
}

function total(counts: readonly (readonly number[])[]): number {
  return counts.flat().reduce((sum, n) => sum + n, 0);
}

export async function recipeSection({ channels, examples, training, standardised }: ReportContent): Promise<Markup> {
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
      <p class="lead">${count(features.length)} raw ${features.length === 1 ? "feature becomes" : "features become"} ${count(channels.length)} ${channels.length === 1 ? "channel" : "channels"}: ${channels.join(", ")}. Three test sequences, each raw feature on a scale of its own, each channel ${standardised ? "in standard deviations of the training part" : "as it comes, on no common scale"}.</p>
      <div class="scale" aria-hidden="true">far below ${standardised ? "the mean" : "0"} ${Array.from({ length: 9 }, (_, i) => html`<i style="background:var(--heat-${i})"></i>`)} far above</div>
      <div class="three">${plots}</div>
      <p class="note">Colours change at ±0.25, ±0.75, ±1.5 and ±2.5${standardised ? " standard deviations" : ""}; a blank cell is padding or a first difference, which has none before it. At the right: the lowest value and the highest, or, after a +, how far above it the highest lies.${
        features.length > MAX_RAW || channels.length > MAX_CHANNELS
          ? ` The first ${MAX_RAW} features and ${MAX_CHANNELS} channels are drawn.`
          : ""
      }</p>
    </section>`;
}

export async function importanceSection({ importance, channels }: ReportContent): Promise<Markup> {
  const { sequences, repeats, steps } = importance;
  return html`
    <section aria-labelledby="importance">
      <h2 id="importance">What matters to the model</h2>
      <p class="lead">How much the log loss rises when a channel, or a row, is dealt out anew among ${count(sequences)} test sequences of the same length; mean of ${repeats} ${repeats === 1 ? "deal" : "deals"}, with 95 % intervals over sequences.</p>
      <div class="pair">
        ${frame(await drawChannelImportance(importance.channels, channels), html`<b>By channel</b>, all its rows at once${channels.length > MAX_EFFECTS ? `; the ${MAX_EFFECTS} of ${channels.length} that matter most` : ""}. Channels that say the same share or hide each other’s weight: a low rise means “not needed while the others are there”.`)}
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
