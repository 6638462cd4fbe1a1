// A drift check as one HTML page with plots: the evidence as it grew, and each quantity's shares beside the reference's.
import type { QuantityDrift } from "../../shared/drift/watch.ts";
import { renderDocument } from "../html/document.ts";
import { count, short, ticks } from "../html/format.ts";
import { frame } from "../html/frame.ts";
import { html, type Markup } from "../html/html.ts";
import { BLUE, GREY, MUTED, ORANGE } from "../html/palette.ts";
import { draw } from "../html/plot.ts";
import { verdictSection } from "../html/verdict-section.ts";
import { type DriftCheck, describeDrift } from "./drift.ts";

/** Quantities that get a figure. */
const MAX_FIGURES = 24;

/** `read`: how the data were read. The same check gives the same bytes. */
export async function renderDrift(name: string, model: string, read: string, check: DriftCheck): Promise<string> {
  const { sequences, given, quantities, basis, alarm, evidence } = check;
  const shown = quantities.slice(0, MAX_FIGURES);
  return renderDocument(name, "drift", `against ${model}`, [
    verdictSection({
      isGood: alarm !== true,
      title: alarm === null ? "no test" : alarm ? "drift" : "no drift found",
      text: describeDrift(check),
      keys: [
        [
          "sequences",
          count(sequences),
          given > sequences ? `of ${count(given)}: those that share no row` : "none shares a row with another",
        ],
        ...(evidence === null ? [] : [["evidence at the end", short(evidence), describeAlarm(check)] as const]),
      ],
    }),
    html`<section aria-labelledby="read"><h2 id="read">How the data are read</h2><p class="lead">${read}</p></section>`,
    basis === "sequences" ? await evidenceSection(check) : null,
    quantities.length === 0 ? null : await quantitiesSection(shown, quantities.length),
  ]);
}

/** An alarm stands, whatever the evidence becomes after it. */
function describeAlarm({ alarmAt, alarmAfter }: DriftCheck): string {
  if (alarmAfter === null) return `the alarm is at ${count(alarmAt)}`;
  return `it reached the alarm, ${count(alarmAt)}, after ${count(alarmAfter)} sequences: that stands`;
}

async function evidenceSection(check: DriftCheck): Promise<Markup> {
  return html`
    <section aria-labelledby="evidence">
      <h2 id="evidence">Evidence</h2>
      ${frame(await drawEvidence(check), html`What a bet of 1 on drift became, as sequences came. The alarm is at ${count(check.alarmAt)}: if nothing drifts, the chance that it ever comes is at most 1 in ${count(check.alarmAt)}.`)}
      <p class="note">The test supposes that sequences do not depend on each other. Sequences of one slowly moving series do, and may alarm although nothing drifts.</p>
    </section>`;
}

function drawEvidence({ curve, sequences, alarmAt }: DriftCheck): Promise<Markup> {
  const points = curve.map(({ sequences, evidence }) => ({ x: sequences, y: Math.log10(Math.max(1e-6, evidence)) }));
  const high = Math.max(Math.log10(alarmAt) + 0.5, ...points.map(({ y }) => y));
  const low = Math.min(-1, ...points.map(({ y }) => y));
  const top = Math.min(high, 12);
  return draw({
    alt: `Evidence of drift over ${sequences} sequences; it ends at ${short(curve.at(-1)?.evidence ?? 1)}.`,
    width: 640,
    height: 220,
    margin: { left: 52, right: 22, top: 12, bottom: 42 },
    x: { domain: [0, Math.max(1, sequences)], ticks: ticks(0, Math.max(1, sequences), 6), format: ",d", title: "sequences" },
    y: { domain: [low, top], ticks: ticks(low, top, 6).filter(Number.isInteger), grid: true, title: "log₁₀ of the evidence" },
    layers: [
      {
        mark: { type: "rule", color: ORANGE.light, strokeWidth: 1.5, strokeDash: [5, 4] },
        data: [{ x: 0, x2: Math.max(1, sequences), y: Math.log10(alarmAt) }],
      },
      { mark: { type: "line", color: BLUE.light, strokeWidth: 2, clip: true }, data: points },
    ],
  });
}

async function quantitiesSection(shown: readonly QuantityDrift[], all: number): Promise<Markup> {
  const figures = await Promise.all(shown.map(quantityFigure));
  return html`
    <section aria-labelledby="quantities">
      <h2 id="quantities">Quantities</h2>
      <p class="note">Bars are the new sequences, grey lines the reference.</p>
      <div class="small">${figures}</div>
      <p class="note">Share of sequences in each bin of the reference, the lowest values left${all > shown.length ? `; ${shown.length} of ${all} quantities, those with the most evidence` : ""}. Population stability: below 0.1 is called stable by convention, above 0.25 not.</p>
    </section>`;
}

async function quantityFigure(quantity: QuantityDrift): Promise<Markup> {
  const { name, stability, evidence } = quantity;
  const words = [
    ...(evidence === null ? [] : [`evidence ${short(evidence)}`]),
    ...(stability === null ? [] : [`stability ${short(stability)}`]),
  ];
  return html`<figure>${await drawShares(quantity)}<figcaption>${name} <small>${words.join(", ")}</small></figcaption></figure>`;
}

function drawShares({ name, reference, observed }: QuantityDrift): Promise<Markup> {
  const B = reference.length;
  const top = Math.max(...reference, ...observed, 0.01) * 1.05;
  return draw({
    alt: `Shares of ${name} in ${B} bins: new ${observed.map((share) => share.toFixed(2)).join(", ")}; reference ${reference.map((share) => share.toFixed(2)).join(", ")}.`,
    width: 196,
    height: 84,
    margin: { left: 2, right: 2, top: 4, bottom: 6 },
    x: { domain: [0, B] },
    y: { domain: [0, top] },
    layers: [
      {
        mark: { type: "rect", color: BLUE.light, opacity: 0.75 },
        data: observed.map((y, b) => ({ x: b + 0.12, x2: b + 0.88, y: 0, y2: y })),
      },
      { mark: { type: "rule", color: GREY.light, strokeWidth: 2.5 }, data: reference.map((y, b) => ({ x: b, x2: b + 1, y })) },
      { mark: { type: "rule", color: MUTED.light, strokeWidth: 1 }, data: [{ x: 0, x2: B, y: 0 }] },
    ],
  });
}
