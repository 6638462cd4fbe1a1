// calibrate: an artifact's calibration, operating points, metrics and drift reference, from labelled sequences.
import { UsageError } from "../../shared/errors.ts";
import { describeModel, loadModel } from "../artifact/artifact-file.ts";
import { integer, pair, text } from "../cli/arguments.ts";
import { ARTIFACT_WORD, DATA_WORD, MAX_SEED, READ_OPTIONS, readOptionsOf, SPLIT_OPTION, splitMethodOf } from "../cli/data-options.ts";
import { declareCommand, flag, option, optionWithDefault, type Values } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { ARTIFACT_ENDINGS, checkOutput } from "../cli/outputs.ts";
import { noteReading } from "../cli/read-line.ts";
import { createStages } from "../cli/stages.ts";
import { formatMetrics, formatOperatingPoints } from "../cli/tables.ts";
import { writeWhole } from "../files/whole-files.ts";
import { recalibrate } from "../pipeline/recalibrate.ts";
import { describeNote } from "../pipeline/sentences.ts";
import { checkTrainable, readDataset } from "../readers/dataset.ts";
import { describeRead } from "../readers/describe.ts";
import { fillFrom } from "../readers/options.ts";

const WORDS = { artifact: ARTIFACT_WORD, data: DATA_WORD };

const OPTIONS = {
  out: option("FILE", text, "where the new artifact goes", "none: it must be said"),
  costs: option("A:B", pair, "cost of a false 1 and of a false 0, for the operating point lowest-cost", "as the artifact has it"),
  split: SPLIT_OPTION,
  seed: optionWithDefault("N", integer(0, MAX_SEED), "seed of every random choice", 1),
  json: flag("print one JSON document on stdout"),
  ...READ_OPTIONS,
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

/** Writes the new artifact and says its metrics. Throws UsageError, DataError. */
async function calibrate(values: Values<typeof WORDS, typeof OPTIONS>, dependencies: Dependencies): Promise<void> {
  const { terminal, now } = dependencies;
  const { out, seed, costs, horizon = 1 } = values;
  if (out === undefined) throw new UsageError("calibrate needs --out FILE");
  checkOutput("out", out, ARTIFACT_ENDINGS);
  const engines = dependencies.loadEngines();
  const loaded = loadModel(values.artifact, engines);
  const read = { ...fillFrom(readOptionsOf(values), loaded.model.recipe), onNote: noteReading(terminal) };
  const given = await readDataset(values.data, read);
  terminal.say(describeRead(given.facts));
  const data = checkTrainable(given);
  const stages = createStages(terminal, now);
  stages.show("calibrate");
  const options = { seed, horizon, split: splitMethodOf(values), costs: costs && { falsePositive: costs[0], falseNegative: costs[1] } };
  const { model, bytes } = recalibrate(loaded.model, data, options, engines, (note) =>
    terminal.say(describeNote(note, loaded.model.recipe.features)),
  );
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
      }),
    );
}
