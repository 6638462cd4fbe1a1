// The user's own training curve as a figure.
import { formatNumber, ticks } from "../html/format.ts";
import type { Markup } from "../html/html.ts";
import { LINE_STYLES, MUTED } from "../html/palette.ts";
import { draw, type Layer } from "../html/plot.ts";
import type { History } from "./training-log.ts";

/** Points of a line that is drawn, at most: beyond, evenly spaced ones and the last. */
const MAX_POINTS = 400;

/** The curves of `history` that are drawn, in the order of LINE_STYLES. */
export function historyCurves({ loss, valLoss }: History): { readonly name: string; readonly losses: readonly number[] }[] {
  const training = { name: valLoss === undefined ? "loss" : "training loss", losses: loss };
  return valLoss === undefined ? [training] : [{ name: "validation loss", losses: valLoss }, training];
}

/** Losses by epoch with a line at `baseRateLoss`; what is not finite is left out, and losses far above where curves end lie at the edge. */
export function drawHistory(history: History, baseRateLoss: number | null): Promise<Markup> {
  const curves = historyCurves(history);
  const epochs = history.loss.length;
  const finite = curves.flatMap(({ losses }) => losses).filter(Number.isFinite);
  const reference = baseRateLoss === null ? [] : [baseRateLoss];
  const all = [...finite, ...reference].sort((a, b) => a - b);
  const low = all[0] ?? 0;
  const usual = all[Math.floor(0.9 * (all.length - 1))] ?? 1;
  const high = Math.min(all[all.length - 1] ?? 1, 2 * usual);
  const room = Math.max(0.005, 0.08 * (high - low));
  const domain = [Math.max(0, low - room), high + room] as const;
  const stride = Math.ceil(epochs / MAX_POINTS);
  return draw({
    alt: `Your own curve over ${epochs} epochs: ${curves.map(({ name, losses }) => `${name} from ${formatNumber(losses[0])} to ${formatNumber(losses[losses.length - 1])}`).join(", ")}${baseRateLoss === null ? "" : `; base rate ${formatNumber(baseRateLoss)}`}.`,
    width: 330,
    height: 200,
    margin: { left: 46, right: 20, top: 30, bottom: 42 },
    x: {
      domain: [1, Math.max(2, epochs)],
      ticks: ticks(1, Math.max(2, epochs), Math.min(6, epochs)).filter(Number.isInteger),
      format: "d",
      title: "epoch",
    },
    y: { domain, ticks: ticks(...domain, 5), format: "~f", grid: true, title: "loss" },
    layers: [
      ...reference.map(
        (y): Layer => ({ mark: { type: "rule", color: MUTED.light, strokeDash: [4, 3] }, data: [{ x: 1, x2: Math.max(2, epochs), y }] }),
      ),
      ...curves.flatMap(({ losses }, i): Layer[] => {
        const { color, strokeWidth, strokeDash } = LINE_STYLES[i];
        const data = losses.flatMap((y, e) =>
          Number.isFinite(y) && (e % stride === 0 || e === losses.length - 1) ? [{ x: e + 1, y }] : [],
        );
        return [
          { mark: { type: "line", color, strokeWidth, strokeDash }, data },
          { mark: { type: "point", filled: true, opacity: 1, size: 14, color }, data: epochs <= 3 ? data : [] },
        ];
      }),
    ],
  });
}
