// sample: data to try the trainer on. `sp500` is real; `fx` is made, so that the best possible score is known.
import { join } from "node:path";
import { formatPercent, type Terminal } from "../cli/terminal.ts";
import { writeWhole } from "../files/whole-files.ts";
import { encodeNpz } from "../readers/npz.ts";
import { generateFx } from "../sample/fx.ts";
import { makeSp500 } from "../sample/sp500.ts";
import { meanEntropy } from "../statistics/log-loss.ts";
import { computeMetrics } from "../statistics/metrics.ts";

export interface SampleCommand {
  readonly kind: "sp500" | "fx";
  /** Folder. */
  readonly out: string;
  readonly n: number;
  readonly seed: number;
  readonly json: boolean;
}

export async function sample(command: SampleCommand, terminal: Terminal): Promise<void> {
  const { kind, n, seed } = command;
  const made = kind === "sp500" ? { ...makeSp500(), probability: null } : generateFx(n, seed);
  const { values, labels, features, probability } = made;
  const N = labels.length;
  const path = join(command.out, `${kind}.npz`);
  const bytes = await encodeNpz({
    X: { data: values, shape: [N, values.length / N / features.length, features.length] },
    y: { data: labels, shape: [N] },
    features: { data: features, shape: [features.length] },
    ...(probability && { probability: { data: probability, shape: [N] } }),
  });
  writeWhole(path, bytes);
  const { positiveRate, baseRateLogLoss } = computeMetrics(labels, new Float64Array(N).fill(0.5));
  const bayesLogLoss = probability === null ? undefined : meanEntropy(probability);
  const known = bayesLogLoss === undefined ? "" : `; the best possible log loss, of the true probability: ${bayesLogLoss.toFixed(4)}`;
  terminal.say(
    `wrote ${N} sequences to ${path}: ${formatPercent(positiveRate)} positive, log loss of the base rate ${baseRateLogLoss.toFixed(4)}${known}`,
  );
  if (command.json)
    terminal.print(
      JSON.stringify({ data: path, examples: N, positiveRate, baseRateLogLoss, ...(bayesLogLoss !== undefined && { bayesLogLoss }) }),
    );
}
