// A diagnosis as one HTML page.
import { describeChannel } from "../../shared/recipe/channel.ts";
import { renderDocument } from "../html/document.ts";
import { count, formatNumber, percent, ticks } from "../html/format.ts";
import { frame, lineLegend } from "../html/frame.ts";
import { html, type Markup } from "../html/html.ts";
import { GREY, LINE_STYLES, MUTED } from "../html/palette.ts";
import { draw, type Layer } from "../html/plot.ts";
import { verdictSection } from "../html/verdict-section.ts";
import type { Cause } from "./cause.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { CHECKPOINTS } from "./fold-training.ts";
import { describeBaselineSetup } from "./setup.ts";

export interface Beside {
  /** About the user's own curve. */
  readonly sentences: readonly string[];
  /** The lines that fix the user's script, where there are any. */
  readonly script: readonly string[] | undefined;
}

const NOTHING: Beside = { sentences: [], script: undefined };

/** The whole page, verdict first. The same diagnosis gives the same bytes. */
export async function renderDiagnosis(name: string, diagnosis: Diagnosis, { sentences, script }: Beside = NOTHING): Promise<string> {
  const { verdict, notes } = diagnosis;
  return renderDocument(name, verdict.code, "diagnosis", [
    diagnosisVerdict(diagnosis),
    await experimentsSection(diagnosis),
    causesSection(diagnosis),
    script &&
      html`<section><h2>Lines that fix your script</h2><div class="wide"><pre>${script.map((line) => html`${line}\n`)}</pre></div></section>`,
    sentences.length === 0 ? null : html`<section><h2>Your own curve</h2>${list(sentences)}</section>`,
    html`<section><h2>The data and the networks</h2>${list(notes)}</section>`,
  ]);
}

function list(sentences: readonly string[]): Markup {
  return html`<ul class="warnings">${sentences.map((text) => html`<li>${text}</li>`)}</ul>`;
}

function diagnosisVerdict({ verdict, examples, positiveRate, baseRateLoss, baseline, fixed, signal }: Diagnosis): Markup {
  const { code, text } = verdict;
  const keys: [name: string, value: string, note: string][] = [
    ["Sequences", count(examples), positiveRate === null ? "" : `${percent(positiveRate)} positive`],
    ["Base rate", formatNumber(baseRateLoss), "log loss of always answering the positive rate, nats"],
  ];
  if (baseline) keys.push(["Baseline setup", formatNumber(baseline.loss), describeBaselineSetup(baseline.settings)]);
  if (fixed && code !== "healthy") keys.push(["Fixed setup", formatNumber(fixed.loss), "held out, within the same small budget"]);
  if (signal) {
    const { auc, p, smallest } = signal;
    keys.push(["AUC of a probe", formatNumber(auc, 3), `p = ${formatNumber(p, 3)}; ${formatNumber(smallest, 3)} would have been found`]);
  }
  return verdictSection({ isGood: code === "healthy", title: code, text, keys });
}

async function experimentsSection({ baseline, fixed, causes, baseRateLoss, verdict }: Diagnosis): Promise<Markup | null> {
  if (!baseline || !fixed || baseRateLoss === null) return null;
  const isHealthy = verdict.code === "healthy";
  const measured = causes.filter((cause) => cause.added !== undefined && cause.removed !== undefined);
  const bars = [
    { name: "baseline setup", loss: baseline.loss },
    ...measured.map(({ code, added }) => ({ name: `baseline + ${code}`, loss: baseline.loss - (added ?? 0) })),
    ...measured.map(({ code, removed }) => ({ name: `fixed − ${code}`, loss: fixed.loss + (removed ?? 0) })),
    ...(isHealthy ? [] : [{ name: "fixed setup", loss: fixed.loss }]),
  ];
  return html`
    <section><h2>The experiments</h2>
      <p class="lead">Short training runs on the same sequences, differing in one thing; the loss is of sequences held out.</p>
      <div class="pair">
        ${frame(await drawBars(bars, baseRateLoss), html`<b>One thing at a time.</b> “baseline + …”: the fix of one cause added to the baseline setup. “fixed − …”: the same fix taken out of the fixed setup. The dashed line is the base rate.`)}
        ${frame(
          await drawCurves(
            [
              { name: "baseline setup", losses: baseline.curve },
              { name: "fixed setup", losses: isHealthy ? [] : fixed.curve },
            ],
            baseRateLoss,
          ),
          html`<b>Along the way.</b> Held-out loss by the share of the budget. Where both lines lie on the dashed one, nothing is learnt but how common 1s are.`,
          lineLegend(isHealthy ? ["baseline setup"] : ["baseline setup", "fixed setup"]),
        )}
      </div>
      <p class="note">Fixed setup: ${fixed.plan.channels.map((channel) => describeChannel(channel, fixed.plan.features)).join(", ")}${fixed.plan.standardise ? ", standardised" : ""}; padding: ${fixed.plan.padding}.</p>
    </section>`;
}

