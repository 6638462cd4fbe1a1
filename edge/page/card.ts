// The model's card: what it is made of, its metrics, its reliability, its recipe.
import type { ReliabilityBin } from "../../shared/model.ts";
import { $, element, percent, tableRow } from "./elements.ts";
import { showStatics } from "./rows.ts";
import { type Card, type Input, type Member, type Metrics, type Service, session } from "./service.ts";

const METRIC_TITLES = [
  ["logLoss", "log loss"],
  ["auc", "AUC"],
  ["prAuc", "PR-AUC"],
  ["accuracy", "accuracy"],
  ["brier", "Brier"],
  ["ece", "ECE"],
] as const;

/** `LSTM(32)`, or `0.50 × 212 trees + 0.30 × LSTM(32) + 0.20 × linear`, the most weighty first. */
function describeMembers(members: readonly Member[]): string {
  const nameOf = (member: Member): string => {
    switch (member.kind) {
      case "trees":
        return `${member.trees} trees`;
      case "linear":
        return "linear";
      case "onnx":
        return "an ONNX graph";
      case "layers":
        return `${member.networks > 1 ? `${member.networks} × ` : ""}${member.layers}`;
      case "lstm":
        return `${member.networks === 1 ? "" : `${member.networks} × `}LSTM(${member.units})${member.precision ? `, computed in ${member.precision}` : ""}`;
    }
  };
  if (members.length === 1 && members[0].kind !== "linear" && members[0].kind !== "trees") return nameOf(members[0]);
  return [...members]
    .sort((a, b) => b.weight - a.weight)
    .map((member) => `${member.weight.toFixed(2)} × ${nameOf(member)}`)
    .join(" + ");
}

/** What a row has, with the levels of categories. */
function namesOf(inputs: readonly Input[], clock: string | undefined): string {
  const names = inputs
    .filter((input) => !input.static)
    .map(({ name, levels }) => (levels === undefined ? name : `${name} (${levels.filter((level) => level !== "").join(", ")})`));
  return [...names, ...(clock === undefined ? [] : [`${clock}, its time`])].join(", ");
}

/** What 1 and 0 stand for. */
function sayLabels({ labels }: Service): void {
  $("label-line").hidden = labels === undefined;
  if (labels === undefined) return;
  const { name, one, zero } = labels;
  const words = one === 1 && zero === 0 ? "1 and 0, as in the training data" : `1 is ${one}, 0 is ${zero ?? "any other"}`;
  $("label-line").textContent = `${name === "label" ? "Label" : `Label ${name}`}: ${words}.`;
}

/** The form for what the model takes; what is plotted and explained has its features' names. */
export function showForm(about: Service): void {
  session.card = about;
  document.title = `${about.name} · Quickstep`;
  $("name").textContent = about.id;
  $("hint").textContent =
    about.recipe.inputs === undefined
      ? `Up to ${about.timesteps} rows, oldest first, of ${about.features.length} numbers: ${about.features.join(", ")}. Or JSON.`
      : `Up to ${about.timesteps} rows, oldest first, of ${namesOf(about.recipe.inputs, about.recipe.clock)}. Or JSON.`;
  showStatics();
  $("point").replaceChildren(...about.operatingPoints.map(({ name }) => new Option(name, name)));
}

/** Shows what is known of the model, in the form, too. */
export function showCard(about: Card | Service): void {
  showForm(about);
  $("card").hidden = false;
  sayLabels(about);
  if (!("metrics" in about)) {
    $("model-line").textContent = "The model takes the rows as they are; nothing is known of its training.";
    $("occluded").textContent = "0";
    $("recipe-line").textContent = "None: the network sees the rows, as float32.";
    return;
  }
  $("model-line").textContent =
    `${describeMembers(about.members)}, ` +
    (about.imported ? `imported from ${about.imported.file}.` : `trained on ${about.data.name}, split by ${about.split.by}.`) +
    (about.members.some(({ weight }) => weight !== 1) ? " Weights are of logits, and need not sum to 1." : "");
  const { metrics } = about;
  const rows: [string, Metrics][] = [
    ...(metrics ? [["this model", metrics] as [string, Metrics]] : []),
    ...Object.entries(about.baselines),
  ];
  const table = $<HTMLTableElement>("metrics");
  const judged = about.assessment === "nested-cross-validation" ? "By nested cross-validation of" : "On the test part:";
  $("metrics-title").textContent = metrics
    ? `${judged} ${metrics.examples?.toLocaleString("en")} sequences, ${percent(metrics.positiveRate)} of them 1`
    : "No metrics yet: the model has seen no labelled sequence here";
  table.tHead!.replaceChildren(tableRow("th", ["model", ...METRIC_TITLES.map(([, title]) => title)]));
  table.tBodies[0].replaceChildren(
    ...rows.map(([name, values]) => {
      const cells = METRIC_TITLES.map(([metric]) => withInterval(values[metric], values === metrics ? about.intervals[metric] : undefined));
      return tableRow("td", [name, ...cells]);
    }),
  );
  const { slope, intercept } = about.calibration;
  $("calibration").textContent =
    (metrics ? `Reliability: probabilities are off by ${percent(metrics.ece)} on average (ECE); calibrated` : "Calibrated") +
    ` with slope ${slope.toFixed(3)}, intercept ${(Math.round(1000 * intercept) / 1000 || 0).toFixed(3)}.`;
  showReliability(about.reliability ?? []);
  const [shortest, longest] = about.recipe.lengths;
  $("recipe-line").textContent =
    `All-zero rows: padding ${about.recipe.padding}. Lengths seen in training: ${shortest === longest ? shortest : `${shortest} to ${longest}`}. The channels of the feature search:`;
  $("channels").replaceChildren(...about.recipe.channels.map((channel) => element("li", channel)));
  $("warnings").replaceChildren(...about.warnings.map((warning) => element("li", warning)));
}

/** A row a bin: a band where the interval of what came lies on the way from 0 to 100 %, and a line at what was predicted. */
function showReliability(bins: readonly ReliabilityBin[]): void {
  $("reliability").hidden = bins.length === 0;
  $<HTMLTableElement>("reliability").tBodies[0].replaceChildren(
    ...bins.map(({ examples, predicted, observed: { value, low, high } }) => {
      const row = document.createElement("tr");
      const bar = element("td", "");
      const band = `rgba(var(--up-rgb), .4) ${100 * low}% ${Math.max(100 * high, 100 * low + 0.5)}%`;
      bar.style.background = `linear-gradient(to right, transparent ${100 * low}%, ${band}, transparent 0)`;
      const line = document.createElement("i");
      line.style.left = `calc(${100 * predicted}% - 1px)`;
      bar.append(line);
      row.append(
        element("th", percent(predicted)),
        element("td", `${percent(value)} (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`),
        bar,
        element("td", examples.toLocaleString("en")),
      );
      row.firstElementChild!.setAttribute("scope", "row");
      return row;
    }),
  );
}

function withInterval(value: number | null | undefined, half: number | null | undefined): string {
  if (typeof value !== "number") return "–";
  return typeof half === "number" ? `${value.toFixed(3)} ± ${half.toFixed(3)}` : value.toFixed(3);
}
