// Plots of a challenger beside the model that answers: SVG, made here. Each says in words what it shows.

import type { Estimate } from "../../shared/model.ts";
import { percent, svg } from "./elements.ts";
import { figure, label } from "./watch-plots.ts";

/** As GET /v1/models/{name}/compare gives it. */
export interface Compared {
  readonly challenger: string;
  readonly shadow?: number;
  readonly share?: number;
  readonly paired: boolean;
  readonly sequences: { readonly model: number; readonly challenger: number };
  readonly meanDifference: Estimate | null;
  readonly differences: readonly number[] | null;
  readonly labels: readonly (readonly number[])[] | null;
  readonly outcomes: { readonly model: number; readonly challenger: number };
  readonly logLoss: { readonly model: number; readonly challenger: number; readonly difference: Estimate | null } | null;
}

const [WIDTH, LEFT, RIGHT] = [300, 12, 288];

/** The difference of the log losses and its interval, around no difference. */
export function drawLosses({ logLoss, paired }: Compared): HTMLElement {
  const { model, challenger, difference } = logLoss!;
  const { value, low, high } = difference!;
  const widest = 1.1 * Math.max(Math.abs(low), Math.abs(high), 1e-6);
  const x = (at: number) => (LEFT + RIGHT) / 2 + ((RIGHT - LEFT) / 2) * (at / widest);
  const verdict = high < 0 ? "the challenger's is lower" : low > 0 ? "the challenger's is higher" : "no difference is known";
  const numbers = `${value.toFixed(4)} (95 %: ${low.toFixed(4)} to ${high.toFixed(4)})`;
  const title = `Log loss ${model.toFixed(4)}, the challenger's ${challenger.toFixed(4)}: ${verdict}`;
  return figure(
    title,
    `${title}. The ${paired ? "paired" : "unpaired"} difference is ${numbers}.`,
    [
      svg("path", { d: "M150 10V56", class: "trained" }),
      svg("path", { d: `M${x(low)} 34H${x(high)}`, class: "interval thick" }),
      svg("circle", { cx: x(value), cy: 34, r: 5, class: "came" }),
      label(LEFT, 74, "challenger better"),
      label(RIGHT, 74, "model better", "end"),
      label(150, 92, `${paired ? "paired" : "unpaired"} difference ${numbers}`, "middle"),
    ],
    100,
  );
}

const LABEL_NAMES = ["both 0", "only the challenger 1", "only the model 1", "both 1"] as const;

/** On which labels both agree, as bars. */
export function drawLabels(labels: readonly (readonly number[])[]): HTMLElement {
  const counts = labels.flat();
  const total = counts.reduce((sum, count) => sum + count, 0);
  const agreement = percent((counts[0] + counts[3]) / total);
  const said = counts.map((count, i) => `${LABEL_NAMES[i]}: ${count}`).join(", ");
  return figure(
    `Labels agree on ${agreement} of the sequences`,
    `Labels agree on ${agreement}: ${said}.`,
    counts.flatMap((count, i) => [
      label(132, 26 + 34 * i, LABEL_NAMES[i], "end"),
      svg("rect", {
        x: 138,
        y: 12 + 34 * i,
        width: Math.max(1, (110 * count) / total),
        height: 20,
        class: i === 0 || i === 3 ? "came" : "apart",
      }),
      label(144 + (110 * count) / total, 26 + 34 * i, `${count}`),
    ]),
    150,
  );
}

/** How far the challenger's probabilities lie from the model's. */
export function drawDifferences({ differences, meanDifference }: Compared): HTMLElement {
  const all = differences!;
  const half = all.length / 2;
  const reach = Math.max(1, ...all.map((count, b) => (count === 0 ? 0 : b < half ? half - b : b - half + 1))); // what is drawn: as far as there are any
  const counts = all.slice(half - reach, half + reach);
  const highest = Math.max(...counts, 1);
  const width = (RIGHT - LEFT) / counts.length;
  const mean = meanDifference === null ? "–" : meanDifference.value.toFixed(4);
  const title = `The challenger's probability − the model's: ${mean} on average`;
  const bars = counts.map((count, b) =>
    svg("rect", {
      x: LEFT + b * width + 0.5,
      y: 120 - (110 * count) / highest,
      width: width - 1,
      height: (110 * count) / highest,
      class: "came",
    }),
  );
  return figure(
    title,
    `${title}; from −${reach / half} to ${reach / half}.`,
    [
      ...bars,
      svg("path", { d: `M${WIDTH / 2} 8V122`, class: "trained" }),
      label(LEFT, 138, `−${reach / half}`),
      label(WIDTH / 2, 138, "0", "middle"),
      label(RIGHT, 138, `+${reach / half}`, "end"),
    ],
    145,
  );
}
