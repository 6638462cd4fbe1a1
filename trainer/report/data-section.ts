// What the report says of the training data: padding, distributions by class, and the parts of the split.
import type { Padding } from "../../shared/sequence.ts";
import { count, percent, range, short, together } from "../html/format.ts";
import { classLegend } from "../html/frame.ts";
import { html, type Markup } from "../html/html.ts";
import { wideTable } from "../html/wide-table.ts";
import type { FeatureFacts, ReportContent, TrainingFacts } from "./content.ts";
import { drawDistribution } from "./data-figures.ts";
import type { ClassHistogram } from "./histogram.ts";

const PADDINGS: Readonly<Record<Padding, string>> = {
  leading: "All-zero rows before the first other row are padding.",
  any: "All-zero rows are padding wherever they stand.",
  none: "All-zero rows are data: no row is padding.",
};

const PARTS = [
  ["training", "recipe, weights, baselines"],
  ["validation", "early stopping, operating points"],
  ["calibration", "calibration"],
  ["test", "the metrics above; no choice"],
] as const;

/** A stack has no parts for choices: what it learns from is held out fold by fold. */
const FOLDED = "learners, weights, calibration, operating points: each fold is held out in turn";

function partRow({ sequences, positives }: ReportContent["parts"][number], i: number, isStack: boolean): Markup {
  const [name, purpose] = PARTS[i];
  return html`<tr><th scope="row">${name}</th><td>${count(sequences)}</td><td>${percent(positives / sequences)}</td><td>${isStack && i === 0 ? FOLDED : purpose}</td></tr>`;
}

/** Distributions, a table by feature, and the parts. */
export async function dataSection({ training, card, parts, leftOut }: ReportContent): Promise<Markup> {
  const isSameLength = training.shortest === training.longest;
  const plots = await Promise.all(
    training.features.map(
      async ({ name, histogram }) =>
        html`<figure><p class="title">${name}${tailNote(histogram)}</p>${await drawDistribution(name, histogram)}</figure>`,
    ),
  );
  const lengths = isSameLength
    ? null
    : html`<figure><p class="title">valid rows <span>a sequence</span></p>${await drawDistribution("valid rows a sequence", training.lengths)}</figure>`;
  return html`
    <section aria-labelledby="data">
      <h2 id="data">The training data</h2>
      <p class="lead">${describeTraining(training)}</p>
      ${classLegend()}
      <div class="small">
        ${plots}
        ${lengths}
      </div>
      <p class="note">Over valid rows, each class in percent of its own size.${isSameLength ? "" : " Where the lengths of the two classes differ, the length alone leaks part of the label."}</p>
      <h3>By feature</h3>
      ${wideTable(html`<table>
        <thead><tr><th scope="col">Feature</th><th scope="col">Median</th><th scope="col">Middle 98 %</th><th scope="col">Zeros</th><th scope="col">Offset<small>÷ spread</small></th><th scope="col">Step<small>÷ spread</small></th></tr></thead>
        <tbody>${training.features.map(featureRow)}</tbody>
      </table>`)}
      <p class="note">Offset is the distance of the mean from zero. Step is the median change from one row to the next. Both are in standard deviations of the feature. A feature with a large offset and small steps looks constant to a network.</p>
      <h3>Parts</h3>
      ${wideTable(html`<table class="parts">
        <thead><tr><th scope="col">Part</th><th scope="col">Sequences</th><th scope="col">Positive</th><th scope="col">Used for</th></tr></thead>
        <tbody>${parts.map((part, i) => (part.sequences === 0 ? null : partRow(part, i, card.stack !== undefined)))}</tbody>
      </table>`)}
      <p class="note">Split ${card.split.by === "random" ? "at random" : `by ${card.split.by}`}.${leftOut > 0 ? ` ${count(leftOut)} ${leftOut === 1 ? "sequence" : "sequences"} of nothing but padding left out.` : ""}</p>
    </section>`;
}

function describeTraining({
  sequences,
  timesteps,
  features,
  sampled,
  padding,
  paddingShare,
  zeroRows,
  shortest,
  longest,
}: TrainingFacts): string {
  const missing = features
    .filter(({ missingShare }) => missingShare > 0)
    .map(({ name, missingShare }) => `${name} ${percent(missingShare)}`);
  return [
    `The training part has ${count(sequences)} sequences of up to ${timesteps} rows of ${features.length} features.`,
    sampled < sequences ? `Facts about features come from ${count(sampled)} of the sequences, evenly spaced.` : "",
    PADDINGS[padding],
    paddingShare === 0 ? "The training part has no padding." : `${percent(paddingShare)} of all rows are padding.`,
    missing.length > 0 ? `Values are missing: ${missing.join(", ")}.` : "",
    zeroRows > 0 ? `${count(zeroRows)} all-zero rows count as data.` : "",
    shortest === longest
      ? `Every sequence has ${longest} valid ${longest === 1 ? "row" : "rows"}.`
      : `Sequences have ${shortest} to ${longest} valid rows.`,
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

function tailNote({ beyond, counts }: ClassHistogram): Markup | null {
  const drawn = counts.flat().reduce((sum, n) => sum + n, 0);
  return beyond > 0 ? html` <span>without ${percent(beyond / (beyond + drawn))} in the tails</span>` : null;
}

function featureRow({ name, low, median, high, zeroShare, offset, step }: FeatureFacts): Markup {
  const [, medianText] = together([low, median, high]);
  return html`<tr><th scope="row">${name}</th><td>${medianText}</td><td>${range(low, high)}</td><td>${percent(zeroShare)}</td><td>${offset === null ? "constant" : short(offset)}</td><td>${step === null ? "–" : short(step)}</td></tr>`;
}
