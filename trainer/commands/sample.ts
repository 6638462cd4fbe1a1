// sample: data to try the trainer on. `sp500` is real; `fx` is synthetic, so that the best possible log loss is known.
import { join } from "node:path";
import { UsageError } from "../../shared/errors.ts";
import { integer, text } from "../cli/arguments.ts";
import { MAX_SEED } from "../cli/data-options.ts";
import { declareCommand, flag, option, optionWithDefault, type Values, word } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { checkAbsent } from "../cli/outputs.ts";
import { countOf, formatPercent } from "../cli/tables.ts";
import { checkWritable, writeWhole } from "../files/whole-files.ts";
import { encodeNpz } from "../readers/npz.ts";
import { generateFx } from "../sample/fx.ts";
import { makeSp500 } from "../sample/sp500.ts";
import { meanEntropy } from "../statistics/log-loss.ts";
import { computeMetrics } from "../statistics/metrics.ts";

const WORDS = { kind: word("sp500, ten trading days of the S&P 500 each, or fx, synthetic exchange rates") };

const OPTIONS = {
  out: option("DIR", text, "folder that the .npz goes into", "out, where --force overwrites the file"),
  force: flag("overwrite the file in the default --out"),
  n: optionWithDefault("N", integer(100, 10_000_000), "sequences of fx", 100_000),
  seed: optionWithDefault("N", integer(0, MAX_SEED), "seed of fx", 1),
  json: flag("print one JSON document on stdout"),
};

type SampleValues = Values<typeof WORDS, typeof OPTIONS>;

export const sampleCommand = declareCommand({
  name: "sample",
  summary: "Write data to try the trainer on",
  words: WORDS,
  options: OPTIONS,
  examples: ["sample sp500", "sample fx --n 20000 --out data"],
  run: (values: SampleValues, { terminal }: Dependencies) => sample(values, terminal),
});

const DEFAULT_FOLDER = "out";

/** Writes `<out>/<kind>.npz`. Throws UsageError, DataError. */
export async function sample(values: SampleValues, terminal: Dependencies["terminal"]): Promise<void> {
  const { kind, n, seed, out = DEFAULT_FOLDER } = values;
  if (kind !== "sp500" && kind !== "fx") throw new UsageError(`the sample must be sp500 or fx, got ${kind}`);
  const path = join(out, `${kind}.npz`);
  checkWritable(path);
  if (values.out === undefined && !values.force) checkAbsent(path);
  const { values: X, labels, features, probability } = kind === "sp500" ? { ...makeSp500(), probability: null } : generateFx(n, seed);
  const N = labels.length;
  const bytes = await encodeNpz({
    X: { data: X, shape: [N, X.length / N / features.length, features.length] },
    y: { data: labels, shape: [N] },
    features: { data: features, shape: [features.length] },
    ...(probability && { probability: { data: probability, shape: [N] } }),
  });
  writeWhole(path, bytes);
  const { positiveRate, baseRateLogLoss } = computeMetrics(labels, new Float64Array(N).fill(0.5));
  const bayesLogLoss = probability === null ? undefined : meanEntropy(probability);
  terminal.say(
    `wrote ${path}: ${countOf(N, "sequence")}, ${formatPercent(positiveRate)} positive, log loss of the base rate ${baseRateLogLoss.toFixed(4)}`,
  );
  if (bayesLogLoss !== undefined) terminal.say(`the best possible log loss, of the true probability, is ${bayesLogLoss.toFixed(4)}`);
  if (values.json)
    terminal.print(
      JSON.stringify({ data: path, examples: N, positiveRate, baseRateLogLoss, ...(bayesLogLoss !== undefined && { bayesLogLoss }) }),
    );
}
