// A diagnosis as one HTML page.
import { describeChannel } from "../../shared/recipe/channel.ts";
import { COPY_SCRIPT, copyableLines } from "../html/copy-button.ts";
import { renderDocument } from "../html/document.ts";
import { count, formatNumber, percent, range, short } from "../html/format.ts";
import { frame, lineLegend } from "../html/frame.ts";
import { html, type Markup } from "../html/html.ts";
import { verdictSection } from "../html/verdict-section.ts";
import { wideTable } from "../html/wide-table.ts";
import type { Cause } from "./cause.ts";
import type { Diagnosis, FeatureSummary } from "./diagnosis.ts";
import { drawExperiments, drawTraining } from "./experiment-figures.ts";
import { describeRun } from "./experiment-setup.ts";
import { drawHistory, historyCurves } from "./history-figure.ts";
import { listNetworkNumbers, MAX_DESCRIBED } from "./notes.ts";
import type { History } from "./training-log.ts";

/** What the page says beside the diagnosis. */
export interface Beside {
  /** About the user's own curve. */
  readonly sentences: readonly string[];
  /** That curve, where there is one. */
  readonly history?: History;
  /** The lines that fix the user's script, where there are any. */
  readonly script: readonly string[] | undefined;
  /** The lines for scikit-learn, likewise. */
  readonly columnsScript?: readonly string[];
}

const NOTHING: Beside = { sentences: [], script: undefined };

/** The whole page, verdict first. The same diagnosis gives the same bytes. */
export async function renderDiagnosis(
  name: string,
  diagnosis: Diagnosis,
  { sentences, history, script, columnsScript }: Beside = NOTHING,
): Promise<string> {
  const sections = [
    diagnosisVerdict(diagnosis),
    await experimentsSection(diagnosis),
    causesSection(diagnosis),
    script && html`<section><h2>Lines that fix your script</h2>${copyableLines(script)}</section>`,
    columnsScript && html`<section><h2>Lines for scikit-learn</h2>${copyableLines(columnsScript)}</section>`,
    await curveSection(sentences, history, diagnosis.baseRateLoss),
    dataSection(diagnosis),
    networksSection(diagnosis),
  ];
  return renderDocument(name, diagnosis.verdict.code, "diagnosis", sections, (script ?? columnsScript) && COPY_SCRIPT);
}

/** The user's own curve, drawn and in words. */
async function curveSection(
  sentences: readonly string[],
  history: History | undefined,
  baseRateLoss: number | null,
): Promise<Markup | null> {
  if (sentences.length === 0 && history === undefined) return null;
  const curves = history === undefined ? [] : historyCurves(history);
  const figure =
    history === undefined
      ? null
      : frame(
          await drawHistory(history, baseRateLoss),
          html`<b>Loss by epoch</b>, as your file has it.${baseRateLoss === null ? "" : " The dashed line without a name is the base rate of the whole file."}`,
          lineLegend(curves.map(({ name }) => name)),
        );
  return html`<section><h2>Your own curve</h2>${figure === null ? list(sentences) : html`<div class="pair">${figure}${list(sentences)}</div>`}</section>`;
}

function list(sentences: readonly string[]): Markup {
  return html`<ul class="warnings">${sentences.map((text) => html`<li>${text}</li>`)}</ul>`;
}

function diagnosisVerdict({ verdict, examples, positiveRate, baseRateLoss, baseline, fixed, signal }: Diagnosis): Markup {
  const { code, text, next } = verdict;
  const keys: [name: string, value: string, note: string][] = [
    ["Sequences", count(examples), positiveRate === null ? "" : `${percent(positiveRate)} positive`],
    ["Base rate", formatNumber(baseRateLoss), "log loss of always answering the positive rate, nats"],
  ];
  if (baseline) keys.push(["Baseline setup", formatNumber(baseline.loss), `run as ${describeRun(baseline.settings, baseline.training)}`]);
  if (fixed && code !== "healthy") keys.push(["Fixed setup", formatNumber(fixed.loss), "held out, with the same small budget"]);
  if (signal) {
    const { auc, p, smallest } = signal;
    keys.push(["AUC of a probe", formatNumber(auc, 3), `p = ${formatNumber(p, 3)}; detectable from ${formatNumber(smallest, 3)} on`]);
  }
  return verdictSection({ isGood: code === "healthy", title: code, text, next, keys });
}