function causesSection({ causes }: Diagnosis): Markup | null {
  if (causes.length === 0) return null;
  const row = ({ code, certainty, evidence, fix, added, removed }: Cause): Markup =>
    html`<tr><th scope="row">${code}<small>${certainty}</small></th><td>${formatNumber(added)}</td><td>${formatNumber(removed)}</td><td>${evidence}<small>${fix}</small></td></tr>`;
  return html`
    <section><h2>Causes</h2>
      <div class="wide"><table class="parts"><caption>Nats of held-out log loss: what the fix gains on the baseline setup, and what the fixed setup loses without the fix.</caption>
      <thead><tr><th scope="col">cause</th><th scope="col">gains</th><th scope="col">loses</th><th scope="col">evidence and fix</th></tr></thead>
      <tbody>${causes.map(row)}</tbody></table></div>
    </section>`;
}

function drawBars(bars: readonly { name: string; loss: number }[], baseRateLoss: number): Promise<Markup> {
  const losses = [...bars.map(({ loss }) => loss), baseRateLoss];
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  const room = Math.max(0.005, 0.1 * (high - low));
  const domain = [Math.max(0, low - room), high + room] as const;
  return draw({
    alt: `Held-out log loss: ${bars.map(({ name, loss }) => `${name} ${formatNumber(loss)}`).join(", ")}; base rate ${formatNumber(baseRateLoss)}.`,
    width: 210,
    height: 24 * bars.length + 10,
    margin: { left: 224, right: 20, top: 8, bottom: 42 },
    x: { domain, ticks: ticks(...domain, 4), format: "~f", title: "log loss, nats" },
    y: { domain: [bars.length - 0.4, -0.6] },
    layers: [
      {
        mark: { type: "rule", color: MUTED.light, strokeDash: [4, 3] },
        data: [{ x: baseRateLoss, y: -0.6, y2: bars.length - 0.4 }],
      },
      ...bars.map(
        ({ loss }, i): Layer => ({
          mark: { type: "rule", color: GREY.light, strokeWidth: 2 },
          data: [{ x: loss, x2: baseRateLoss, y: i }],
        }),
      ),
      {
        mark: { type: "point", filled: true, opacity: 1, size: 80, color: LINE_STYLES[0].color },
        data: bars.map(({ loss }, i) => ({ x: loss, y: i })),
      },
      {
        mark: { type: "text", align: "right", dx: -8, clip: false },
        data: bars.map(({ name }, i) => ({ x: domain[0], y: i, text: name })),
      },
    ],
  });
}

function drawCurves(curves: readonly { name: string; losses: readonly number[] }[], baseRateLoss: number): Promise<Markup> {
  const all = [...curves.flatMap(({ losses }) => losses), baseRateLoss];
  const low = Math.min(...all);
  const high = Math.min(Math.max(...all), 2 * baseRateLoss);
  const room = Math.max(0.005, 0.08 * (high - low));
  const domain = [Math.max(0, low - room), high + room] as const;
  return draw({
    alt: `Held-out log loss along training: ${curves.map(({ name, losses }) => `${name} from ${formatNumber(losses[0])} to ${formatNumber(losses[losses.length - 1])}`).join(", ")}; base rate ${formatNumber(baseRateLoss)}.`,
    width: 330,
    height: 200,
    margin: { left: 46, right: 20, top: 30, bottom: 42 },
    x: { domain: [0, 100], ticks: [0, 25, 50, 75, 100], format: "d", title: "% of the budget" },
    y: { domain, ticks: ticks(...domain, 5), format: "~f", grid: true, title: "log loss, nats" },
    layers: [
      { mark: { type: "rule", color: MUTED.light, strokeDash: [4, 3] }, data: [{ x: 0, x2: 100, y: baseRateLoss }] },
      ...curves.map(({ losses }, i): Layer => {
        const { color, strokeWidth, strokeDash } = LINE_STYLES[i];
        return {
          mark: { type: "line", color, strokeWidth, strokeDash },
          data: losses.map((y, k) => ({ x: 100 * [0, ...CHECKPOINTS][k], y })),
        };
      }),
    ],
  });
}
