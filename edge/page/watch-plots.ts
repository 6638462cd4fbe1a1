// Plots of drift and of what came true: SVG, made here. Each says in words what it shows.
import type { QuantityDrift } from "../../shared/drift/watch.ts";
import type { Estimate, ReliabilityBin } from "../../shared/model.ts";
import { element, percent, svg } from "./elements.ts";

/** As GET /v1/models/{name}/performance gives it. */
export interface Live {
  readonly outcomes: number;
  readonly positiveRate: number | null;
  readonly logLoss: Estimate | null;
  readonly auc: number | null;
  readonly calibrationSlope: number | null;
  readonly reliability: readonly ReliabilityBin[];
  /** The newest first. */
  readonly days: readonly { readonly day: string; readonly outcomes: number; readonly logLoss: Estimate | null }[];
  readonly outcomesByState: Readonly<Record<string, number>>;
  readonly evidence: number;
  readonly changed: boolean;
  readonly card: { readonly logLoss: number; readonly auc: number | null } | null;
}

const [WIDTH, HEIGHT] = [300, 170];
/** Room for the texts of the axes. */
const [LEFT, BOTTOM, TOP] = [48, 24, 10];
/** Days that are drawn. */
const MOST_DAYS = 60;

/** A plot with its title above and what it says for who does not see it. */
export function figure(title: string, said: string, parts: readonly Node[], height = HEIGHT): HTMLElement {
  const made = element("figure", "");
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": said });
  picture.append(...parts);
  made.append(element("figcaption", title), picture);
  return made;
}

/** A text in a plot. */
export function label(x: number, y: number, content: string, anchor: "start" | "middle" | "end" = "start"): SVGElement {
  const made = svg("text", { x, y, "text-anchor": anchor });
  made.textContent = content;
  return made;
}

/** Evidence runs from 0 to 10^100. */
export function short(evidence: number): string {
  return evidence >= 1e4 ? evidence.toExponential(1) : evidence.toPrecision(2);
}

/** Where values between `low` and `high` lie, across and up. */
function scales(low: number, high: number) {
  return {
    x: (share: number) => LEFT + (WIDTH - LEFT - 6) * share,
    y: (value: number) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * (value - low)) / (high - low),
  };
}

/** A quantity's tenths: what came as bars, what training saw as a line over them. */
export function drawQuantity({ name, edges, reference, observed, stability, evidence }: QuantityDrift): HTMLElement {
  const highest = Math.max(...reference, ...observed, 1e-9);
  const { x, y } = scales(0, highest);
  const width = (x(1) - x(0)) / observed.length;
  const bars = observed.map((share, b) =>
    svg("rect", { x: x(0) + b * width + 1, y: y(share), width: Math.max(1, width - 2), height: y(0) - y(share), class: "came" }),
  );
  const d = reference.map((share, b) => `${b === 0 ? "M" : "L"}${x(0) + b * width} ${y(share)}h${width}`).join("");
  const at = (i: number) => Number(edges[i]?.toPrecision(3));
  const marks = edges.length === 0 ? [] : [0, edges.length - 1].map((i) => label(x(0) + (i + 1) * width, HEIGHT - 8, `${at(i)}`, "middle"));
  const grown = observed.reduce((most, share, b) => (share - reference[b] > observed[most] - reference[most] ? b : most), 0);
  const numbers = [
    ...(evidence === null ? [] : [`evidence ${short(evidence)}`]),
    ...(stability === null ? [] : [`stability index ${stability.toFixed(3)}`]),
  ].join(", ");
  const said = `${name}: ${numbers}. Part ${grown + 1} of ${observed.length} grew most, from ${percent(reference[grown])} to ${percent(observed[grown])}.`;
  return figure(`${name}: ${numbers}`, said, [
    ...bars,
    svg("path", { d, class: "trained" }),
    label(LEFT - 4, y(highest) + 4, percent(highest), "end"),
    label(LEFT - 4, y(0), "0", "end"),
    ...marks,
  ]);
}

/** Log loss by day with its interval, beside training's. */
export function drawDays({ days, card }: Live): HTMLElement {
  const shown = days
    .slice(0, MOST_DAYS)
    .toReversed()
    .flatMap(({ day, logLoss, outcomes }) => (logLoss ? [{ day, ...logLoss, outcomes }] : []));
  const values = [...shown.flatMap(({ low, high }) => [low, high]), ...(card ? [card.logLoss] : [])];
  const [low, high] = [Math.max(0, Math.min(...values)), Math.max(...values, 0.01)];
  const { x, y } = scales(low, high + 1e-9);
  const place = (i: number) => x((i + 0.5) / shown.length);
  const points = shown.flatMap((day, i) => [
    svg("path", { d: `M${place(i)} ${y(Math.max(low, day.low))}V${y(day.high)}`, class: "interval" }),
    svg("circle", { cx: place(i), cy: y(day.value), r: 3.5, class: "came" }),
  ]);
  const line = card ? [svg("path", { d: `M${x(0)} ${y(card.logLoss)}H${x(1)}`, class: "trained" })] : [];
  const [first, last] = [shown[0], shown.at(-1)!];
  const said = `Log loss by day, ${shown.length} days: ${first.value.toFixed(3)} on ${first.day}, ${last.value.toFixed(3)} on ${last.day}${card ? `; ${card.logLoss.toFixed(3)} in training` : ""}.`;
  return figure(`Log loss by day of the prediction, with 95 % intervals${card ? "; the line is training's" : ""}`, said, [
    ...line,
    ...points,
    label(LEFT - 4, y(high) + 4, high.toFixed(2), "end"),
    label(LEFT - 4, y(low), low.toFixed(2), "end"),
    label(x(0), HEIGHT - 8, first.day),
    ...(shown.length > 1 ? [label(x(1), HEIGHT - 8, last.day, "end")] : []),
  ]);
}

/** What was predicted against what came, with intervals; on the line both are the same. */
export function drawReliability({ reliability }: Live): HTMLElement {
  const { x, y } = scales(0, 1);
  const parts = reliability.flatMap(({ predicted, observed }) => [
    svg("path", { d: `M${x(predicted)} ${y(observed.low)}V${y(observed.high)}`, class: "interval" }),
    svg("circle", { cx: x(predicted), cy: y(observed.value), r: 3.5, class: "came" }),
  ]);
  const pairs = reliability.map(({ predicted, observed }) => `${percent(predicted)} predicted, ${percent(observed.value)} came`);
  return figure("Predicted (across) and came true (up), with 95 % intervals", `Reliability: ${pairs.join("; ")}.`, [
    svg("path", { d: `M${x(0)} ${y(0)}L${x(1)} ${y(1)}`, class: "trained" }),
    ...parts,
    label(LEFT - 4, y(1) + 4, "100 %", "end"),
    label(LEFT - 4, y(0), "0 %", "end"),
    label(x(1), HEIGHT - 8, "100 %", "end"),
  ]);
}
