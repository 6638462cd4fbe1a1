// calibrate: an artifact's calibration, operating points, figures and drift reference, from labelled sequences.
import { describeModel, type Engines, loadModel } from "../artifact/artifact-file.ts";
import { formatMetrics, type Terminal } from "../cli/terminal.ts";
import { writeWhole } from "../files/whole-files.ts";
import { type CalibrateOptions, recalibrate } from "../pipeline/recalibrate.ts";
import { checkTrainable, readDataset } from "../readers/dataset.ts";
import { describeNote } from "../readers/describe.ts";
import type { ReadNote } from "../readers/facts.ts";
import { fillFrom, type ReadOptions } from "../readers/options.ts";

export interface CalibrateCommand extends CalibrateOptions {
  readonly artifact: string;
  readonly data: readonly string[];
  readonly read: ReadOptions;
  readonly out: string;
  readonly json: boolean;
}

export async function calibrate(command: CalibrateCommand, engines: Engines, terminal: Terminal): Promise<void> {
  const { out } = command;
  const loaded = loadModel(command.artifact, engines);
  const read = { ...fillFrom(command.read, loaded.model.recipe), onNote: (note: ReadNote) => terminal.say(describeNote(note)) };
  const data = checkTrainable(await readDataset(command.data, read));
  const { model, bytes } = recalibrate(loaded.model, data, command, engines, terminal.say);
  writeWhole(out, bytes);
  const { card, calibration, operatingPoints, positiveRate } = model;
  terminal.say(formatMetrics({ [loaded.id]: card.test, ...card.baselines }));
  for (const { name, threshold } of operatingPoints) terminal.say(`label 1 from ${threshold.toFixed(4)} on: ${name}`);
  for (const warning of card.warnings) terminal.say(`note: ${warning}`);
  const id = describeModel(model, bytes);
  terminal.say(`wrote ${out} (${id}, ${bytes.length} bytes)`);
  if (command.json)
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
