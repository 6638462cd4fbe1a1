// What the model leans on: the rise of the log loss by feature, by channel and by row, and how the probability goes with a channel.
import type { Influence } from "../../shared/model.ts";
import type { Effect, StepEffect } from "../explanation/importance.ts";
import { charactersIn, formatNumber, short, shortenMiddle, ticks, widthOfNames } from "../html/format.ts";
import type { Markup } from "../html/html.ts";
import { BLUE, MUTED } from "../html/palette.ts";
import { draw } from "../html/plot.ts";

/** Of the names at the left and the marks together, and of the names at most, in units of the SVG. */
const WIDTH = 384;
const MAX_NAMES = 252;

/** Features or channels, of `kind`, by what they matter. */
export function drawImportance(rows: Influence["features"], kind: "feature" | "channel"): Promise<Markup> {
  const domain = effectDomain(rows);
  const height = 20 * rows.length;
  const names = widthOfNames(
    rows.map(({ name }) => name),
    MAX_NAMES,
  );
  return draw({
    alt: `Rise of log loss when a ${kind} is permuted: ${rows.map(({ name, rise, halfWidth }) => `${name} ${formatNumber(rise)} ± ${formatNumber(halfWidth)}`).join("; ")}.`,
    width: WIDTH - names,
    height,
    margin: { left: names + 14, right: 22, top: 8, bottom: 42 },
    x: { domain, ticks: ticks(...domain, 6), format: "~f", grid: true, title: "rise of log loss, nats" },
    y: { domain: [rows.length - 0.5, -0.5] },
    layers: [
      { mark: { type: "rule", color: MUTED.light }, data: [{ x: 0, y: -0.5, y2: rows.length - 0.5 }] },
      {
        mark: { type: "rule", color: BLUE.light, strokeWidth: 1.5 },
        data: rows.map(({ rise, halfWidth }, y) => ({ x: rise - halfWidth, x2: rise + halfWidth, y })),
      },
      {
        mark: { type: "point", filled: true, opacity: 1, size: 46, color: BLUE.light },
        data: rows.map(({ rise }, y) => ({ x: rise, y })),
      },
      {
        mark: { type: "text", align: "right", baseline: "middle", dx: -10 },
        data: rows.map(({ name }, y) => ({ x: domain[0], y, text: shortenMiddle(name, charactersIn(names)) })),
      },
    ],
  });
}

/** Steps in the order of time, the last row at the right. */
export function drawStepImportance(effects: readonly StepEffect[]): Promise<Markup> {
  const domain = effectDomain(effects);
  const names = effects.map(({ from, to }) => (from === to ? stepName(from) : `${stepName(to)} to ${stepName(from)}`));
  const stride = Math.ceil(effects.length / (effects.some(({ from, to }) => from !== to) ? 5 : 12));
  const xOf = (i: number): number => effects.length - 1 - i;
  return draw({
    alt: `Rise of log loss when a row is permuted, by rows before the last: ${effects.map(({ rise, halfWidth }, i) => `${names[i]}: ${formatNumber(rise)} ± ${formatNumber(halfWidth)}`).join("; ")}.`,
    width: 338,
    height: 220,
    margin: { left: 60, right: 22, top: 30, bottom: 42 },
    x: { domain: [-0.5, effects.length - 0.5], ticks: [], title: "row, counted from the last" },
    y: { domain, ticks: ticks(...domain, 5), format: "~f", grid: true, title: "rise of log loss, nats" },
    layers: [
      { mark: { type: "rule", color: MUTED.light }, data: [{ x: -0.5, x2: effects.length - 0.5, y: 0 }] },
      {
        mark: { type: "rule", color: BLUE.light, strokeWidth: 1.5 },
        data: effects.map(({ rise, halfWidth }, i) => ({ x: xOf(i), y: rise - halfWidth, y2: rise + halfWidth })),
      },
      {
        mark: { type: "point", filled: true, opacity: 1, size: 46, color: BLUE.light },
        data: effects.map(({ rise }, i) => ({ x: xOf(i), y: rise })),
      },
      {
        mark: { type: "text", align: "center", baseline: "top", dy: 7, color: MUTED.light },
        data: names.flatMap((text, i) => (i % stride === 0 ? [{ x: xOf(i), y: domain[0], text }] : [])),
      },
    ],
  });
}

/** The mean probability along a channel's values, over the range of all curves; a dot where it was asked. */
export function drawDependence(
  { name, at, probabilities }: Influence["dependence"][number],
  range: readonly [number, number],
): Promise<Markup> {
  const domain: [number, number] = [at[0], at[at.length - 1]];
  const points = at.map((x, i) => ({ x, y: probabilities[i] }));
  return draw({
    alt: `Mean probability where ${name} is: ${points.map(({ x, y }) => `${short(x)}: ${formatNumber(y, 3)}`).join("; ")}.`,
    width: 250,
    height: 170,
    margin: { left: 44, right: 18, top: 30, bottom: 42 },
    x: { domain, ticks: ticks(...domain, 4), format: plainFormat(domain), title: shortenMiddle(name, 34) },
    y: { domain: range, ticks: ticks(...range, 5), format: "~f", grid: true, title: "mean probability" },
    layers: [
      { mark: { type: "line", color: BLUE.light, strokeWidth: 2 }, data: points },
      { mark: { type: "point", filled: true, opacity: 1, size: 36, color: BLUE.light }, data: points },
    ],
  });
}

/** d3's format of ticks: decimals, where these are short enough to stand beside each other. */
function plainFormat(domain: readonly number[]): string {
  const largest = Math.max(...domain.map(Math.abs));
  return largest >= 1e-3 && largest < 1e6 ? "~r" : "~g";
}

/** From below the lowest probability of all curves to above the highest. */
export function dependenceRange(curves: Influence["dependence"]): [number, number] {
  const all = curves.flatMap(({ probabilities }) => probabilities);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = Math.max(0.02, (high - low) * 0.08);
  return [Math.max(0, low - room), Math.min(1, high + room)];
}

function stepName(age: number): string {
  return age === 0 ? "last" : `−${age}`;
}

function effectDomain(effects: readonly Effect[]): [number, number] {
  const low = Math.min(0, ...effects.map(({ rise, halfWidth }) => rise - halfWidth));
  const high = Math.max(0, ...effects.map(({ rise, halfWidth }) => rise + halfWidth));
  const room = Math.max(0.0005, (high - low) * 0.05);
  return [low - room, high + room];
}
