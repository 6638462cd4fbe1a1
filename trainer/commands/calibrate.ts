// calibrate: an artifact's calibration, operating points, metrics and drift reference, from labelled sequences.
import { UsageError } from "../../shared/errors.ts";
import type { OperatingPoint } from "../../shared/model.ts";
import { describeModel, loadModel } from "../artifact/artifact-file.ts";
import { integer, pair, text } from "../cli/arguments.ts";
import { ARTIFACT_WORD, DATA_WORD, MAX_SEED, READ_OPTIONS, readOptionsOf, SOFT_OPTION, SPLIT_OPTION } from "../cli/data-options.ts";
import { declareCommand, flag, option, optionWithDefault, type Values } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { ARTIFACT_ENDINGS, checkOutput } from "../cli/outputs.ts";
import { toReadDocument } from "../cli/read-line.ts";
import { createStages } from "../cli/stages.ts";
import { formatMetrics, formatOperatingPoints } from "../cli/tables.ts";
import { writeWhole } from "../files/whole-files.ts";
import { fillFromModel } from "../pipeline/data-card.ts";
import type { TrainNote } from "../pipeline/note.ts";
import { recalibrate } from "../pipeline/recalibrate.ts";
import { describeNote } from "../pipeline/sentences.ts";
import { checkTrainable, readDataset } from "../readers/dataset.ts";
import { describeRead } from "../readers/describe.ts";
import { splitMethodOf } from "../split/asked-method.ts";
import type { Costs } from "../statistics/operating-points.ts";

const WORDS = { artifact: ARTIFACT_WORD, data: DATA_WORD };

const OPTIONS = {
  out: option("FILE", text, "where the new artifact goes", "none: it must be said"),
  costs: option("A:B", pair, "cost of a false 1 and of a false 0, for the operating point lowest-cost", "as the artifact has it"),
  split: SPLIT_OPTION,
  seed: optionWithDefault("N", integer(0, MAX_SEED), "seed of every random choice", 1),
  json: flag("print one JSON document on stdout"),
  ...READ_OPTIONS,
  ...SOFT_OPTION,
};

export const calibrateCommand = declareCommand({
  name: "calibrate",
  summary: "Refit calibration, operating points and drift reference of an artifact",
  words: WORDS,
  options: OPTIONS,
  examples: [
    "calibrate mine.safetensors new.npz --out renewed.safetensors",
    "calibrate mine.safetensors new.csv --out renewed.safetensors --costs 1:5",
  ],
  run: calibrate,
});

/** What begins after a note, and how much of the time has passed until then (measured on 100,000 sequences). */
const NEXT_STAGES: Readonly<Partial<Record<TrainNote["code"], [stage: string, share: number]>>> = {
  split: ["calibrate: fitting", 0.27],
  calibration: ["calibrate: measuring on the test part", 0.58],
  "calibration-stays": ["calibrate: measuring on the test part", 0.58],
};

/** Writes the new artifact and says its metrics. Throws UsageError, DataError. */
async function calibrate(values: Values<typeof WORDS, typeof OPTIONS>, dependencies: Dependencies): Promise<void> {
  const { terminal, now } = dependencies;
  const { out, seed } = values;
  if (out === undefined) throw new UsageError("calibrate needs --out FILE");
  checkOutput("out", out, ARTIFACT_ENDINGS);
  const engines = dependencies.loadEngines();
  const loaded = loadModel(values.artifact, engines);
  const read = fillFromModel(readOptionsOf(values), loaded.model);
  const dataset = await readDataset(values.data, read);
  terminal.say(describeRead(dataset.facts));
  const data = checkTrainable(dataset);
  const stages = createStages(terminal, now);
  stages.show("calibrate: splitting");
  const costs = costsOf(values.costs, loaded.model.operatingPoints);
  if (costs && values.costs === undefined)
    terminal.say(
      `lowest-cost stays: a false 1 costs ${costs.falsePositive.toFixed(4)} and a false 0 ${costs.falseNegative.toFixed(4)} of their sum`,
    );
  const options = { seed, horizon: read.horizon ?? 1, split: splitMethodOf(values), costs };
  const { model, bytes } = recalibrate(loaded.model, data, options, engines, (note) => {
    terminal.say(describeNote(note, loaded.model.recipe.features));
    const next = NEXT_STAGES[note.code];
    if (next) stages.show(...next);
  });
  stages.finish();
  writeWhole(out, bytes);
  const { card, calibration, operatingPoints, positiveRate } = model;
  terminal.say(`\n${formatMetrics({ [loaded.id]: card.test, ...card.baselines })}`);
  terminal.say(`\n${formatOperatingPoints(operatingPoints)}\n`);
  for (const warning of card.warnings) terminal.say(`note: ${warning}`);
  const id = describeModel(model, bytes);
  terminal.say(`wrote ${out} (${id}, ${bytes.length} bytes)`);
  if (values.json)
    terminal.print(
      JSON.stringify({
        artifact: out,
        model: id,
        calibration,
        positiveRate,
        operatingPoints,
        examples: card.calibrated?.examples,
        test: card.test,
        read: toReadDocument(dataset.facts),
      }),
    );
}

/**
 * The costs that are given; else those that lead to the threshold of `lowest-cost` among `points`, scaled to a sum of 1: an artifact
 * holds the threshold and not the costs. Undefined where there is neither.
 */
function costsOf(given: readonly [number, number] | undefined, points: readonly OperatingPoint[]): Costs | undefined {
  if (given) return { falsePositive: given[0], falseNegative: given[1] };
  const point = points.find(({ name }) => name === "lowest-cost");
  return point && { falsePositive: point.threshold, falseNegative: 1 - point.threshold };
}