async function experimentsSection({ baseline, fixed, causes, baseRateLoss, verdict }: Diagnosis): Promise<Markup | null> {
  if (!baseline || !fixed || baseRateLoss === null) return null;
  const isHealthy = verdict.code === "healthy";
  const tested = causes.filter((cause) => cause.added !== undefined && cause.removed !== undefined);
  const rows = [
    { name: "baseline setup", loss: baseline.loss },
    ...tested.map(({ code, added }) => ({ name: `baseline + fix of ${code}`, loss: baseline.loss - (added ?? 0) })),
    ...tested.map(({ code, removed }) => ({ name: `fixed − fix of ${code}`, loss: fixed.loss + (removed ?? 0) })),
    ...(isHealthy ? [] : [{ name: "fixed setup", loss: fixed.loss }]),
  ];
  const curves = [{ name: "baseline setup", losses: baseline.curve }, ...(isHealthy ? [] : [{ name: "fixed setup", losses: fixed.curve }])];
  return html`
    <section><h2>The experiments</h2>
      <p class="lead">An experiment is a short training run. Two experiments that are compared differ in one thing and hold out the same sequences. Every loss is that of held-out sequences.</p>
      <div class="pair">
        ${frame(await drawExperiments(rows, baseRateLoss), html`<b>One fix at a time.</b> Each fix is added to the baseline setup, and taken out of the fixed setup. The dashed line is the base rate.`)}
        ${frame(
          await drawTraining(curves, baseRateLoss),
          html`<b>Along training.</b> The dashed line without a name is the base rate: a curve that stays on it shows that nothing but the positive rate is learnt.`,
          lineLegend(curves.map(({ name }) => name)),
        )}
      </div>
      <p class="note">Inputs of the fixed setup: ${describeInputs(fixed)}.</p>
    </section>`;
}

function describeInputs({ plan }: NonNullable<Diagnosis["fixed"]>): string {
  const channels = plan.channels.map((channel) => describeChannel(channel, plan.features)).join(", ");
  return `${channels}${plan.standardise ? ", standardised" : ""}; padding: ${plan.padding}`;
}

function causesSection({ causes }: Diagnosis): Markup | null {
  if (causes.length === 0) return null;
  const row = ({ code, certainty, evidence, fix, added, removed }: Cause): Markup =>
    html`<tr><th scope="row">${code}<small>${certainty}</small></th><td>${formatNumber(added)}</td><td>${formatNumber(removed)}</td><td>${evidence}<small>Fix: ${fix}</small></td></tr>`;
  return html`
    <section><h2>Causes</h2>
      ${wideTable(html`<table class="parts"><caption>Gain: nats of held-out log loss that the fix gains on the baseline setup. Loss: nats that the fixed setup loses without the fix.</caption>
      <thead><tr><th scope="col">Cause</th><th scope="col">Gain</th><th scope="col">Loss</th><th scope="col">Evidence and fix</th></tr></thead>
      <tbody>${causes.map(row)}</tbody></table>`)}
    </section>`;
}

function dataSection({ features, notes }: Diagnosis): Markup | null {
  if (features.length + notes.length === 0) return null;
  const row = ({ name, lowest, highest, mean, deviation, within, zeros, missing }: FeatureSummary): Markup =>
    html`<tr><th scope="row">${name}</th><td>${range(lowest, highest)}</td><td>${short(mean)}</td><td>${short(deviation)}</td><td>${percent(within)}</td><td>${percent(zeros)}</td><td>${percent(missing)}</td></tr>`;
  const more = features.length - MAX_DESCRIBED;
  return html`
    <section><h2>The data</h2>
      ${
        features.length === 0
          ? null
          : html`${wideTable(html`<table>
      <thead><tr><th scope="col">Feature</th><th scope="col">Range</th><th scope="col">Mean</th><th scope="col">Standard deviation</th><th scope="col">Variance within sequences</th><th scope="col">Zeros</th><th scope="col">Missing</th></tr></thead>
      <tbody>${features.slice(0, MAX_DESCRIBED).map(row)}</tbody></table>`)}
      <p class="note">Over valid rows.${more > 0 ? ` ${count(more)} more features are left out.` : ""}</p>`
      }
      ${notes.length === 0 ? null : list(notes)}
    </section>`;
}

function networksSection(diagnosis: Diagnosis): Markup | null {
  const numbers = listNetworkNumbers(diagnosis);
  if (numbers.length === 0) return null;
  const isHealthy = diagnosis.verdict.code === "healthy";
  return html`
    <section><h2>The networks</h2>
      ${wideTable(html`<table>
      <thead><tr><th scope="col">Number</th><th scope="col">Baseline setup</th>${isHealthy ? null : html`<th scope="col">Fixed setup</th>`}</tr></thead>
      <tbody>${numbers.map(({ name, note, baseline, fixed }) => html`<tr><th scope="row">${name}<small>${note}</small></th><td>${baseline}</td>${isHealthy ? null : html`<td>${fixed}</td>`}</tr>`)}</tbody></table>`)}
    </section>`;
}
