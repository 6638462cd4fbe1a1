// What was found in a data set, as one HTML page with plots.
import { renderDocument } from "../html/document.ts";
import { count, percent } from "../html/format.ts";
import { classLegend } from "../html/frame.ts";
import { html, type Markup } from "../html/html.ts";
import { wideTable } from "../html/wide-table.ts";
import { drawDistribution } from "./data-figures.ts";
import type { Inspection } from "./inspection.ts";
import { describeWarning, featureCells } from "./inspection-text.ts";

/** `read`: how the data were read. The same content gives the same bytes. */
export async function renderInspection(name: string, read: string, inspection: Inspection): Promise<string> {
  const list = inspection.warnings.map(describeWarning);
  return renderDocument(name, "data", "inspect", [
    html`
    <section aria-labelledby="read">
      <h2 id="read">How the data are read</h2>
      <p class="lead">${read}</p>
      ${list.length === 0 ? html`<p>Nothing stands out.</p>` : html`<ul>${list.map((sentence) => html`<li>${sentence}</li>`)}</ul>`}
    </section>`,
    await featuresSection(inspection),
    await sequencesSection(inspection),
  ]);
}

async function featuresSection({ features, distributions, isLabelled }: Inspection): Promise<Markup> {
  const plots = await Promise.all(
    features.flatMap(({ name, type }, f) =>
      type === "nothing" ? [] : [figure(name, drawDistribution(name, distributions.features[f].histogram))],
    ),
  );
  return html`
    <section aria-labelledby="features">
      <h2 id="features">Features</h2>
      ${isLabelled ? classLegend() : null}
      <div class="small">${plots}</div>
      <p class="note">Over rows that are no padding${isLabelled ? ", each class in percent of its own size" : ""}.</p>
      ${wideTable(html`<table>
        <thead><tr><th scope="col">Feature</th><th scope="col">Type</th><th scope="col">Range</th><th scope="col">Gaps</th><th scope="col">Distinct</th></tr></thead>
        <tbody>${features.map((feature) => {
          const [name, ...cells] = featureCells(feature);
          return html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
        })}</tbody>
      </table>`)}
    </section>`;
}

async function sequencesSection({ distributions, copies }: Inspection): Promise<Markup> {
  const { sequences, shortest, longest, lengths, paddingShare } = distributions;
  const rows = [
    ["Sequences", count(sequences)],
    ["Rows of a sequence", shortest === longest ? count(longest) : `${count(shortest)} to ${count(longest)}`],
    ["Padding, of all rows", percent(paddingShare)],
    ["Copies of a sequence before", count(copies)],
  ];
  return html`
    <section aria-labelledby="sequences">
      <h2 id="sequences">Sequences</h2>
      ${shortest === longest ? null : html`<div class="small">${await figure("rows of a sequence", drawDistribution("rows of a sequence", lengths))}</div>`}
      ${wideTable(html`<table>
        <tbody>${rows.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody>
      </table>`)}
    </section>`;
}

async function figure(name: string, plot: Promise<Markup>): Promise<Markup> {
  return html`<figure><p class="title">${name}</p>${await plot}</figure>`;
}
