// Figures of how the model came about and of what it leans on: learning curves, importance.

import { figure, shorten, spreadOut, ticks } from "../html/format.ts";
import type { Markup } from "../html/html.ts";
import { BLUE, GREY, MUTED } from "../html/palette.ts";
import { draw, type Layer } from "../html/plot.ts";
import type { ReportContent } from "./content.ts";
import type { Effect, StepEffect } from "./importance.ts";
import { LINE_STYLES } from "./score-figures.ts";

/** Loss by epoch. Losses far above the baselines are drawn at the upper edge. */
export function drawLearning({ learning }: Pick<ReportContent, "learning">): Promise<Markup> {
  const { history, lines, bestEpoch } = learning;
  const width = 250;
  const height = 264;
  const epochs = Math.max(1, history.length);
  const curves = [
    { name: "validation", style: LINE_STYLES[0], losses: history.map(({ validationLoss }) => validationLoss) },
    { name: "training", style: LINE_STYLES[3], losses: history.map(({ trainLoss }) => trainLoss) },
  ];
  const references = lines.filter(({ logLoss }) => Number.isFinite(logLoss));
  const finite = curves.flatMap(({ losses }) => losses).filter(Number.isFinite);
  const floor = Math.min(...finite, ...references.map(({ logLoss }) => logLoss));
  const settled = [...curves.map(({ losses }) => losses[losses.length - 1]), ...references.map(({ logLoss }) => logLoss)].filter(
    Number.isFinite,
  );
  const ceiling = Math.min(Math.max(...finite, ...settled), Math.max(...settled) * 1.5);
  const room = Math.max(0.005, (ceiling - floor) * 0.08);
  const domain = [Math.max(0, floor - room), ceiling + room] as const;
  const endings = [
    ...references.map(({ name, logLoss }) => ({ text: shorten(name, 20), y: logLoss, color: MUTED.light })),
    ...curves
      .filter(({ losses }) => losses.length > 0)
      .map(({ name, losses, style }) => ({ text: name, y: losses[losses.length - 1], color: style.color })),
  ].map((ending) => ({ ...ending, y: Math.min(domain[1], ending.y) }));
  const places = spreadOut(
    endings.map(({ y }) => y),
    ((domain[1] - domain[0]) / height) * 15,
    ...domain,
  );
  const best = history[bestEpoch - 1];
  const [first, last] = [history[0], history[history.length - 1]];
  return draw({
    alt: `Learning curves over ${history.length} epochs: training log loss from ${figure(first?.trainLoss)} to ${figure(last?.trainLoss)}, validation from ${figure(first?.validationLoss)} to ${figure(last?.validationLoss)}, best ${figure(best?.validationLoss)} at epoch ${bestEpoch}. On the validation part ${references.map(({ name, logLoss }) => `${name} has ${figure(logLoss)}`).join(", ")}.`,
    width,
    height,
    margin: { left: 46, right: 124, top: 30, bottom: 42 },
    x: {
      domain: [Math.min(1, epochs - 1), Math.max(2, epochs)],
      ticks: ticks(1, epochs, Math.min(6, epochs)).filter(Number.isInteger),
      format: "d",
      title: "epoch",
    },
    y: { domain, ticks: ticks(...domain, 5), format: "~f", grid: true, title: "log loss, nats" },
    layers: [
      ...references.map(
        ({ logLoss }, i): Layer => ({
          mark: {
            type: "rule",
            color: GREY.light,
            strokeWidth: 1.2,
            strokeDash: [
              [6, 3],
              [2, 2],
              [1, 4],
              [10, 3],
            ][i % 4],
          },
          data: [{ x: 0, x2: Math.max(2, epochs), y: logLoss }],
        }),
      ),
      ...curves.flatMap(({ losses, style }): Layer[] => {
        const data = losses.flatMap((y, i) => (Number.isFinite(y) ? [{ x: i + 1, y }] : []));
        return [
          { mark: { type: "line", color: style.color, strokeWidth: style.strokeWidth, strokeJoin: "round" }, data },
          { mark: { type: "point", filled: true, opacity: 1, size: 14, color: style.color }, data: epochs <= 3 ? data : [] },
        ];
      }),
      {
        mark: { type: "point", filled: true, opacity: 1, size: 70, color: BLUE.light },
        data: best && Number.isFinite(best.validationLoss) ? [{ x: bestEpoch, y: best.validationLoss }] : [],
      },
      ...endings.map(
        ({ text, color }, i): Layer => ({
          mark: { type: "text", align: "left", baseline: "middle", color, dx: 6 },
          data: [{ x: Math.max(2, epochs), y: places[i], text }],
        }),
      ),
    ],
  });
}

export const MAX_EFFECTS = 20;

/** Channels by what they matter, the most first. */
export function drawChannelImportance(effects: readonly Effect[], channels: readonly string[]): Promise<Markup> {
  const rows = effects
    .map((effect, c) => ({ ...effect, name: channels[c] }))
    .sort((a, b) => b.rise - a.rise)
    .slice(0, MAX_EFFECTS);
  const domain = effectDomain(rows);
  const height = 20 * rows.length;
  return draw({
    alt: `Rise of log loss when a channel is permuted: ${rows.map(({ name, rise, halfWidth }) => `${name} ${figure(rise)} ± ${figure(halfWidth)}`).join("; ")}.`,
    width: 244,
    height,
    margin: { left: 154, right: 22, top: 8, bottom: 42 },
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
        data: rows.map(({ name }, y) => ({ x: domain[0], y, text: shorten(name, 21) })),
      },
    ],
  });
}

/** Steps in the order of time, the last row at the right. */
export function drawStepImportance(effects: readonly StepEffect[]): Promise<Markup> {
  const domain = effectDomain(effects);
  const names = effects.map(({ from, to }) => (from === to ? stepName(from) : `${stepName(to)} to ${stepName(from)}`));
  const stride = Math.ceil(effects.length / (effects.some(({ from, to }) => from !== to) ? 5 : 12));
  const place = (i: number): number => effects.length - 1 - i;
  return draw({
    alt: `Rise of log loss when a row is permuted, by rows before the last: ${effects.map(({ rise, halfWidth }, i) => `${names[i]}: ${figure(rise)} ± ${figure(halfWidth)}`).join("; ")}.`,
    width: 338,
    height: 220,
    margin: { left: 60, right: 22, top: 30, bottom: 42 },
    x: { domain: [-0.5, effects.length - 0.5], ticks: [], title: "row, counted from the last" },
    y: { domain, ticks: ticks(...domain, 5), format: "~f", grid: true, title: "rise of log loss, nats" },
    layers: [
      { mark: { type: "rule", color: MUTED.light }, data: [{ x: -0.5, x2: effects.length - 0.5, y: 0 }] },
      {
        mark: { type: "rule", color: BLUE.light, strokeWidth: 1.5 },
        data: effects.map(({ rise, halfWidth }, i) => ({ x: place(i), y: rise - halfWidth, y2: rise + halfWidth })),
      },
      {
        mark: { type: "point", filled: true, opacity: 1, size: 46, color: BLUE.light },
        data: effects.map(({ rise }, i) => ({ x: place(i), y: rise })),
      },
      {
        mark: { type: "text", align: "center", baseline: "top", dy: 7, color: MUTED.light },
        data: names.flatMap((text, i) => (i % stride === 0 ? [{ x: place(i), y: domain[0], text }] : [])),
      },
    ],
  });
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
