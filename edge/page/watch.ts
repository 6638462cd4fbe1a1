// What became of the chosen model since it is served: drift, what came true, and its challenger beside it, as plots.
import type { DriftReport } from "../../shared/drift/watch.ts";
import { type Compared, drawDifferences, drawLabels, drawLosses } from "./comparison-plots.ts";
import { $, element, percent, quiet } from "./elements.ts";
import { listModels, pathOf, whyUnwatched } from "./models.ts";
import { askJson } from "./service.ts";
import { drawDays, drawQuantity, drawReliability, type Live, short } from "./watch-plots.ts";

/** Quantities that are drawn: the service lists those with the most evidence first. */
const MOST_QUANTITIES = 6;
/** Counts the looks: an answer that a newer one overtook is not shown. */
let asked = 0;

const PARTS = { drift: showDrift, performance: showPerformance, compare: showComparison };

/** Asks for what is watched here, and shows it. */
export async function openWatch(): Promise<void> {
  const mine = ++asked;
  await listModels(); // a challenger may have come
  const look = async (part: keyof typeof PARTS): Promise<Node[]> => {
    const why = whyUnwatched(part);
    return why === undefined ? PARTS[part](await askJson<never>(pathOf(part))) : [element("p", why)];
  };
  await Promise.all(
    (Object.keys(PARTS) as (keyof typeof PARTS)[]).map(async (part) => {
      const nodes = await look(part).catch((error: Error) => [element("p", error.message)]);
      if (mine === asked) $(`watch-${part}`).replaceChildren(...nodes);
    }),
  );
}

function showDrift(drift: DriftReport): Node[] {
  const { sequences, evidence, alarm, alarmAfter, alarmAt, basis, quantities } = drift;
  const said =
    basis === "none" || evidence === null
      ? "The model holds nothing that a test could be built on: the plots are all there is."
      : alarm
        ? `Drift was detected, after ${alarmAfter} sequences: the evidence reached ${alarmAt}.`
        : `No drift was detected: the evidence is ${short(evidence)}, the alarm is at ${alarmAt}.`;
  const grid = element("div", "");
  grid.className = "grid";
  grid.append(...quantities.slice(0, MOST_QUANTITIES).map(drawQuantity));
  const verdict = element("p", said);
  if (alarm) verdict.className = "alarm";
  return [
    verdict,
    quiet(
      sequences === 0
        ? "No sequence was watched yet."
        : `${sequences} sequences were watched. Each plot has tenths of what training saw (line) beside what came (bars); those with the most evidence come first.`,
    ),
    ...(sequences === 0 ? [] : [grid]),
  ];
}

function showPerformance(live: Live): Node[] {
  const { outcomes, logLoss, auc, calibrationSlope, card, changed, evidence, outcomesByState } = live;
  const states = Object.entries(outcomesByState)
    .filter(([state, count]) => count > 0 && state !== "taken" && state !== "waiting")
    .map(([state, count]) => `${count} ${state}`);
  if (outcomes === 0) return [element("p", `No outcome came yet${states.length > 0 ? ` (${states.join(", ")})` : ""}.`)];
  const verdict = element(
    "p",
    changed
      ? "The probabilities do not hold any more: what comes true follows others."
      : `The probabilities hold, so far as is known: the evidence against them is ${short(evidence)}, the alarm is at 4000.`,
  );
  if (changed) verdict.className = "alarm";
  const beside = (value: number | null | undefined) => (typeof value === "number" ? value.toFixed(3) : "–");
  const plots = element("div", "");
  plots.className = "columns even";
  plots.append(drawDays(live), drawReliability(live));
  return [
    verdict,
    plots,
    quiet(
      `${outcomes} outcomes, ${percent(live.positiveRate)} of them 1${states.length > 0 ? `; told in vain: ${states.join(", ")}` : ""}. Log loss ${beside(logLoss?.value)}${card ? `, in training ${beside(card.logLoss)}` : ""}; ` +
        `AUC ${beside(auc)}${card ? `, in training ${beside(card.auc)}` : ""}; calibration slope ${beside(calibrationSlope)}.`,
    ),
  ];
}

function showComparison(compared: Compared): Node[] {
  const { challenger, shadow, share, paired, sequences, outcomes } = compared;
  const role =
    shadow === undefined
      ? `${challenger} answers ${percent(share)} of the requests. Each model scored its own sequences, so that differences are unpaired.`
      : `${challenger} scores ${percent(shadow)} of the requests in the shadow: ${sequences.model} sequences that both models scored.`;
  const plots = element("div", "");
  plots.className = "columns even";
  if (compared.logLoss?.difference) plots.append(drawLosses(compared));
  if (compared.labels !== null && sequences.model > 0) plots.append(drawLabels(compared.labels), drawDifferences(compared));
  const counted = paired ? `${outcomes.model} outcomes came.` : `${outcomes.model} and ${outcomes.challenger} outcomes came.`;
  return [
    element("p", role),
    plots,
    quiet(`${counted} Nothing decides by itself: publish the challenger as the current model, or withdraw it.`),
  ];
}
