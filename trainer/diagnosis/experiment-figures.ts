// Figures of the experiments: the loss of each, and along training.
import { formatNumber, ticks, widthOfNames } from "../html/format.ts";
import type { Markup } from "../html/html.ts";
import { GREY, LINE_STYLES, MUTED } from "../html/palette.ts";
import { draw, type Layer } from "../html/plot.ts";
import { CHECKPOINTS } from "./fold-training.ts";

/** Of the names at the left and the marks together, and of the names at most, in units of the SVG. */
const WIDTH = 422;
const MAX_NAMES = 272;

/** One row an experiment, with a line to the base rate; held-out losses in nats. */
export function drawExperiments(bars: readonly { name: string; loss: number }[], baseRateLoss: number): Promise<Markup> {
  const losses = [...bars.map(({ loss }) => loss), baseRateLoss];
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  const room = Math.max(0.005, 0.1 * (high - low));
  const domain = [Math.max(0, low - room), high + room] as const;
  const names = widthOfNames(
    bars.map(({ name }) => name),
    MAX_NAMES,
  );
  return draw({
    alt: `Held-out log loss: ${bars.map(({ name, loss }) => `${name} ${formatNumber(loss)}`).join(", ")}; base rate ${formatNumber(baseRateLoss)}.`,
    width: WIDTH - names,
    height: 24 * bars.length + 10,
    margin: { left: names + 12, right: 20, top: 8, bottom: 42 },
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

/** Held-out losses before training and at CHECKPOINTS, in the line styles of lineLegend. */
export function drawTraining(curves: readonly { name: string; losses: readonly number[] }[], baseRateLoss: number): Promise<Markup> {
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
    x: { domain: [0, 100], ticks: [0, 25, 50, 75, 100], format: "d", title: "% of the training steps" },
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
